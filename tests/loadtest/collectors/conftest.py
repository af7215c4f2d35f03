import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pyarrow.parquet as pq
import pytest

from include.embedded.monitor_role import create_monitor_role
from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.embedded.valkey import ValkeyServer, start_valkey, stop_valkey
from include.loadtest.collectors import sockets
from include.loadtest.collectors.postgres import PostgresReader
from tests.helpers.demo import DemoTarget, demo_target
from tests.helpers.forking_server import ForkingServer


@dataclass(frozen=True)
class Watched:
    """A target as the collectors see it."""

    database_url: str | None = None
    redis_url: str | None = None
    shares_host: bool = True
    base_url: str | None = None
    addresses: tuple[str, ...] = ()
    llm_metrics_url: str | None = None
    prometheus_url: str | None = None
    prometheus_queries: Mapping[str, str] = field(default_factory=dict)
    log_file: str | None = None
    monitor_url: str | None = None

    def url(self, path: str) -> str:
        """Address of an API path."""
        return f"{self.base_url}/api/v1{path}"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One PostgreSQL for all tests of this folder."""
    server = start_postgres(tmp_path_factory.mktemp("pg") / "data", settings={"fsync": "off"})
    yield server
    stop_postgres(server)


@dataclass(frozen=True)
class WatchedDatabase:
    """A database of its own for a test, and what the server itself says."""

    admin_url: str
    monitor_url: str = field(repr=False)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run statements as the superuser, in a session that ends with them; the last one's rows."""
        with closing(psycopg2.connect(self.admin_url)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    @contextmanager
    def reading(self, timeout_s: float = 10) -> Iterator[PostgresReader]:
        """A reader by the role that has pg_monitor only."""
        reader = PostgresReader(self.monitor_url, "db", timeout_s)
        try:
            yield reader
        finally:
            reader.close()


@pytest.fixture
def database(postgres: PostgresServer, request: pytest.FixtureRequest) -> WatchedDatabase:
    """A database that only this test uses, with pg_stat_statements."""
    name = f"of_{zlib.crc32(request.node.nodeid.encode())}"
    ensure_database(postgres, name)
    return WatchedDatabase(postgres.url(name), create_monitor_role(postgres.url(name)))


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


def ok_answer(body: bytes) -> bytes:
    """A whole answer with status 200."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def serving(
    answer: Callable[[socket.socket, str], None], note: Callable[[str], object] = lambda _request: None
) -> Iterator[str]:
    """A server whose every connection is answered, after `note(request)`, by `answer(connection, path)`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(connection: socket.socket) -> None:
        with connection:
            request = connection.recv(65536).decode()
            note(request)
            try:
                answer(connection, request.split(" ")[1])
            except OSError:
                return  # the reader went away

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


@pytest.fixture(autouse=True)
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found a moment ago is not kept: servers come and go faster here than readings do."""
    monkeypatch.setattr(sockets, "MOMENT_S", -1.0)


@pytest.fixture
def forking_server() -> Iterator[Callable[..., ForkingServer]]:
    """Starts servers that end with the test."""
    started: list[ForkingServer] = []

    def start(*arguments: Any) -> ForkingServer:
        started.append(ForkingServer(*arguments))
        return started[-1]

    yield start
    for server in started:
        server.stop()


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
