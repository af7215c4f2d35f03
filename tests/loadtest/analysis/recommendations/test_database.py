"""Each condition on statements and connections holds where it was measured, and only there."""

from collections.abc import Callable

import pytest

from include.loadtest.analysis.recommendations.case import Case, Detail, Row
from include.loadtest.analysis.recommendations.database import (
    idle_in_transaction,
    no_sequential_scan,
    plan_not_known,
    pool_full,
    repeated_statement,
    sequential_scan,
    server_full,
)
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.analysis.recommendations.statements import Statement
from tests.loadtest.analysis.recommendations.conftest import EVIDENCE, case_of, cause

pytestmark = pytest.mark.unit
SQL = "SELECT * FROM documents WHERE title = $1"
SCAN = "Seq Scan on documents  (cost=0.00..431.00 rows=1)\n  Filter: (title = $1)"
INDEX = "Index Scan using documents_title on documents"
READ_WHOLE = EVIDENCE | {
    "metric": 'table_seq_rows_read{table="public.documents"}', "text": "table public.documents was read whole 12 times",
}  # fmt: skip


def found(
    test: Callable[[Case, Row | None], Detail | None], *causes: dict, facts: Facts | None = None
) -> Detail | None:
    return test(case_of(*causes, facts=facts), causes[0] if causes else None)


def test_an_index_names_its_statement_and_plan() -> None:
    """That the statement takes 200 of a request's 1000 ms bounds nothing: not estimated."""
    facts = Facts(statements=(Statement("7", SQL, 1.0, 200.0),))
    detail = found(sequential_scan, cause("slow_queries", statement=SQL, plan=SCAN), facts=facts)
    assert detail is not None
    assert detail.recommended == f"on documents, for the condition of {SQL}"
    assert "Seq Scan on documents" in detail.current
    assert (detail.trigger, detail.improvement.text) == ("slow_queries it is", "not estimated")


def test_without_a_plan_the_tables_own_counters_say_that_it_is_read_whole() -> None:
    """With a plan, that speaks."""
    read = cause("slow_queries", statement=SQL, evidence=[EVIDENCE, READ_WHOLE])
    detail = found(sequential_scan, read)
    assert detail is not None
    assert detail.recommended == f"on public.documents, for the condition of {SQL}"
    assert "was read whole 12 times" in detail.current
    assert found(plan_not_known, read) is None
    assert found(sequential_scan, read | {"plan": INDEX}) is None


@pytest.mark.parametrize(
    ("condition", "ending"),
    [("title = $1", "title = $1"), ("to_tsvector(title) @@ $1", "GIN index on the very expression)"),
     ("title ILIKE $1", "a trigram index, pg_trgm)")],
)  # fmt: skip
def test_the_kind_of_index_fits_the_condition(condition: str, ending: str) -> None:
    """The usual one serves neither a text search nor a pattern."""
    detail = found(sequential_scan, cause("slow_queries", statement=f"SELECT 1 WHERE {condition}", plan=SCAN))
    assert detail is not None
    assert detail.recommended.endswith(ending)


@pytest.mark.parametrize(("plan", "holds"), [(SCAN, 0), (INDEX, 1), (None, 2)])
def test_one_condition_holds_for_each_plan(plan: str | None, holds: int) -> None:
    """An index, a kept result, or a look at the plan."""
    tests = (sequential_scan, no_sequential_scan, plan_not_known)
    own = cause("slow_queries", statement=SQL, plan=plan)
    assert [place for place, test in enumerate(tests) if found(test, own) is not None] == [holds]


def test_a_statement_that_nobody_saw_has_to_be_found_first() -> None:
    """Its plan cannot be looked at."""
    detail = found(plan_not_known, cause("slow_queries"))
    assert detail is not None
    assert detail.recommended.startswith("find the statement (pg_stat_statements")


def test_a_server_is_full_near_its_limit() -> None:
    """From the diagnosis' own 80 of 100; unknown is no evidence."""
    full = found(server_full, facts=Facts(figures={"connections": 80, "max_connections": 100}))
    assert full is not None
    assert full.current == "up to 80 of the server's 100 connections are taken (80 %)"
    assert found(server_full, facts=Facts(figures={"connections": 79, "max_connections": 100})) is None
    assert found(server_full) is None


def test_a_pools_size_is_computed_with_its_interval() -> None:
    """And what is waited less, by the queue's model."""
    pool = Pool(2, 1.98, 3.8, 3.5, 4.2, 400.0, 380.0, 350.0, 390.0)
    detail = found(pool_full, facts=Facts(pool=pool))
    assert detail is not None
    assert detail.recommended.startswith("to 7, since 3.8 are in use on average if nobody waits (95 % 3.5 to 4.2")
    assert (detail.improvement.low, detail.improvement.high) == (-390.0, -350.0)
    unknown = found(pool_full, facts=Facts(pool=Pool(2, 2.0, None, None, None, None)))
    assert unknown is not None
    assert "by how much is not known" in unknown.recommended
    assert unknown.improvement.text == "not estimated"
    assert found(pool_full, facts=Facts(pool=Pool(20, 1.98, 3.8, 3.5, 4.2, 0.1))) is None


def test_a_pool_that_bursts_fill_is_too_small() -> None:
    """60 % in use on average, and requests wait: a size without an interval says that it has none."""
    detail = found(pool_full, facts=Facts(pool=Pool(2, 1.2, 1.4, None, None, 167.0)))
    assert detail is not None
    assert detail.recommended.startswith(
        "to 3, since 1.4 are in use on average if nobody waits (no interval from so short"
    )
    assert detail.improvement.text == "not estimated"


def test_a_pool_is_never_advised_to_be_smaller() -> None:
    """10 are full for another reason than their number, where 3.8 would do."""
    assert found(pool_full, facts=Facts(pool=Pool(10, 9.0, 3.8, 3.5, 4.2, 400.0))) is None


def test_forgotten_transactions_are_ended_and_no_pool_is_made_larger_for_them() -> None:
    """Three connections, idle in a transaction for 40 s; one alone, or for 5 s, is a slow request."""
    pool = Pool(5, 4.9, 6.0, 5.5, 6.5, 400.0)
    held = {"idle_in_transaction": 3.0, "idle_in_transaction_longest_s": 40.0}
    detail = found(idle_in_transaction, cause("database_connections"), facts=Facts(figures=held, pool=pool))
    assert detail is not None
    assert "3.0 connections stand idle in a transaction on average, the longest for 40 s" in detail.current
    assert found(pool_full, facts=Facts(figures=held, pool=pool)) is None
    assert found(pool_full, facts=Facts(pool=pool)) is not None
    for few in ({"idle_in_transaction": 1.0}, {"idle_in_transaction_longest_s": 5.0}):
        assert found(idle_in_transaction, facts=Facts(figures=held | few)) is None
    assert found(idle_in_transaction) is None


def test_n_plus_1_needs_its_lower_bound_above_ten() -> None:
    """25 calls (23 to 27) are; 12 (8 to 16) may not be. What the round trips take is not known: not estimated."""
    repeated = Statement("7", SQL, 5.0, 100.0, "search", 25.0, 23.0, 27.0)
    detail = found(repeated_statement, facts=Facts(statements=(repeated,)))
    assert detail is not None
    assert detail.trigger == "25.0 calls in each request of search (95 % 23.0 to 27.0), more than 10"
    assert detail.improvement.text == "not estimated"
    perhaps = Statement("7", SQL, 5.0, 100.0, "search", 12.0, 8.0, 16.0)
    assert found(repeated_statement, facts=Facts(statements=(perhaps,))) is None
