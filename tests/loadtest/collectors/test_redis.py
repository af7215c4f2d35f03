import socket
import time

import pytest
import redis

from include.embedded.valkey import ValkeyServer
from include.loadtest.collectors.reader import ReadingError, unit_of
from include.loadtest.collectors.redis import RedisReader

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


def test_a_server_that_never_answers_costs_the_timeout_only() -> None:
    """No retry takes the time of the next reading."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = RedisReader(f"redis://127.0.0.1:{listener.getsockname()[1]}", "cache", 0.3)
        started = time.monotonic()
        with pytest.raises(ReadingError):
            reader.read()
        assert time.monotonic() - started < 3
