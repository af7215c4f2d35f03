"""Bearer tokens: who may call what."""

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import jwt
from fastapi import Depends, HTTPException, Request

from include.demo_target.services import Shared

SECRET = "stand-in-for-pratikoai-guards-nothing"
ALGORITHM = "HS256"
ACCESS_TTL = timedelta(hours=2)
REFRESH_TTL = timedelta(days=7)
_FORM = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
BEARER = {"WWW-Authenticate": "Bearer"}

SESSION_OF = """SELECT s.id AS session_id, u.id, u.email, u.name, u.avatar_url, u.provider, u.role, u.studio_id::text,
    u.billing_plan_slug FROM session s JOIN "user" u ON u.id = s.user_id WHERE s.id = $1"""
USER_OF = """SELECT NULL AS session_id, id, email, name, avatar_url, provider, role, studio_id::text, billing_plan_slug
    FROM "user" WHERE id = $1"""


@dataclass(frozen=True)
class Caller:
    """The account behind a token, and the session if it is a session token."""

    id: int
    email: str
    name: str | None
    avatar_url: str | None
    provider: str
    role: str
    studio_id: str | None
    billing_plan_slug: str
    session_id: str


@dataclass(frozen=True)
class Token:
    """A signed token and when it ends (UTC)."""

    text: str
    expires_at: datetime

    @property
    def expires(self) -> str:
        """The end as the target writes it."""
        return self.expires_at.isoformat().replace("+00:00", "Z")


def issue(subject: str, kind: str) -> Token:
    """A token of kind user, session or refresh."""
    expires_at = datetime.now(UTC) + (REFRESH_TTL if kind == "refresh" else ACCESS_TTL)
    claims = {"sub": subject, "kind": kind, "exp": expires_at, "iat": datetime.now(UTC), "jti": str(uuid.uuid4())}
    return Token(jwt.encode(claims, SECRET, ALGORITHM), expires_at)


def read(text: str) -> tuple[str, str]:
    """Subject and kind of a token. Raises 422 for what is no token, 401 for one that is not valid."""
    if not _FORM.fullmatch(text):
        raise HTTPException(422, "Invalid token format", BEARER)
    try:
        claims: dict[str, Any] = jwt.decode(text, SECRET, [ALGORITHM])
    except jwt.PyJWTError as error:
        raise HTTPException(401, "Invalid authentication credentials", BEARER) from error
    return str(claims["sub"]), str(claims["kind"])


def _bearer(request: Request) -> tuple[str, str]:
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise HTTPException(403, "Not authenticated")
    return read(text.strip())


Bearer = Annotated[tuple[str, str], Depends(_bearer)]


def _caller(row: Any, missing: str) -> Caller:
    if row is None:
        raise HTTPException(404, missing, BEARER)
    return Caller(**{**dict(row), "session_id": row["session_id"] or ""})


async def _session(bearer: Bearer, services: Shared) -> Caller:
    # A user token names no session, and is looked up like one.
    return _caller(await services.database.row(SESSION_OF, bearer[0]), "Session not found")


async def _user(bearer: Bearer, services: Shared) -> Caller:
    subject, kind = bearer
    if kind != "user":
        raise HTTPException(401, "Invalid authentication credentials", BEARER)
    return _caller(await services.database.row(USER_OF, int(subject)), "User not found")


async def _either(bearer: Bearer, services: Shared) -> Caller:
    return await (_user if bearer[1] == "user" else _session)(bearer, services)


SessionCaller = Annotated[Caller, Depends(_session)]
UserCaller = Annotated[Caller, Depends(_user)]
AnyCaller = Annotated[Caller, Depends(_either)]
