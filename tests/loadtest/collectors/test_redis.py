import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from include.embedded.valkey import ValkeyServer, start_valkey, stop_valkey
from include.loadtest.collectors.reader import ReadingError, unit_of
from include.loadtest.collectors.redis import FIELDS, Pings, RedisReader
from tests.loadtest.collectors.conftest import await_true

pytestmark = pytest.mark.integration


def test_figures_equal_the_servers_own(valkey: ValkeyServer) -> None:
    """Hits and misses grow by what was asked; each metric has a unit."""
    reader, client = RedisReader(valkey.url, "cache", 5), redis.Redis.from_url(valkey.url)
    before = reader.read()
    client.set("a", 1)
    for key in ("a", "a", "b"):
        client.get(key)
    after = reader.read()
    assert after["keyspace_hits"] - before["keyspace_hits"] == 2
    assert after["keyspace_misses"] - before["keyspace_misses"] == 1
    info = client.info()
    assert after["connected_clients"] == info["connected_clients"]
    assert after["used_memory_bytes"] == pytest.approx(info["used_memory"], rel=0.2)
    assert (after["keys"], after["blocked_clients"]) == (client.dbsize(), info["blocked_clients"])
    assert after["memory_fragmentation_ratio"] > 0
    assert "memory_limit_bytes" not in after  # there is none
    assert all(unit_of(metric) for metric in after)
    client.close()
    reader.close()


def test_counters_gain_what_the_server_says_they_gained(valkey: ValkeyServer) -> None:
    """A known amount of work between two instants: the reader's differences are the server's own."""
    reader, client = RedisReader(valkey.url, "cache", 5), redis.Redis.from_url(valkey.url)
    reader.read()
    client.ping()  # both are connected now, so that no command of a connection falls between the instants
    read_before, own_before = reader.read(), client.info()
    for number in range(50):
        client.set(f"counted-{number}", 1)
    for number in range(80):
        client.get(f"counted-{number}")
    for number in range(7):
        client.set(f"short-{number}", 1, px=1)
    await_true(lambda: client.info()["expired_keys"] >= own_before["expired_keys"] + 7, "seven keys expire")
    read_after, own_after = reader.read(), client.info()
    gained = {metric: read_after[metric] - read_before[metric] for metric in read_after}
    own = {field: own_after[field] - own_before[field] for field in FIELDS}
    counters = ("keyspace_hits", "keyspace_misses", "total_commands_processed", "expired_keys", "evicted_keys")
    assert {FIELDS[field]: gained[FIELDS[field]] for field in counters} == {FIELDS[f]: own[f] for f in counters}
    assert (gained["keyspace_hits"], gained["keyspace_misses"], gained["expired_keys"]) == (50, 30, 7)
    assert gained["commands_processed"] >= 137
    client.close()
    reader.close()


