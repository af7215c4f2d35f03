import json
import socket
from collections.abc import Iterator

import pytest

from include.embedded.servers import free_port
from include.loadtest.errors import ConfigError, InfrastructureError, InvalidTestError
from include.loadtest.target import preflight
from include.loadtest.target.preflight import check_target
from include.loadtest.target.settings import Target, load_target_file
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration


def _with(target: Target, **changes: object) -> Target:
    return Target.checked(
        target.file.model_copy(update={key: changes.pop(key) for key in ("forwarded_for",) if key in changes}),
        str(changes.get("base_url", target.base_url)),
        changes.get("database_url", target.database_url),  # type: ignore[arg-type]
        changes.get("redis_url", target.redis_url),  # type: ignore[arg-type]
    )


def test_the_round_trip_takes_the_first_address_that_answers() -> None:
    """A name may have one on which nothing listens; where none does, the last one's error is raised."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        preflight._connect(("127.0.0.3", "127.0.0.1"), port)
        server.accept()[0].close()
    with pytest.raises(ConnectionRefusedError):
        preflight._connect(("127.0.0.3", "127.0.0.1"), port)


def _fault(demo: DemoTarget, **faults: object) -> None:
    with demo.client() as client:
        client.put("/admin/faults", json=faults).raise_for_status()


def test_a_good_target_gives_its_facts(demo: DemoTarget, target: Target) -> None:
    """Everything that the manifest's environment needs, as JSON; nothing is changed on the target."""
    facts = check_target(target, "smoke-1")
    document = json.loads(json.dumps(facts.document()))
    assert document["app_version"] == "1.0.0"
    assert document["process_start"].startswith("20")
    assert document["postgres"]["max_connections"] == demo.sql("SHOW max_connections")[0][0]
    assert document["row_counts"]["user"] == demo.sql('SELECT count(*) FROM "user"')[0][0]
    assert document["redis"]["maxmemory"] == str(128 * 1024 * 1024)
    assert document["migration_head"] is None
    assert document["generator_host"]["memory_bytes"] > 0
    assert document["generator_host"]["open_files_soft"]
    assert document["generator_host"]["usable_cores"] > 0
    assert document["database_bytes"] == demo.sql("SELECT pg_database_size(current_database())")[0][0]
    assert document["redis_used_memory_bytes"] > 100_000
    assert 0 < document["round_trip_ms"] < 1000
    assert document["notes"] == []


def test_a_target_that_is_down_is_unreachable(target: Target) -> None:
    """One line: address, what happened, what to do."""
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(
        InvalidTestError, match=rf"{url}/health: .*refused.*; start the target or correct connection"
    ) as e:
        check_target(_with(target, base_url=url), "smoke-1")
    assert e.value.code == "target_unreachable"


@pytest.fixture
def blackhole() -> Iterator[str]:
    """An address that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def test_a_target_that_hangs_is_unreachable(target: Target, blackhole: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait is bounded."""
    monkeypatch.setattr(preflight, "HEALTH_TIMEOUT_S", 0.5)
    with pytest.raises(InvalidTestError, match=r"no answer within 0\.5 s") as caught:
        check_target(_with(target, base_url=f"http://{blackhole}"), "smoke-1")
    assert caught.value.code == "target_unreachable"


@pytest.mark.usefixtures("no_faults")
def test_a_limiter_of_one_address_invalidates_the_test(demo: DemoTarget, target: Target) -> None:
    """The limiter's words and the repair are named; with an address for each user the target is fine."""
    _fault(demo, rate_limits=True)
    with pytest.raises(
        InvalidTestError, match=r"Rate limit exceeded: 20 per 1 minute.*RATELIMIT_ENABLED=false"
    ) as caught:
        check_target(target, "smoke-1")
    assert caught.value.code == "rate_limiter"
    assert check_target(_with(target, forwarded_for=True), "smoke-1").app_version == "1.0.0"


def test_missing_or_wrong_servers_are_named(target: Target) -> None:
    """No database address, a Redis that is down, no Redis at all."""
    with pytest.raises(ConfigError, match=r"no database address, needed to seed.*loadtest_target_db__demo"):
        check_target(Target.checked(load_target_file("demo"), target.base_url), "smoke-1")
    with pytest.raises(InfrastructureError, match=r"Redis redis://127\.0\.0\.1"):
        check_target(_with(target, redis_url=f"redis://127.0.0.1:{free_port()}/0"), "smoke-1")
    facts = check_target(_with(target, redis_url=None), "smoke-1")
    assert facts.redis is None
    assert [note for note in facts.lines() if "Redis: not configured" in note]
