import socket
import time

import psycopg2
import pytest

from include.embedded.postgres import PostgresServer
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.reader import ReadingError, unit_of

pytestmark = pytest.mark.integration


def test_figures_equal_the_servers_own(postgres: PostgresServer) -> None:
    """Connections by state without the reader's own, lock waits, limits, size, counters."""
    reader = PostgresReader(postgres.url(), "db", 5)
    base = reader.read()
    idle, busy, waiting = (psycopg2.connect(postgres.url()) for _ in range(3))
    idle.autocommit = True
    idle.cursor().execute("SELECT 1")
    busy.cursor().execute("SELECT pg_advisory_xact_lock(1)")
    waiter = PostgresReader(postgres.url(), "db", 60)
    waiter._connect(time.monotonic() + 5)
    waiter._connection.cursor().execute("SELECT pg_advisory_xact_lock(1)")
    waiter._connection.poll()
    time.sleep(0.2)
    values = reader.read()
    assert values["connections_total"] - base["connections_total"] == 4
    assert values["connections_active"] - base["connections_active"] == 1
    assert values["connections_idle_in_transaction"] - base["connections_idle_in_transaction"] == 1
    assert values["lock_waits"] == 1
    assert all(unit_of(metric) for metric in values)
    with idle.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int, pg_database_size('postgres')")
        assert cursor.fetchone() == (values["max_connections"], values["database_size_bytes"])
        cursor.execute(
            "SELECT pg_stat_force_next_flush(); SELECT xact_commit FROM pg_stat_database WHERE datname = 'postgres'"
        )
        commits = (cursor.fetchone() or (0,))[0]
    assert base["xact_commit"] <= values["xact_commit"] <= commits
    for connection in (waiter, idle, busy, waiting, reader):
        connection.close()


def test_a_role_that_may_not_see_states_gives_none(postgres: PostgresServer) -> None:
    """Unknown is absent, never 0; the number of all connections is still right."""
    admin = psycopg2.connect(postgres.url())
    with admin, admin.cursor() as cursor:
        cursor.execute("CREATE ROLE watcher LOGIN")
    reader = PostgresReader(postgres.url().replace("postgres@", "watcher@"), "db", 5)
    values = reader.read()
    assert values["connections_total"] >= 1
    assert "connections_active" not in values
    reader.close()
    admin.close()


def test_a_server_that_never_answers_costs_the_timeout_only() -> None:
    """The connection is accepted, then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = PostgresReader(f"postgresql://u:s3cret@127.0.0.1:{listener.getsockname()[1]}/d", "db", 0.3)
        started = time.monotonic()
        with pytest.raises(ReadingError, match=r"no answer within 0\.3 s"):
            reader.read()
        assert time.monotonic() - started < 3


def test_a_broken_connection_is_opened_anew(postgres: PostgresServer) -> None:
    """One reading fails, the next one works."""
    reader = PostgresReader(postgres.url(), "db", 5)
    reader.read()
    admin = psycopg2.connect(postgres.url())
    with admin, admin.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loadtest-collectors'"
        )
    with pytest.raises(ReadingError):
        reader.read()
    assert reader.read()["connections_total"] >= 1
    reader.close()
    admin.close()
