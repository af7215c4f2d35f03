import threading
import time
from contextlib import closing

import psycopg2
import pytest

from include.loadtest.collectors import tables
from tests.loadtest.collectors.conftest import WatchedDatabase

pytestmark = pytest.mark.integration
OWN = """
    SELECT n_live_tup, n_dead_tup, seq_scan, seq_tup_read, pg_total_relation_size(relid)
    FROM pg_stat_user_tables WHERE relname = '{}'"""
FIGURES = ("rows", "dead_rows", "seq_scans", "seq_rows_read", "bytes")


def figures_of(values: dict[str, float], table: str) -> tuple[float | None, ...]:
    return tuple(values.get(f'table_{figure}{{table="public.{table}"}}') for figure in FIGURES)


def work(database: WatchedDatabase, *statements: str) -> None:
    """Run statements in one session and have it hand over what it counted."""
    with closing(psycopg2.connect(database.admin_url)) as connection:
        connection.autocommit = True
        for statement in (*statements, "SELECT pg_stat_force_next_flush()", "SELECT 1"):
            connection.cursor().execute(statement)


def test_a_tables_figures_equal_the_servers_own(database: WatchedDatabase) -> None:
    """Rows, dead rows, sequential scans and what they read, size with indexes, before and after known work."""
    work(
        database,
        'CREATE TABLE "odd ""name""" (id int PRIMARY KEY)',
        "CREATE TABLE acc (id int PRIMARY KEY, n int)",
        "INSERT INTO acc SELECT n, 0 FROM generate_series(1, 1000) n",
        """INSERT INTO "odd ""name\""" VALUES (1)""",
    )
    with database.reading() as reader:
        first, (own,) = reader.read(), database.sql(OWN.format("acc"))
        assert figures_of(first, "acc") == own
        assert r'table_rows{table="public.odd \"name\""}' in first
        work(database, "SELECT count(*) FROM acc WHERE n = 1", "DELETE FROM acc WHERE n = 0 AND id > 900")
        second, (now,) = reader.read(), database.sql(OWN.format("acc"))
    assert figures_of(second, "acc") == now
    assert [after - before for before, after in zip(own, now, strict=True)][:4] == [-100, 100, 1, 1000]
    assert r'table_rows{table="public.odd \"name\""}' not in second  # nobody used it since


def test_a_table_that_somebody_rewrites_stops_no_reading(database: WatchedDatabase) -> None:
    """Its size needs a lock that is taken: it is absent, all the rest is there, at once."""
    work(database, "CREATE TABLE locked (id int)", "CREATE TABLE free (id int)")
    work(database, "INSERT INTO locked VALUES (1)", "INSERT INTO free VALUES (1)")
    with database.reading() as reader, closing(psycopg2.connect(database.admin_url)) as holder:
        holder.cursor().execute("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE")
        started = time.monotonic()
        values = reader.read()
        assert time.monotonic() - started < 1
        holder.rollback()
        assert figures_of(values, "locked")[:2] == (1, 0)
        assert figures_of(values, "locked")[4] is None
        assert (figures_of(values, "free")[4] or 0) > 0


def test_an_index_that_somebody_rebuilds_stops_no_reading(database: WatchedDatabase) -> None:
    """The wait for its lock is short and costs the sizes only."""
    work(database, "CREATE TABLE acc (id int PRIMARY KEY)", "INSERT INTO acc VALUES (1)")
    with database.reading() as reader, closing(psycopg2.connect(database.admin_url)) as holder:
        holder.cursor().execute("REINDEX INDEX acc_pkey")
        started = time.monotonic()
        values = reader.read()
        assert time.monotonic() - started < 2
        holder.rollback()
        assert figures_of(values, "acc")[0] == 1
        assert figures_of(values, "acc")[4] is None
        work(database, "INSERT INTO acc VALUES (2)")
        assert (figures_of(reader.read(), "acc")[4] or 0) > 0


def test_the_busiest_tables_are_told(database: WatchedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their work since the first reading, not by what they had before."""
    monkeypatch.setattr(tables, "MAX_TABLES", 2)
    for number in range(4):
        work(database, f"CREATE TABLE t{number} (id int)")
        work(database, f"INSERT INTO t{number} SELECT generate_series(1, {1000 * (number + 1)})")
    with database.reading() as reader:
        first = reader.read()
        work(database, "INSERT INTO t0 SELECT generate_series(1, 9)", "INSERT INTO t1 SELECT generate_series(1, 5)")
        work(database, "INSERT INTO t2 VALUES (1)")
        second = reader.read()
    names = [{metric.split('"')[1] for metric in values if "table=" in metric} for values in (first, second)]
    assert names == [{"public.t3", "public.t2"}, {"public.t0", "public.t1"}]


def test_the_reader_is_in_nobodys_way(database: WatchedDatabase) -> None:
    """A table is altered again and again while it is read."""
    work(database, "CREATE TABLE acc (id int)", "INSERT INTO acc VALUES (1)")
    ended = threading.Event()

    def alter() -> None:
        with closing(psycopg2.connect(database.admin_url)) as connection:
            connection.autocommit = True
            connection.cursor().execute("SET lock_timeout = '2s'")
            for number in range(20):
                connection.cursor().execute(f"ALTER TABLE acc ADD COLUMN c{number} int")
        ended.set()

    thread = threading.Thread(target=alter)
    with database.reading() as reader:
        thread.start()
        while not ended.is_set() and thread.is_alive():
            reader.read()
        thread.join(10)
    assert ended.is_set()
