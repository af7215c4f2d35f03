import socket
import threading
import time
from contextlib import closing

import psycopg2
import pytest

from include.embedded.postgres import PostgresServer, ensure_database
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.loadtest.collectors.conftest import await_true

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


def test_counters_gain_what_the_server_says_they_gained(postgres: PostgresServer) -> None:
    """Commits, rollbacks, deadlocks and temporary files of a known amount of work, between the same two instants."""
    ensure_database(postgres, "counted")
    counters = ("xact_commit", "xact_rollback", "deadlocks", "temp_files", "temp_bytes", "blks_hit", "blks_read")
    observer = psycopg2.connect(postgres.url())  # in another database: its own work is not counted
    observer.autocommit = True

    def own() -> dict[str, float]:
        with observer.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(counters)} FROM pg_stat_database WHERE datname = 'counted'")
            return dict(zip(counters, map(float, cursor.fetchone() or ()), strict=True))

    reader = PostgresReader(postgres.url("counted"), "db", 10)

    def settled() -> tuple[dict[str, float], dict[str, float]]:
        """A reading, and the server's own figures that did not change while it was taken."""
        while True:
            before, values, after = own(), reader.read(), own()
            if before == after:
                return {name: values[name] for name in counters}, after

    reader.read()
    read_before, own_before = settled()
    with closing(psycopg2.connect(postgres.url("counted"))) as worker:
        for _ in range(20):
            worker.cursor().execute("SELECT 1")
            worker.commit()
        for _ in range(5):
            worker.cursor().execute("SELECT 1")
            worker.rollback()
        worker.cursor().execute("SET work_mem = '64kB'")
        worker.cursor().execute("SELECT count(*) FROM (SELECT n FROM generate_series(1, 50000) n ORDER BY random()) s")
        worker.commit()
    _deadlock(postgres.url("counted"))
    await_true(lambda: own()["deadlocks"] > own_before["deadlocks"], "the server counts the deadlock")
    read_after, own_after = settled()
    gained = {name: read_after[name] - read_before[name] for name in counters}
    assert gained == {name: own_after[name] - own_before[name] for name in counters}
    assert gained["xact_commit"] >= 21
    assert gained["xact_rollback"] == 5 + 1
    assert gained["deadlocks"] == 1
    assert gained["temp_files"] >= 1
    assert gained["temp_bytes"] > 100_000
    observer.close()
    reader.close()


def _deadlock(url: str) -> None:
    """Two sessions wait for each other; the server ends the wait of one."""
    with closing(psycopg2.connect(url)) as first, closing(psycopg2.connect(url)) as second:
        first.cursor().execute("SELECT pg_advisory_xact_lock(1)")
        second.cursor().execute("SELECT pg_advisory_xact_lock(2)")
        errors: list[psycopg2.Error] = []

        def wait(connection: psycopg2.extensions.connection, key: int) -> None:
            try:
                connection.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (key,))
                connection.commit()
            except psycopg2.Error as error:
                errors.append(error)
                connection.rollback()

        thread = threading.Thread(target=wait, args=(first, 2))
        thread.start()
        wait(second, 1)
        thread.join(30)
        assert [type(error) for error in errors] == [psycopg2.errors.DeadlockDetected]


def test_slow_queries_are_those_that_run_for_more_than_a_second(postgres: PostgresServer) -> None:
    """While one runs it is counted; once it has ended, its statement has a slow mean."""
    ensure_database(postgres, "slow")
    reader = PostgresReader(postgres.url("slow"), "db", 10)
    before = reader.read()
    assert (before["slow_queries_running"], before["slow_statements"]) == (0, 0)
    with closing(psycopg2.connect(postgres.url("slow"))) as connection:
        thread = threading.Thread(target=lambda: connection.cursor().execute("SELECT pg_sleep(2.5)"))
        thread.start()
        await_true(lambda: reader.read()["slow_queries_running"] == 1, "the query is slow", 10)
        thread.join(10)
    after = reader.read()
    assert (after["slow_queries_running"], after["slow_statements"]) == (0, 1)
    assert after["statement_calls"] > before["statement_calls"]
    assert after["statement_exec_ms"] - before["statement_exec_ms"] > 2000
    assert all(unit_of(metric) for metric in after)
    reader.close()


def test_without_the_extension_its_figures_are_absent(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Named once in the log; the same where a role may not read it. The other figures are there."""
    caplog.set_level("INFO")
    with closing(psycopg2.connect(postgres.url())) as admin:
        admin.autocommit = True
        for statement in (
            "CREATE DATABASE plain",
            "CREATE DATABASE closed",
            "CREATE ROLE outsider LOGIN",
        ):
            admin.cursor().execute(statement)
    with closing(psycopg2.connect(postgres.url("closed"))) as admin, admin, admin.cursor() as cursor:
        cursor.execute('CREATE SCHEMA "odd % name"; CREATE EXTENSION pg_stat_statements SCHEMA "odd % name"')
    for url, reason in (
        (postgres.url("plain"), "is not there"),
        (postgres.url("closed").replace("postgres@", "outsider@"), "permission denied for schema odd"),
    ):
        caplog.clear()
        reader = PostgresReader(url, "db", 5)
        for _ in range(2):
            values = reader.read()
            assert values["connections_total"] >= 0
            assert "slow_statements" not in values
        assert [reason in record.getMessage() for record in caplog.records] == [True]
        reader.close()
    reader = PostgresReader(postgres.url("closed"), "db", 5)
    assert "slow_statements" in reader.read()
    reader.close()


def test_a_role_that_may_not_see_states_gives_none(postgres: PostgresServer) -> None:
    """Unknown is absent, never 0; the number of all connections is still right."""
    admin = psycopg2.connect(postgres.url())
    with admin, admin.cursor() as cursor:
        cursor.execute("CREATE ROLE watcher LOGIN")
    reader = PostgresReader(postgres.url().replace("postgres@", "watcher@"), "db", 5)
    values = reader.read()
    assert values["connections_total"] >= 1
    assert "connections_active" not in values
    assert "slow_queries_running" not in values
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
