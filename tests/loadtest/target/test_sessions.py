import json
import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import bcrypt
import pytest

from include.embedded.servers import free_port
from include.loadtest.errors import InfrastructureError, InvalidTestError
from include.loadtest.run import TEST_USER_PASSWORD
from include.loadtest.target.sessions import SessionCache, ensure_sessions
from include.loadtest.target.settings import Target
from include.loadtest.target.users import cleanup_users, seed_users
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration


@pytest.fixture
def seeded(target: Target) -> Iterator[Target]:
    """The demo target with its test users."""
    seed_users(target, "sessions-1")
    yield target
    cleanup_users(target, None)


def test_sessions_work_and_are_used_again(demo: DemoTarget, seeded: Target, tmp_path: Path) -> None:
    """Tokens are accepted, the file is private, a second call logs nobody in, an old or dead session is renewed."""
    path = tmp_path / "private" / "sessions.json"
    first = ensure_sessions(seeded, (1, 2), path, "sessions-1")
    assert list(first) == [1, 2]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(json.loads(path.read_text())["1"]) == {
        "user_id", "user_token", "session_token", "studio_id", "obtained_at", "forwarded_for",
    }  # fmt: skip
    with demo.client(authorization=f"Bearer {first[1].session_token}") as client:
        client.get("/api/v1/payments/subscription").raise_for_status()
    assert first[1].studio_id
    assert ensure_sessions(seeded, (1, 2), path, "sessions-1") == first
    old = replace(first[1], obtained_at=time.time() - 61 * 60)
    SessionCache(path).save({1: old, 2: first[2]})
    demo.sql("DELETE FROM session WHERE user_id = %s", first[2].user_id)
    renewed = ensure_sessions(seeded, (1, 2), path, "sessions-1")
    assert renewed[1].session_token != first[1].session_token
    assert renewed[2].session_token != first[2].session_token


def test_a_session_is_never_printed(seeded: Target, tmp_path: Path) -> None:
    """Neither alone nor in a container."""
    sessions = ensure_sessions(seeded, (1,), tmp_path / "s.json", "sessions-1")
    assert sessions[1].user_token not in repr(sessions)
    assert sessions[1].session_token not in repr(sessions)


@pytest.mark.usefixtures("no_faults")
def test_a_limiter_is_named_and_what_was_obtained_is_kept(demo: DemoTarget, seeded: Target, tmp_path: Path) -> None:
    """429 is the limiter's; with an address for each user all get in."""
    with demo.client() as client:
        client.put("/admin/faults", json={"rate_limits": True}).raise_for_status()
    # Four rounds instead of twelve: some fifty logins are about the limiter, not the hash.
    hashed = bcrypt.hashpw(TEST_USER_PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    demo.sql("UPDATE \"user\" SET hashed_password = %s WHERE account_code LIKE 'LT-%%'", hashed)
    path = tmp_path / "s.json"
    numbers = range(1, 46)  # more than two of the limiter's minutes let in, since a minute may end meanwhile
    with pytest.raises(InvalidTestError, match=r"status 429 .*RATELIMIT_ENABLED=false") as caught:
        ensure_sessions(seeded, numbers, path, "sessions-1")
    assert caught.value.code == "rate_limiter"
    obtained = SessionCache(path).load()
    assert len(obtained) > 0
    own = replace(seeded, file=seeded.file.model_copy(update={"forwarded_for": True}))
    sessions = ensure_sessions(own, numbers, path, "sessions-1")
    assert len(sessions) == len(numbers)
    refused = max(set(numbers) - set(obtained))
    assert sessions[refused].forwarded_for == f"198.18.0.{refused + 1}"


def test_refusals_and_broken_connections_are_told_apart(demo: DemoTarget, seeded: Target, tmp_path: Path) -> None:
    """A wrong password, a locked account and a dead server; one line each, without a secret."""
    demo.sql("UPDATE \"user\" SET hashed_password = '$2b$04$' || repeat('x', 53) WHERE email LIKE '%user_1@%'")
    with pytest.raises(
        InvalidTestError, match=r"POST /auth/login for loadtest_user_1@.*: status 4\d\d|status 500"
    ) as e:
        ensure_sessions(seeded, (1,), tmp_path / "s.json", "sessions-1")
    assert e.value.code == "setup_failed"
    demo.sql("UPDATE \"user\" SET locked_until = now() + interval '1 hour' WHERE email LIKE '%user_2@%'")
    with pytest.raises(InvalidTestError, match=r"status 423 .*locked"):
        ensure_sessions(seeded, (2,), tmp_path / "s.json", "sessions-1")
    dead = replace(seeded, base_url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(InfrastructureError, match="loadtest_user_3"):
        ensure_sessions(dead, (3,), tmp_path / "s.json", "sessions-1")


def test_a_damaged_cache_is_no_cache(tmp_path: Path) -> None:
    """It is made anew."""
    path = tmp_path / "s.json"
    for text in ("", "[]", '{"1": {"odd": 1}}', '{"x": {}}'):
        path.write_text(text)
        assert SessionCache(path).load() == {}
