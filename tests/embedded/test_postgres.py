import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from include.embedded.postgres import (
    PostgresServer,
    ensure_database,
    running_postgres,
    start_postgres,
    stop_postgres,
)
from include.embedded.servers import ServerError, is_gone, wait_until

pytestmark = pytest.mark.integration

FAST = {"fsync": "off"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "nested" / "pg"
    yield directory
    server = running_postgres(directory)
    if server is not None:
        stop_postgres(server)


def _scalar(server: PostgresServer, statement: str, database: str = "postgres") -> object:
    connection = psycopg2.connect(server.url(database))
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone()
            assert row is not None
            return row[0]
    finally:
        connection.close()


def test_starts_on_a_private_socket_only_and_stops_without_a_trace(data_dir: Path) -> None:
    """A new cluster answers on its socket, opens no TCP port, and a stop leaves neither process nor socket."""
    server = start_postgres(data_dir, settings=FAST)
    assert server.port is None
    assert str(_scalar(server, "SHOW server_version")).startswith("18")
    assert _scalar(server, "SHOW listen_addresses") == ""
    assert server.socket_dir.stat().st_mode & 0o777 == 0o700
    stop_postgres(server)
    assert is_gone(server.pid)
    assert not server.socket_dir.exists()
    assert running_postgres(data_dir) is None
    stop_postgres(server)


def test_database_carries_statement_statistics(data_dir: Path) -> None:
    """A database is created once, and pg_stat_statements counts in it; settings of the caller are in force."""
    server = start_postgres(data_dir, settings={**FAST, "max_connections": "37"}, port=0)
    for _ in range(2):
        ensure_database(server, "it's a name")
    connection = psycopg2.connect(host="127.0.0.1", port=server.port, user="postgres", dbname="it's a name")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_statements")
        cursor.execute("SHOW max_connections")
        assert cursor.fetchone() == ("37",)
    connection.close()


def test_second_start_returns_the_running_server(data_dir: Path) -> None:
    """Starting a server that runs already gives back that server."""
    first = start_postgres(data_dir, settings=FAST)
    assert start_postgres(data_dir, settings=FAST) == first
    assert running_postgres(data_dir) == first


def test_restarts_after_a_kill_even_if_its_process_id_was_taken(data_dir: Path) -> None:
    """The lock file of a killed server, naming by now another program's process, does not prevent a restart."""
    server = start_postgres(data_dir, settings=FAST)
    ensure_database(server, "kept")
    os.kill(server.pid, signal.SIGKILL)
    assert wait_until(lambda: is_gone(server.pid), 10)
    lock = data_dir / "postmaster.pid"
    lock.write_text(lock.read_text().replace(str(server.pid), str(os.getpid()), 1))
    again = start_postgres(data_dir, settings=FAST)
    assert again.pid not in (server.pid, os.getpid())
    assert _scalar(again, "SELECT count(*) FROM pg_database WHERE datname = 'kept'") == 1
    assert not server.socket_dir.exists()


def test_outlives_the_process_that_started_it(data_dir: Path) -> None:
    """A server keeps answering after its starter has ended."""
    code = (
        "import sys; from pathlib import Path; from include.embedded.postgres import start_postgres\n"
        "start_postgres(Path(sys.argv[1]), settings={'fsync': 'off'})"
    )
    subprocess.run([sys.executable, "-c", code, str(data_dir)], check=True, timeout=120)
    server = running_postgres(data_dir)
    assert server is not None
    assert _scalar(server, "SELECT 1") == 1


def test_refuses_a_directory_with_other_files(data_dir: Path) -> None:
    """A directory that holds something else is neither overwritten nor taken for a cluster."""
    data_dir.mkdir(parents=True)
    (data_dir / "notes.txt").write_text("mine")
    with pytest.raises(ServerError, match="no PostgreSQL cluster"):
        start_postgres(data_dir)
    assert (data_dir / "notes.txt").read_text() == "mine"


def test_bad_setting_names_itself(data_dir: Path) -> None:
    """A setting that the server refuses is named in the error, and nothing keeps running."""
    with pytest.raises(ServerError, match="no_such_setting"):
        start_postgres(data_dir, settings={**FAST, "no_such_setting": "1"})
    assert running_postgres(data_dir) is None


def test_start_gets_through_a_directory_that_was_closed_meanwhile(data_dir: Path) -> None:
    """A directory above the cluster that is closed to others hinders neither a stop nor a new start."""
    server = start_postgres(data_dir, settings=FAST)
    data_dir.parent.chmod(0o700)
    stop_postgres(server)
    assert is_gone(server.pid)
    assert _scalar(start_postgres(data_dir, settings=FAST), "SELECT 1") == 1
