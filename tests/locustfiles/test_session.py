"""Sessions are renewed when they grow old: a load of two hours outlives no token."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.run import SESSION_MAX_AGE_S
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.session import SessionStore

pytestmark = pytest.mark.unit

TOKEN_VALID_S = 2 * 3600
TICK_S = 60


class Target:
    """Answers logins with new tokens; `fails` names the path that is refused."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.fails: str | None = None

    def request(self, method: str, url: str, *, headers: dict[str, str], **_: Any) -> SimpleNamespace:
        self.asked.append((method, url, headers))
        if self.fails and url.endswith(self.fails):
            return SimpleNamespace(content=b'{"detail": "no"}')
        token = f"token-{len(self.asked)}"
        content = {"access_token": token} if url.endswith("/login") else {"token": {"access_token": token}}
        return SimpleNamespace(content=json.dumps(content).encode())


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    """One user, whose session was opened now."""
    entry = {
        "user_id": "42",
        "user_token": "first-user",
        "session_token": "first-session",
        "studio_id": "studio",
        "obtained_at": time.time(),
        "forwarded_for": "10.0.0.7",
    }
    path = tmp_path / "sessions.json"
    path.write_text(json.dumps({"7": entry}))
    profile = load_profile(find_profile("soak"))
    plan = GeneratorPlan("soak-1", "http://127.0.0.1:9", "/api/v1", profile, tmp_path, path, (7,), True, (), "w0")
    return SessionStore(plan)


def test_during_a_soak_no_request_carries_an_expired_token(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of its two hours and its patience, minute by minute: one renewal, half an hour before the tokens expire."""
    target, session, renewed_s = Target(), store.of(7), []
    begun_s = session.obtained_at
    for offset_s in range(0, int(load_profile(find_profile("soak")).load_s) + 600, TICK_S):
        monkeypatch.setattr(time, "time", lambda now_s=begun_s + offset_s: now_s)
        if session.is_old():
            session = store.renew(7, target)
            renewed_s.append(offset_s)
        assert time.time() - session.obtained_at < TOKEN_VALID_S - 1200
    assert renewed_s == [SESSION_MAX_AGE_S + TICK_S]
    assert (session.user_token, session.session_token) == ("token-1", "token-2")
    assert (session.user_id, session.studio_id, session.forwarded_for) == ("42", "studio", "10.0.0.7")
    assert store.of(7) == session
    assert [(method, url.rpartition("/api/v1")[2]) for method, url, _ in target.asked] == [
        ("POST", "/auth/login"),
        ("POST", "/auth/session"),
    ]
    assert {headers["X-Load-Test-Phase"] for *_, headers in target.asked} == {"login"}
    assert {headers["Accept-Encoding"] for *_, headers in target.asked} == {"identity"}


@pytest.mark.parametrize("refused", ["/login", "/session"])
def test_a_refused_renewal_keeps_the_old_session_and_is_tried_again(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """No half session: tokens of one login belong together."""
    target, later_s = Target(), time.time() + SESSION_MAX_AGE_S + 1
    monkeypatch.setattr(time, "time", lambda: later_s)
    target.fails = refused
    session = store.renew(7, target)
    assert (session.user_token, session.session_token) == ("first-user", "first-session")
    assert session.is_old()
    target.fails = None
    assert not store.renew(7, target).is_old()