def test_a_server_that_never_answers_costs_the_timeout_only() -> None:
    """No retry takes the time of the next reading."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = RedisReader(f"redis://127.0.0.1:{listener.getsockname()[1]}", "cache", 0.3)
        started = time.monotonic()
        with pytest.raises(ReadingError):
            reader.read()
        assert time.monotonic() - started < 3


def fails(work: Callable[[], object], error: type[Exception]) -> bool:
    try:
        work()
    except error:
        return True
    return False


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ValkeyServer]:
    """A server whose settings and users a test changes."""
    server = start_valkey(tmp_path, settings={"enable-debug-command": "local"})
    yield server
    stop_valkey(server)


def test_limit_evictions_flushes_and_keys_are_the_servers_own(own_server: ValkeyServer) -> None:
    """Keys of all databases; flushes of both kinds; keys that had to go for others."""
    reader, client = RedisReader(own_server.url, "cache", 5), redis.Redis.from_url(own_server.url)
    other = redis.Redis.from_url(own_server.url.replace("/0", "/3"))
    client.set("a", 1)
    other.mset({"b": 1, "c": 2})
    before = reader.read()
    assert before["keys"] == 3
    other.flushdb()
    client.flushall()
    limit = int(before["used_memory_bytes"]) + 500_000
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", limit)
    for number in range(100):
        client.set(f"filler:{number}", "x" * 20_000)
    after, own = reader.read(), client.info()
    assert after["flush_commands"] - before["flush_commands"] == 2
    assert after["memory_limit_bytes"] == limit
    assert after["evicted_keys"] - before["evicted_keys"] == own["evicted_keys"] > 0
    assert after["keys"] == client.dbsize()
    for connection in (client, other, reader):
        connection.close()


def test_a_ping_is_measured_by_itself(own_server: ValkeyServer) -> None:
    """It takes as long as the server is busy with others; what the reader itself asks for is no part of it."""
    reader, client = RedisReader(own_server.url, "cache", 5), redis.Redis.from_url(own_server.url)
    calm = [reader.read()["ping_ms"] for _ in range(5)]
    assert 0 < min(calm) < 50
    client.config_set("slowlog-log-slower-than", 100_000)
    before = reader.read()
    thread = threading.Thread(target=lambda: client.execute_command("DEBUG", "SLEEP", "1.0"))
    thread.start()
    impatient = redis.Redis.from_url(own_server.url, socket_timeout=0.02, retry=Retry(NoBackoff(), 0))
    await_true(lambda: fails(impatient.ping, redis.TimeoutError), "the server is busy")
    values = reader.read()
    thread.join(10)
    assert values["ping_ms"] > 10 * min(calm)
    assert values["ping_ms"] > 100
    assert values["slow_commands"] - before["slow_commands"] == 1
    (seen,) = reader.observations()
    assert (seen["kind"], seen["command"]) == ("slow_command", "DEBUG")
    assert seen["duration_ms"] >= 1000
    assert reader.observations() == []
    for connection in (client, impatient, reader):
        connection.close()


def test_a_server_that_stands_still_between_two_readings_is_caught(own_server: ValkeyServer) -> None:
    """PINGs are due all over a reading: the first one finds a free server, the longest has waited for a pause."""
    reader, client = RedisReader(own_server.url, "cache", 5, 0.2), redis.Redis.from_url(own_server.url)
    calm = reader.read()
    assert calm["ping_mean_ms"] <= calm["ping_ms"]
    begun_s, pause = time.monotonic(), threading.Timer(0.3, lambda: client.execute_command("CLIENT", "PAUSE", 700))
    pause.start()
    values = reader.read()
    assert time.monotonic() - begun_s < 5
    pause.join(10)
    assert values["ping_ms"] >= 400
    assert values["ping_mean_ms"] >= 80 + calm["ping_mean_ms"] / 5
    assert "keys" in values
    client.close()
    reader.close()


def test_pings_that_are_due_while_one_waits_have_waited_as_well() -> None:
    """Each from its own moment, so that their mean is what anybody's command would have waited for."""

    class Blocked:
        def __init__(self) -> None:
            self.until_s = time.perf_counter() + 0.5

        def ping(self) -> None:
            time.sleep(max(0.0, self.until_s - time.perf_counter()))

    values = Pings(Blocked(), 0.1).finish()  # type: ignore[arg-type]
    assert values["ping_ms"] >= 490
    assert values["ping_mean_ms"] >= 290


def test_what_a_user_may_not_ask_for_is_absent(own_server: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    """As in a managed service: named once, and the rest is read."""
    caplog.set_level("INFO")
    client = redis.Redis.from_url(own_server.url)
    client.acl_setuser("reader", enabled=True, passwords=["+s3cret"], commands=["+ping", "+info"])
    reader = RedisReader(own_server.url.replace("redis://", "redis://reader:s3cret@"), "cache", 5)
    for _ in range(2):
        values = reader.read()
    assert {"ping_ms", "used_memory_bytes", "flush_commands"} <= set(values)
    assert "slow_commands" not in values
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("redis: slow commands (SLOWLOG) are not read: ")
    client.close()
    reader.close()


def test_a_server_that_is_busy_is_asked_again(own_server: ValkeyServer, caplog: pytest.LogCaptureFixture) -> None:
    """A script that runs for too long costs its readings, and nothing is left out afterwards."""
    caplog.set_level("INFO")
    reader, client = RedisReader(own_server.url, "cache", 5), redis.Redis.from_url(own_server.url)
    reader.read()
    client.config_set("busy-reply-threshold", 50)
    stuck = redis.Redis.from_url(own_server.url)

    def run_until_killed() -> None:
        with pytest.raises(redis.ResponseError):
            stuck.eval("while true do end", 0)

    thread = threading.Thread(target=run_until_killed)
    thread.start()
    await_true(lambda: fails(client.ping, redis.ResponseError), "the server says that it is busy")
    with pytest.raises(ReadingError, match="BUSY"):
        reader.read()
    client.script_kill()
    thread.join(10)
    assert "slow_commands" in reader.read()
    assert caplog.records == []
    for connection in (client, stuck, reader):
        connection.close()


def test_a_server_that_restarts_costs_one_reading(tmp_path: Path) -> None:
    """The next one is of the new process, whose counters begin anew."""
    server = start_valkey(tmp_path)
    reader, port = RedisReader(server.url, "cache", 2), server.port
    try:
        client = redis.Redis.from_url(server.url)
        client.get("a")
        client.close()
        before = reader.read()
        stop_valkey(server)
        with pytest.raises(ReadingError):
            reader.read()
        server = start_valkey(tmp_path, port=port)
        assert (before["keyspace_misses"], reader.read()["keyspace_misses"]) == (1, 0)
    finally:
        reader.close()
        stop_valkey(server)
