import socket
import time

import pytest
import redis

from include.embedded.valkey import ValkeyServer
from include.loadtest.collectors.reader import ReadingError, unit_of
from include.loadtest.collectors.redis import FIELDS, RedisReader
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
