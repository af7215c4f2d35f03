import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from include.embedded.servers import free_port
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.parts import Questions, WarmUp
from include.loadtest.target.sessions import Session, ensure_sessions
from include.loadtest.target.settings import Target
from include.loadtest.target.users import cleanup_users, seed_users
from include.loadtest.target.warm_up import warm_cache
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration


@pytest.fixture
def profile() -> Profile:
    """Six questions."""
    changes = {
        "questions": Questions(pool_size=3, zipf_exponent=1, new_share=0.0),
        "warm_up": WarmUp(settled_within=0.02, max_s=60),
    }
    return load_profile(find_profile("smoke")).model_copy(update=changes)


@pytest.fixture
def sessions(demo: DemoTarget, target: Target, tmp_path: Path) -> Iterator[dict[int, Session]]:
    """Two users in a target whose cache is empty."""
    seed_users(target, "warm-1")
    client = redis.Redis.from_url(demo.redis_url)
    client.flushall()
    client.close()
    yield ensure_sessions(target, (1, 2), tmp_path / "s.json", "warm-1")
    cleanup_users(target, None)


def test_rounds_go_on_until_the_hit_rate_settles(
    target: Target, profile: Profile, sessions: dict[int, Session]
) -> None:
    """Nothing is cached, then all is, then all still is."""
    result = warm_cache(target, profile, sessions, "warm-1")
    assert result.hit_rates == [0, 1, 1]
    assert result.settled is True
    assert [(entry.asked, entry.failed) for entry in result.rounds] == [(6, 0)] * 3
    assert json.loads(json.dumps(result.document()))["settled"] is True
    assert "hit rate by round 0 %, 100 %, 100 %; settled" in result.lines()[0]


def test_requests_are_marked_as_warm_up(
    demo: DemoTarget, target: Target, profile: Profile, sessions: dict[int, Session]
) -> None:
    """So that nobody takes them for load."""
    warm_cache(target, profile, sessions, "marked-1")
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "marked-1"}).raise_for_status().json()
    assert counted == {"login": 0, "warm_up": 18, "load": 0}


def test_without_redis_one_round_is_asked(target: Target, profile: Profile, sessions: dict[int, Session]) -> None:
    """And the result says that nothing was measured."""
    result = warm_cache(replace(target, redis_url=None), profile, sessions, "warm-1")
    assert (result.hit_rates, result.settled) == ([None], None)
    assert "hit rate not measured" in result.note


@pytest.mark.usefixtures("no_faults")
def test_a_failing_target_does_not_raise(
    demo: DemoTarget, target: Target, profile: Profile, sessions: dict[int, Session]
) -> None:
    """Refusals, error sentences and a dead server are counted and named."""
    with demo.client() as client:
        client.put("/admin/faults", json={"error_share": {"chat_stream": 1.0}}).raise_for_status()
    refused = warm_cache(target, profile, sessions, "warm-1")
    assert refused.failures == {"status 500": 6}
    assert refused.settled is False
    assert refused.note == "warm-up: none of 6 questions was answered"
    dead = replace(target, base_url=f"http://127.0.0.1:{free_port()}")
    (cause,) = warm_cache(dead, profile, sessions, "warm-1").failures
    assert "ConnectError" in cause


def test_the_time_is_bounded(target: Target, profile: Profile, sessions: dict[int, Session]) -> None:
    """A limit that no round can meet ends the warm-up unsettled."""
    strict = profile.model_copy(update={"warm_up": WarmUp(settled_within=1e-12, max_s=1)})
    asked = warm_cache(
        target,
        strict.model_copy(update={"questions": Questions(pool_size=150, zipf_exponent=1, new_share=0.0)}),
        sessions,
        "w",
    )
    assert asked.settled is False
    assert asked.seconds < 30
