import threading
from contextlib import closing

import psycopg2
import pytest

from include.loadtest.collectors import statements
from include.loadtest.collectors.postgres_session import MARKER
from include.loadtest.collectors.statements import MAX_STATEMENTS, Totals, slow_calls
from tests.loadtest.collectors.conftest import WatchedDatabase, await_true

pytestmark = pytest.mark.integration
FIGURES = ("calls", "exec_ms", "rows", "blks_hit", "blks_read")
OWN_FIGURES = f"""
    SELECT queryid::text, calls::float8, total_exec_time, rows::float8, shared_blks_hit::float8,
        shared_blks_read::float8
    FROM pg_stat_statements
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND query NOT LIKE '%{MARKER}%' AND query NOT LIKE '%pg_stat_statements%'"""


def by_statement(values: dict[str, float]) -> dict[str, tuple[float, ...]]:
    """Figures of each statement of a reading, by its id."""
    ids = {metric.split('"')[1] for metric in values if "queryid" in metric}
    return {
        queryid: tuple(values[f'statement_{figure}{{queryid="{queryid}"}}'] for figure in FIGURES) for queryid in ids
    }


def own_of(database: WatchedDatabase) -> dict[str, tuple[float, ...]]:
    return {str(queryid): tuple(figures) for queryid, *figures in database.sql(OWN_FIGURES)}


def test_each_statements_counters_equal_the_servers_own(database: WatchedDatabase) -> None:
    """At two instants, so their differences do as well; the collectors' own statements are none of them."""
    database.sql("CREATE TABLE acc (id int PRIMARY KEY, n int)")
    database.sql("INSERT INTO acc SELECT n, 0 FROM generate_series(1, 100) n")
    with database.reading() as reader:
        first = reader.read()
        assert reader.observations() == []
        before = own_of(database)
        known = by_statement(first)
        assert {queryid: figures for queryid, figures in known.items() if queryid in before} == before
        with closing(psycopg2.connect(database.admin_url)) as worker:
            worker.autocommit = True
            for number in range(7):
                worker.cursor().execute("UPDATE acc SET n = n + 1 WHERE id <= %s", (number,))
        second, after = reader.read(), own_of(database)
        texts = {one["text"]: one["queryid"] for one in reader.observations() if one["kind"] == "statement"}
        changed = by_statement(second)
        update = texts["UPDATE acc SET n = n + $1 WHERE id <= $2"]
        assert changed[update] == after[update]
        assert changed[update][:3:2] == (7, 0 + 1 + 2 + 3 + 4 + 5 + 6)
        assert not [text for text in texts if "loadtest-collectors" in text]
        for _ in range(3):
            third = reader.read()
        assert not set(by_statement(third)) - set(after)
        assert third["statement_calls"] >= second["statement_calls"]
        assert not [one for one in reader.observations() if one.get("queryid") == update]


