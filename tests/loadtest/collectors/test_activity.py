import threading
import time
from contextlib import closing

import psycopg2
import pytest

from include.embedded.postgres import PostgresServer
from include.loadtest.collectors.activity import WAIT_TYPES
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.reader import unit_of
from tests.loadtest.collectors.conftest import WatchedDatabase, await_true

pytestmark = pytest.mark.integration
COUNTERS = ("xact_commit", "xact_rollback", "deadlocks", "temp_files", "temp_bytes", "blks_hit", "blks_read")
LOCK = "SELECT pg_advisory_xact_lock(1)"


def test_sessions_and_limits_equal_the_servers_own(postgres: PostgresServer, database: WatchedDatabase) -> None:
    """By state, without the reader's own; what they wait for, and for how long; each metric has a unit."""
    with database.reading() as reader:
        base = reader.read()
        with closing(psycopg2.connect(postgres.url())) as idle, closing(psycopg2.connect(postgres.url())) as busy:
            idle.autocommit = True
            idle.cursor().execute("SELECT 1")
            busy.cursor().execute(LOCK)
            with closing(psycopg2.connect(postgres.url())) as waiter:
                thread = threading.Thread(target=lambda: waiter.cursor().execute(LOCK))
                thread.start()
                await_true(lambda: reader.read()["lock_waits"] == 1, "it waits")
                values = reader.read()
                busy.commit()
                thread.join(10)
        (own,) = database.sql("SELECT current_setting('max_connections')::int, pg_database_size(current_database())")
    gained = {metric: values[metric] - base[metric] for metric in base if metric in values}
    assert gained["connections_total"] == 3
    assert gained["connections_idle"] == gained["connections_active"] == gained["connections_idle_in_transaction"] == 1
    assert gained['waiting_backends{type="Lock"}'] == 1
    assert {metric for metric in values if metric.startswith("waiting_backends")} == {
        f'waiting_backends{{type="{kind}"}}' for kind in WAIT_TYPES
    }
    assert values["max_connections"] == own[0]
    assert values["database_size_bytes"] == pytest.approx(own[1], rel=0.01)
    assert values["autovacuum_workers"] >= 0
    assert all(unit_of(metric) for metric in values)


def test_ages_lie_between_the_servers_own_around_them(postgres: PostgresServer, database: WatchedDatabase) -> None:
    """The longest transaction, the longest wait and the longest idleness: none before, the server's own after."""
    ages = """
        SELECT extract(epoch FROM clock_timestamp() - min(xact_start))::float8,
            extract(epoch FROM clock_timestamp() - min(state_change) FILTER (WHERE state LIKE 'idle in %'))::float8,
            (SELECT extract(epoch FROM clock_timestamp() - min(waitstart))::float8 FROM pg_locks WHERE NOT granted)
        FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    metrics = ("longest_transaction_s", "idle_in_transaction_longest_s", "lock_wait_longest_s")
    with database.reading() as reader:
        base = reader.read()
        assert [base[metric] for metric in metrics] == [0, 0, 0]
        with closing(psycopg2.connect(postgres.url())) as busy, closing(psycopg2.connect(postgres.url())) as waiter:
            busy.cursor().execute(LOCK)
            time.sleep(0.1)
            thread = threading.Thread(target=lambda: waiter.cursor().execute(LOCK))
            thread.start()
            await_true(lambda: reader.read()["lock_wait_longest_s"] > 0.1, "it waits")
            (before,), values, (after,) = database.sql(ages), reader.read(), database.sql(ages)
            busy.commit()
            thread.join(10)
    for metric, low, high in zip(metrics, before, after, strict=True):
        assert low <= values[metric] <= high
    assert values["longest_transaction_s"] > values["idle_in_transaction_longest_s"] > 0.1


def test_counters_gain_what_the_server_says_they_gained(postgres: PostgresServer, database: WatchedDatabase) -> None:
    """Commits, rollbacks, deadlocks, temporary files, checkpoints of known work, between the same two instants."""
    name = database.admin_url.partition("@/")[2].partition("?")[0]
    observer = psycopg2.connect(postgres.url())  # in another database: its own work is not counted
    observer.autocommit = True

    def own() -> dict[str, float]:
        with observer.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(COUNTERS)} FROM pg_stat_database WHERE datname = '{name}'")
            values = dict(zip(COUNTERS, map(float, cursor.fetchone() or ()), strict=True))
            cursor.execute("SELECT num_timed, num_requested, write_time FROM pg_stat_checkpointer")
            names = ("checkpoints_timed", "checkpoints_requested", "checkpoint_write_ms")
            return values | dict(zip(names, map(float, cursor.fetchone() or ()), strict=True))

    with database.reading() as reader:

        def settled() -> tuple[dict[str, float], dict[str, float]]:
            """A reading, and the server's own figures that did not change while it was taken."""
            while True:
                before, values, after = own(), reader.read(), own()
                if before == after:
                    return {metric: values[metric] for metric in after}, after

        reader.read()
        read_before, own_before = settled()
        with closing(psycopg2.connect(database.admin_url)) as worker:
            for _ in range(20):
                worker.cursor().execute("SELECT 1")
                worker.commit()
            for _ in range(5):
                worker.cursor().execute("SELECT 1")
                worker.rollback()
            worker.cursor().execute("SET work_mem = '64kB'")
            worker.cursor().execute(
                "SELECT count(*) FROM (SELECT n FROM generate_series(1, 50000) n ORDER BY random()) s"
            )
            worker.commit()
        observer.cursor().execute("CHECKPOINT")
        _deadlock(database.admin_url)
        await_true(lambda: own()["deadlocks"] > own_before["deadlocks"], "the server counts the deadlock")
        read_after, own_after = settled()
    observer.close()
    gained = {metric: read_after[metric] - read_before[metric] for metric in read_after}
    assert gained == {metric: own_after[metric] - own_before[metric] for metric in own_after}
    assert gained["xact_commit"] >= 21
    assert gained["xact_rollback"] == 5 + 1
    assert (gained["deadlocks"], gained["checkpoints_requested"]) == (1, 1)
    assert gained["temp_files"] >= 1
    assert gained["temp_bytes"] > 100_000


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


def test_a_role_that_may_not_see_states_gives_none(postgres: PostgresServer, database: WatchedDatabase) -> None:
    """Unknown is absent, never 0; the number of all connections is still right."""
    database.sql("CREATE ROLE watcher LOGIN")
    reader = PostgresReader(database.admin_url.replace("postgres@", "watcher@"), "db", 5)
    with closing(psycopg2.connect(postgres.url())):
        values = reader.read()
    reader.close()
    assert values["connections_total"] >= 1
    hidden = (
        *("connections_active", "slow_queries_running", "longest_transaction_s", "autovacuum_workers"),
        *('waiting_backends{type="Lock"}', "idle_in_transaction_longest_s", "slow_queries"),
    )
    assert not set(hidden) & set(values)
    assert not [metric for metric in values if "queryid" in metric]
