"""Accounts: login, refresh, registration and sessions."""

import hashlib
import os
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import bcrypt
from fastapi import APIRouter, Form, HTTPException
from pydantic import BaseModel, Field, field_validator

from include.demo_target.endpoints import API
from include.demo_target.services import Services, Shared
from include.demo_target.tokens import BEARER, UserCaller, issue, read

BCRYPT_ROUNDS = int(os.environ.get("DEMO_TARGET_HASH_ROUNDS") or 12)
"""Twelve as the real one; its login costs 0.7 s of CPU so. Tests of other things take four."""
MAX_FAILED_LOGINS = 5
LOCKED_FOR = timedelta(minutes=15)
MAX_SESSIONS = 5
PASSWORD_RULES = (
    (r"[A-Z]", "uppercase letter"),
    (r"[a-z]", "lowercase letter"),
    (r"[0-9]", "number"),
    (r"[^A-Za-z0-9]", "special character"),
)

router = APIRouter(prefix=f"{API}/auth")


class Registration(BaseModel):
    """A new account."""

    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=255)
    password: str = Field(min_length=8, max_length=64)

    @field_validator("password")
    @classmethod
    def _strong(cls, password: str) -> str:
        for pattern, what in PASSWORD_RULES:
            if not re.search(pattern, password):
                raise ValueError(f"Password must contain at least one {what}")
        return password


class Refresh(BaseModel):
    """A refresh token to exchange."""

    refresh_token: str


def utc_now() -> datetime:
    """Now in UTC without a zone, as the target stores and writes times."""
    return datetime.now(UTC).replace(tzinfo=None)


@router.post("/login")
async def login(services: Shared, username: Annotated[str, Form()], password: Annotated[str, Form()]) -> dict[str, Any]:
    """User token for a form of `username` and `password`; five wrong passwords lock the account."""
    account = await services.database.row(
        'SELECT id, hashed_password, locked_until, failed_login_attempts FROM "user" WHERE email = $1', username
    )
    if account is None:
        raise HTTPException(401, "Incorrect email or password", BEARER)
    if _is_locked(account):
        raise HTTPException(423, "Account temporarily locked: too many failed login attempts")
    if not await _matches(services, password, account["hashed_password"]):
        await _note_failure(services, account["id"])
        raise HTTPException(401, "Incorrect email or password", BEARER)
    tokens = await _tokens(services, account["id"])
    return {**tokens, "requires_2fa": False, "two_factor_token": ""}


@router.post("/refresh")
async def refresh(services: Shared, body: Refresh) -> dict[str, Any]:
    """New tokens for a refresh token, which is used up."""
    subject, kind = read(body.refresh_token)
    known = None
    if kind == "refresh":
        known = await services.database.value('SELECT refresh_token_hash FROM "user" WHERE id = $1', int(subject))
    if not await _matches(services, _digest(body.refresh_token), known):
        raise HTTPException(401, "Invalid refresh token", BEARER)
    return await _tokens(services, int(subject))


@router.post("/register")
async def register(services: Shared, body: Registration) -> dict[str, Any]:
    """A new account of the basic plan, with its first tokens."""
    if await services.database.value('SELECT EXISTS (SELECT FROM "user" WHERE email = $1)', body.email):
        raise HTTPException(400, "Email already registered")
    user_id = await services.database.value(
        """INSERT INTO "user" (email, hashed_password, account_code) VALUES ($1, $2, $3)
        ON CONFLICT (email) DO NOTHING RETURNING id""",
        body.email,
        await _hash(services, body.password),
        uuid.uuid4().hex[:20],
    )
    if user_id is None:
        raise HTTPException(400, "Email already registered")
    return {"id": user_id, "email": body.email, **await _tokens(services, user_id)}


@router.post("/session")
async def create_session(services: Shared, user: UserCaller) -> dict[str, Any]:
    """A new session; of more than five the oldest is dropped without a word."""
    session_id, created_at = str(uuid.uuid4()), utc_now()
    async with services.database.connection() as connection, connection.transaction():
        await connection.execute(
            """DELETE FROM session WHERE id IN
            (SELECT id FROM session WHERE user_id = $1 ORDER BY created_at DESC, id OFFSET $2)""",
            user.id,
            MAX_SESSIONS - 1,
        )
        await connection.execute(
            "INSERT INTO session (id, user_id, created_at) VALUES ($1, $2, $3)", session_id, user.id, created_at
        )
    token = issue(session_id, "session")
    return {
        "session_id": session_id,
        "name": "",
        "token": {"access_token": token.text, "token_type": "bearer", "expires_at": token.expires},
        "created_at": created_at.isoformat(),
    }


async def _tokens(services: Services, user_id: int) -> dict[str, Any]:
    """Both tokens; the refresh token is kept as a slow hash, the second half of what a login costs."""
    access, renewal = issue(str(user_id), "user"), issue(str(user_id), "refresh")
    await services.database.execute(
        """UPDATE "user" SET refresh_token_hash = $2, failed_login_attempts = 0, locked_until = NULL WHERE id = $1""",
        user_id,
        await _hash(services, _digest(renewal.text)),
    )
    return {
        "access_token": access.text,
        "refresh_token": renewal.text,
        "token_type": "bearer",
        "expires_at": access.expires,
    }


def _is_locked(account: Any) -> bool:
    until = account["locked_until"]
    return until is not None and until > utc_now()


async def _note_failure(services: Services, user_id: int) -> None:
    await services.database.execute(
        """UPDATE "user" SET failed_login_attempts = failed_login_attempts + 1,
        locked_until = CASE WHEN failed_login_attempts + 1 >= $2 THEN $3::timestamp ELSE locked_until END
        WHERE id = $1""",
        user_id,
        MAX_FAILED_LOGINS,
        utc_now() + LOCKED_FOR,
    )


def _digest(text: str) -> str:
    """bcrypt reads 72 bytes only, and two tokens begin alike."""
    return hashlib.sha256(text.encode()).hexdigest()


async def _hash(services: Services, secret: str) -> str:
    def work() -> str:
        return bcrypt.hashpw(secret.encode(), bcrypt.gensalt(BCRYPT_ROUNDS)).decode()

    return await services.threads.run(work)


async def _matches(services: Services, secret: str, hashed: str | None) -> bool:
    if not hashed:
        return False

    def work() -> bool:
        return bcrypt.checkpw(secret.encode()[:72], hashed.encode())

    return await services.threads.run(work)