def test_a_long_statement_is_cut_by_the_server(database: WatchedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Megabytes of text stay there; who wrote it is known all the same, though the mark stands at its end."""
    monkeypatch.setattr(statements, "LONGEST_STATEMENT", 60)
    read: list[str] = []
    monkeypatch.setattr(statements, "without_values", lambda text: read.append(text) or text)
    columns = ", ".join(f"n AS column_{number}" for number in range(400))
    with database.reading() as reader:
        reader.read()
        database.sql(f"SELECT {columns} FROM generate_series(1, 2) n")
        database.sql(f"SELECT {columns}, n * n FROM generate_series(1, 2) n {MARKER}")
        values = reader.read()
        texts = [str(one["text"]) for one in reader.observations() if one["kind"] == "statement"]
    assert [text for text in texts if "column_1" in text] == [f"SELECT {columns}"[:60]]
    assert max(map(len, read)) == 60
    assert by_statement(values)


def test_what_is_remembered_is_bounded(database: WatchedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counters of those that the server still knows, and so many texts; a text may come twice for it."""
    monkeypatch.setattr(statements, "MAX_KNOWN_TEXTS", 3)
    with database.reading() as reader:
        reader.read()
        for number in range(2, 10):
            database.sql(f"SELECT {' + '.join(['n'] * number)} FROM generate_series(1, 2) n")
        reader.read()
        part = reader._statements
        assert len(part._texts) == 3
        told = set(part._told)
        database.sql("SELECT pg_stat_statements_reset()")
        reader.read()
        assert len(set(part._told) & told) <= 3


def test_an_idle_database_has_no_statements_of_the_collectors(database: WatchedDatabase) -> None:
    """Readings by themselves add nothing, from the first one on."""
    with database.reading() as reader:
        calls = [reader.read()["statement_calls"] for _ in range(4)]
    assert len(set(calls)) == 1


def test_forgotten_statements_count_anew(database: WatchedDatabase) -> None:
    """After pg_stat_statements_reset() no growth is negative, and no slow statement is counted twice."""
    with database.reading() as reader:
        reader.read()
        database.sql("SELECT pg_sleep(1.1)")
        counts = [reader.read()["slow_queries"]]
        database.sql("SELECT pg_stat_statements_reset()")
        counts.append(reader.read()["slow_queries"])
        database.sql("SELECT 1 AS after_the_reset")
        values = reader.read()
        counts.append(values["slow_queries"])
        texts = {one["text"]: one["queryid"] for one in reader.observations() if one["kind"] == "statement"}
        own = own_of(database)
    assert counts == [1, 1, 1]
    queryid = texts["SELECT $1 AS after_the_reset"]
    assert by_statement(values)[queryid] == own[queryid]


def test_slow_queries_count_while_they_run_and_once(database: WatchedDatabase) -> None:
    """Running for more than a second, then ended: one; fast ones are none."""
    with database.reading() as reader:
        counts = [reader.read()["slow_queries"]]
        with closing(psycopg2.connect(database.admin_url)) as connection:
            thread = threading.Thread(target=lambda: connection.cursor().execute("SELECT pg_sleep(1.5)"))
            thread.start()
            await_true(lambda: reader.read()["slow_queries_running"] == 1, "the query is slow", 10)
            counts.append(reader.read()["slow_queries"])
            thread.join(10)
        counts.append(reader.read()["slow_queries"])
    assert counts == [0, 1, 1]


def test_a_reading_has_the_statements_that_changed_most(
    database: WatchedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All at first, then at most so many; those that were left out come later, with what they gained meanwhile."""
    names = [f"SELECT {' + '.join(['n'] * (number + 1))} FROM generate_series(1, 50) n" for number in range(12)]
    monkeypatch.setattr(statements, "MAX_STATEMENTS", 5)
    with database.reading() as reader:
        reader.read()
        for name in names:
            database.sql(name)
        told: dict[str, tuple[float, ...]] = {}
        for _ in range(8):
            found = by_statement(reader.read())
            assert len(found) <= 5
            told |= found
        own = own_of(database)
    assert len(told) >= len(names)
    assert all(told[queryid] == own[queryid] for queryid in told)


def test_many_statements_are_not_asked_for_at_each_reading(
    database: WatchedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the server knows twice as many as it should list at once, every third reading has them."""
    monkeypatch.setattr(statements, "STATEMENTS_A_READING", 1)
    with database.reading() as reader:
        for name in ("a", "b", "c", "d", "e"):
            database.sql(f"CREATE TABLE {name} ()")
        has = ["statement_calls" in reader.read() for _ in range(9)]
    assert has == [True, False, False, False, True, False, False, False, True]


def test_growth_is_never_negative() -> None:
    """A statement that the server forgot and met again has what it counted since."""
    before, after = Totals(10, 900.0, 5, 7, 1), Totals(12, 1000.0, 6, 8, 1)
    assert after.since(before) == Totals(2, 100.0, 1, 1, 0)
    assert after.since(None) == after
    assert Totals(2, 1.0, 1, 0, 0).since(before) == Totals(2, 1.0, 1, 0, 0)


def test_slow_calls_are_those_whose_mean_is_too_long() -> None:
    """More than a second, not the collectors' own, and none without a call."""
    grown = {
        1: Totals(2, 2000.0, 0, 0, 0),
        2: Totals(2, 2001.0, 0, 0, 0),
        3: Totals(1, 5000.0, 0, 0, 0),
        4: Totals(0, 0.0, 0, 0, 0),
    }
    assert slow_calls(grown, {3}) == {2: 2}
    assert MAX_STATEMENTS == 50
