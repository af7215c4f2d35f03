import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import redis

from include.demo_target.cache_faults import NEIGHBOUR
from include.embedded.servers import wait_until
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration
Switch = Callable[..., httpx.Response]


@pytest.fixture
def server(demo: DemoTarget) -> Iterator[Any]:
    """The cache's server itself."""
    connection = redis.Redis.from_url(demo.redis_url)
    yield connection
    connection.close()


def test_busy_server_answers_late_and_logs_the_slow_command(server: Any, switch: Switch) -> None:
    """Look-ups wait for real commands that its slow log shows."""
    server.slowlog_reset()

    def slowest_s() -> float:
        begin_s, slowest_s = time.perf_counter(), 0.0
        while time.perf_counter() < begin_s + 2:
            asked_s = time.perf_counter()
            server.ping()
            slowest_s = max(slowest_s, time.perf_counter() - asked_s)
            time.sleep(0.01)
        return slowest_s

    switch(cache_busy_share=0.8)
    assert slowest_s() > 0.4
    longest = max(server.slowlog_get(10), key=lambda entry: entry["duration"])
    assert longest["duration"] > 500_000
    assert longest["command"].startswith(b"EVAL")


def test_neighbour_takes_the_room_and_goes_again(demo: DemoTarget, server: Any, switch: Switch) -> None:
    """An answer that is not asked for is thrown away soon; the end gives room back and leaves no key of it."""
    usual = server.config_get("maxmemory")
    server.set("answer:kept", "x" * 200)
    evicted = server.info("stats")["evicted_keys"]
    switch(cache_room_kb=64)
    assert wait_until(lambda: not server.exists("answer:kept"), 20)
    assert server.info("stats")["evicted_keys"] > evicted
    with demo.client() as client:
        client.delete("/admin/faults").raise_for_status()
    assert server.config_get("maxmemory") == usual
    assert not list(server.scan_iter(f"{NEIGHBOUR}*"))
