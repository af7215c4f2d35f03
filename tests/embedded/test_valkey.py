import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from include.embedded.servers import ServerError, is_gone, wait_until
from include.embedded.valkey import running_valkey, start_valkey, stop_valkey

pytestmark = pytest.mark.integration


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "nested" / "valkey"
    yield directory
    server = running_valkey(directory)
    if server is not None:
        stop_valkey(server)


def test_answers_on_loopback_only_and_stops_without_a_trace(data_dir: Path) -> None:
    """redis-py speaks to a started server; it listens on 127.0.0.1 and nowhere else; a stop leaves no process."""
    server = start_valkey(data_dir, settings={"maxmemory": "64mb"})
    client = redis.Redis.from_url(server.url)
    client.set("k", "v")
    assert client.get("k") == b"v"
    assert client.config_get("maxmemory") == {"maxmemory": str(64 * 1024 * 1024)}
    client.close()
    listening = {c.laddr.ip for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}
    stop_valkey(server)
    assert is_gone(server.pid)
    assert running_valkey(data_dir) is None
    stop_valkey(server)


def test_second_start_returns_the_running_server_and_a_killed_one_is_replaced(data_dir: Path) -> None:
    """A running server is found again; after a kill a new one starts in the same directory."""
    first = start_valkey(data_dir)
    assert start_valkey(data_dir) == first
    os.kill(first.pid, signal.SIGKILL)
    assert wait_until(lambda: is_gone(first.pid), 10)
    assert start_valkey(data_dir).pid != first.pid


def test_bad_directive_names_itself(data_dir: Path) -> None:
    """A directive that the server refuses is named in the error."""
    with pytest.raises(ServerError, match="no-such-directive"):
        start_valkey(data_dir, settings={"no-such-directive": "1"})
