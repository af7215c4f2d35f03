import json
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from include.embedded.postgres import PostgresServer, start_postgres, stop_postgres
from include.embedded.valkey import ValkeyServer, start_valkey, stop_valkey
from tests.helpers.demo import DemoTarget, demo_target


@dataclass(frozen=True)
class Watched:
    """A target as the collectors see it."""

    database_url: str | None = None
    redis_url: str | None = None
    shares_host: bool = True
    base_url: str | None = None

    def url(self, path: str) -> str:
        """Address of an API path."""
        return f"{self.base_url}/api/v1{path}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of this folder."""
    server = start_postgres(tmp_path_factory.mktemp("pg") / "data", settings={"fsync": "off"})
    yield server
    stop_postgres(server)


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One Valkey for all tests of this folder."""
    server = start_valkey(tmp_path_factory.mktemp("valkey"))
    yield server
    stop_valkey(server)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTarget]:
    """One real demo target for all tests of this folder."""
    with demo_target(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest.fixture
def blackhole() -> Iterator[str]:
    """`host:port` of a server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def rows_of(directory: Path, source: str) -> list[dict[str, Any]]:
    """All readings of a source, by time."""
    parts = sorted(directory.glob(f"{source}-*.parquet"))
    return sorted((row for part in parts for row in pq.read_table(part).to_pylist()), key=lambda row: row["ts"])


def gaps_of(directory: Path) -> list[dict[str, Any]]:
    """All gaps that were noted."""
    return [gap for file in directory.glob("gaps-*.json") for gap in json.loads(file.read_text())]


def await_true(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    """Wait until a condition holds; fails with its name."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {timeout_s:g} s: {what}"
        time.sleep(0.05)
