import socket
import time
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from include.embedded.monitor_role import create_monitor_role
from include.embedded.postgres import PostgresServer, ensure_database, start_postgres, stop_postgres
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.loadtest.collectors.conftest import WatchedDatabase

pytestmark = pytest.mark.integration


def test_a_role_with_pg_monitor_only_sees_everything(
    database: WatchedDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """The same metrics as a superuser, each with a unit, and nothing to tell in the log."""
    caplog.set_level("INFO")
    database.sql("CREATE TABLE acc (id int); INSERT INTO acc VALUES (1); SELECT pg_stat_force_next_flush()")
    as_admin = PostgresReader(database.admin_url, "db", 5)
    with database.reading() as reader:
        reader.read(), as_admin.read()
        metrics = [
            {metric for metric in values if "{" not in metric or "waiting" in metric}
            for values in (reader.read(), as_admin.read())
        ]
    as_admin.close()
    assert metrics[0] == metrics[1]
    assert {"slow_queries", "autovacuum_workers", "longest_transaction_s", "checkpoints_timed"} <= metrics[0]
    assert all(unit_of(metric) for metric in metrics[0])
    assert caplog.records == []


def test_without_the_extension_its_figures_are_absent(
    postgres: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Named once in the log; the same where a role may not read it. The other figures are there."""
    caplog.set_level("INFO")
    with closing(psycopg2.connect(postgres.url())) as admin:
        admin.autocommit = True
        for statement in ("CREATE DATABASE plain", "CREATE DATABASE closed", "CREATE ROLE outsider LOGIN"):
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


def test_a_server_that_never_answers_costs_the_timeout_only() -> None:
    """The connection is accepted, then nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reader = PostgresReader(f"postgresql://u:s3cret@127.0.0.1:{listener.getsockname()[1]}/d", "db", 0.3)
        started = time.monotonic()
        with pytest.raises(ReadingError, match=r"no answer within 0\.3 s"):
            reader.read()
        assert time.monotonic() - started < 3


def test_a_broken_connection_is_opened_anew(database: WatchedDatabase) -> None:
    """One reading fails, the next one works."""
    with database.reading() as reader:
        reader.read()
        database.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'loadtest-collectors'"
        )
        with pytest.raises(ReadingError):
            reader.read()
        assert "connections_total" in reader.read()


def test_a_restart_of_the_server_costs_one_reading(tmp_path: Path) -> None:
    """The counters of the new server are its own, and slow statements go on from where they were."""
    server = start_postgres(tmp_path / "data", settings={"fsync": "off"})
    try:
        ensure_database(server, "app")
        reader = PostgresReader(create_monitor_role(server.url("app")), "db", 5)
        with closing(psycopg2.connect(server.url("app"))) as connection:
            reader.read()
            connection.cursor().execute("SELECT pg_sleep(1.1)")
        before = reader.read()
        socket_dir = server.socket_dir
        stop_postgres(server)
        with pytest.raises(ReadingError):
            reader.read()
        reader.close()
        server = start_postgres(tmp_path / "data", settings={"fsync": "off"})
        socket_dir.symlink_to(server.socket_dir)
        after = reader.read()
        assert (before["slow_queries"], after["slow_queries"]) == (1, 1)
        assert after["connections_total"] == 0
        reader.close()
        socket_dir.unlink()
    finally:
        stop_postgres(server)
