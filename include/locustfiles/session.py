"""The users' sessions, opened before the load; renewed here only when they grow old during a long run."""

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from include.loadtest.run import (
    HEADER_PHASE,
    HEADER_RUN_ID,
    PLAIN_BODIES,
    SESSION_MAX_AGE_S,
    TEST_USER_EMAIL,
    TEST_USER_PASSWORD,
)
from include.locustfiles.call import TokenKind
from include.locustfiles.plan import GeneratorPlan

if TYPE_CHECKING:  # Locust patches sockets: whoever only renews sessions needs none of it
    from locust.contrib.fasthttp import FastHttpSession


@dataclass(frozen=True)
class Session:
    """Tokens of one test user; never printed. `obtained_at` in seconds since the epoch."""

    user_id: str
    user_token: str
    session_token: str
    studio_id: str | None
    obtained_at: float
    forwarded_for: str | None

    def __repr__(self) -> str:
        return "Session(…)"

    def headers(self, token: TokenKind) -> dict[str, str]:
        """The headers that a call with that kind of token needs."""
        headers = {"X-Forwarded-For": self.forwarded_for} if self.forwarded_for else {}
        if token != "none":
            secret = self.session_token if token == "session" else self.user_token
            headers["Authorization"] = f"Bearer {secret}"
        return headers

    def is_old(self) -> bool:
        """Whether the session must be renewed before the next request."""
        return time.time() - self.obtained_at > SESSION_MAX_AGE_S


class SessionStore:
    """The sessions of this generator's users."""

    def __init__(self, plan: GeneratorPlan) -> None:
        self._plan = plan
        self._entries = json.loads(plan.sessions_file.read_text(encoding="utf-8"))

    def of(self, number: int) -> Session:
        """The prepared session of a test user. Raises KeyError where none was prepared."""
        entry = self._entries[str(number)]
        return Session(
            str(entry["user_id"]),
            entry["user_token"],
            entry["session_token"],
            entry.get("studio_id"),
            float(entry["obtained_at"]),
            entry.get("forwarded_for"),
        )

    def renew(self, number: int, client: "FastHttpSession") -> Session:
        """Log in again and open a new session; on failure the old one stays, and the load shows what follows."""
        old = self.of(number)
        headers = {HEADER_RUN_ID: self._plan.run_id, HEADER_PHASE: "login", **PLAIN_BODIES, **old.headers("none")}
        base = self._plan.base_url + self._plan.api_prefix
        form = urlencode({"username": TEST_USER_EMAIL.format(number), "password": TEST_USER_PASSWORD})
        form_headers = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
        login = client.request("POST", f"{base}/auth/login", data=form, headers=form_headers, catch_response=True)
        user_token = _token(login, "access_token")
        if user_token is None:
            return old
        bearer = {**headers, "Authorization": f"Bearer {user_token}"}
        session = client.request("POST", f"{base}/auth/session", headers=bearer, catch_response=True)
        session_token = _token(session, "token", "access_token")
        if session_token is None:
            return old
        entry = {"user_token": user_token, "session_token": session_token, "obtained_at": time.time()}
        self._entries[str(number)] = {**self._entries[str(number)], **entry}
        return self.of(number)


def _token(response: object, *path: str) -> str | None:
    try:
        value = json.loads(getattr(response, "content", None) or b"null")
        for key in path:
            value = value[key]
    except (ValueError, KeyError, TypeError):
        return None
    return value if isinstance(value, str) else None
