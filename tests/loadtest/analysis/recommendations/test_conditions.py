"""Each condition of optimisations.yaml holds where it was measured, and only there."""

from typing import get_args

import pytest

from include.loadtest.analysis.recommendations.case import Detail
from include.loadtest.analysis.recommendations.conditions import CONDITIONS
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.analysis.recommendations.statements import Statement
from include.loadtest.profile.optimisations import Condition
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit
SQL = "SELECT * FROM documents WHERE title = $1"
SCAN = "Seq Scan on documents  (cost=0.00..431.00 rows=1)\n  Filter: (title = $1)"
INDEX = "Index Scan using documents_title on documents"


def test_every_condition_has_its_test() -> None:
    """But for the one that is the cost file's."""
    assert set(CONDITIONS) == set(get_args(Condition)) - {"scaling_trigger"}


def found(condition: Condition, *causes: dict, facts: Facts | None = None, **parts) -> Detail | None:
    case = case_of(*causes, facts=facts, **parts)
    return CONDITIONS[condition](case, causes[0] if causes else None)


def test_an_index_names_its_statement_and_plan() -> None:
    """And what it may bring: the statement takes 200 of a request's 1000 ms."""
    facts = Facts(statements=(Statement("7", SQL, 1.0, 200.0),))
    detail = found("sequential_scan", cause("slow_queries", statement=SQL, plan=SCAN), facts=facts)
    assert detail is not None
    assert detail.recommended == f"on documents, for the condition of {SQL}"
    assert "Seq Scan on documents" in detail.current
    assert detail.improvement.high == pytest.approx(0.2)


def test_without_the_statements_time_the_databases_is_the_bound() -> None:
    """30 % of a request's time lies in the database."""
    detail = found("sequential_scan", cause("slow_queries", statement=SQL, plan=SCAN))
    assert detail is not None
    assert detail.improvement.high == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("plan", "holds"), [(SCAN, "sequential_scan"), (INDEX, "no_sequential_scan"), (None, "plan_not_known")]
)
def test_one_condition_holds_for_each_plan(plan: str | None, holds: str) -> None:
    """An index, a kept result, or a look at the plan."""
    conditions: tuple[Condition, ...] = ("sequential_scan", "no_sequential_scan", "plan_not_known")
    own = cause("slow_queries", statement=SQL, plan=plan)
    assert [name for name in conditions if found(name, own) is not None] == [holds]


def test_a_server_is_full_near_its_limit() -> None:
    """95 of 100, not 80; unknown is no evidence."""
    full = found("server_full", facts=Facts(figures={"connections": 95, "max_connections": 100}))
    assert full is not None
    assert full.trigger == "connections 95, 95 % of max_connections"
    assert found("server_full", facts=Facts(figures={"connections": 80, "max_connections": 100})) is None
    assert found("server_full") is None


def test_a_pools_size_is_computed_with_its_interval() -> None:
    """And its wait is what Amdahl bounds: 400 of 1000 ms."""
    detail = found("pool_full", facts=Facts(pool=Pool(2, 1.98, 3.8, 3.5, 4.2, 400.0)))
    assert detail is not None
    assert detail.recommended.startswith("to 7, since 3.8 are in use on average if nobody waits (95 % 3.5 to 4.2")
    assert detail.improvement.high == pytest.approx(0.4)
    unknown = found("pool_full", facts=Facts(pool=Pool(2, 2.0, None, None, None, None)))
    assert unknown is not None
    assert "by how much is not known" in unknown.recommended
    assert unknown.improvement.text == "not estimated"
    assert found("pool_full", facts=Facts(pool=Pool(20, 1.98, 3.8, 3.5, 4.2, 0.1))) is None


def test_a_pool_that_bursts_fill_is_too_small() -> None:
    """60 % in use on average, and requests wait: a size without an interval says that it has none."""
    detail = found("pool_full", facts=Facts(pool=Pool(2, 1.2, 1.4, None, None, 167.0)))
    assert detail is not None
    assert detail.recommended.startswith(
        "to 3, since 1.4 are in use on average if nobody waits (no interval from so short"
    )


def test_n_plus_1_needs_its_lower_bound_above_ten() -> None:
    """25 calls (23 to 27) are; 12 (8 to 16) may not be. 24 of 25 calls' time can be saved: 96 of 1000 ms."""
    repeated = Statement("7", SQL, 5.0, 100.0, "search", 25.0, 23.0, 27.0)
    detail = found("repeated_statement", facts=Facts(statements=(repeated,)))
    assert detail is not None
    assert detail.trigger == "25.0 calls in each request of search (95 % 23.0 to 27.0), more than 10"
    assert detail.improvement.high == pytest.approx(0.096)
    perhaps = Statement("7", SQL, 5.0, 100.0, "search", 12.0, 8.0, 16.0)
    assert found("repeated_statement", facts=Facts(statements=(perhaps,))) is None


LOOKUPS = {"cache_hits": 40.0, "cache_misses": 60.0}


@pytest.mark.parametrize(
    ("figures", "holds"),
    [
        ({"keys_expired": 50.0, "cache_flushes": 0.0, "keys_evicted": 0.0}, {"keys_expire"}),
        ({"keys_expired": 50.0, "cache_flushes": 1.0, "keys_evicted": 0.0}, {"cache_flushed"}),
        ({"keys_expired": 0.0, "cache_flushes": 0.0, "keys_evicted": 0.0}, {"misses_not_explained"}),
        ({"keys_expired": 0.0, "cache_flushes": 0.0, "keys_evicted": 7.0}, {"keys_evicted"}),
        ({}, set()),
    ],
)
def test_misses_have_one_explanation(figures: dict[str, float], holds: set[str]) -> None:
    """What expires, what was emptied, what had no room, or none of it; nothing without its counters."""
    names: tuple[Condition, ...] = ("keys_expire", "cache_flushed", "keys_evicted", "misses_not_explained")
    facts = Facts(figures=LOOKUPS | figures)
    assert {name for name in names if found(name, cause("cache_misses"), facts=facts) is not None} == holds


def test_evictions_name_the_limit() -> None:
    """Or that it is not known."""
    facts = Facts(figures={"keys_evicted": 9.0, "cache_limit_bytes": 128 * 2**20, "cache_used_bytes": 127 * 2**20})
    detail = found("keys_evicted", facts=facts)
    assert detail is not None
    assert detail.current == "9 keys were thrown away for want of room; its limit is 128 MiB, 127 MiB were used at most"
    unlimited = found("keys_evicted", facts=Facts(figures={"keys_evicted": 9.0}))
    assert unlimited is not None
    assert "its limit is not known" in unlimited.current


def test_redis_has_one_core_for_its_commands() -> None:
    """0.95 of it, not 0.5."""
    assert found("redis_cpu_used_up", facts=Facts(figures={"redis_cpu_cores": 0.95})) is not None
    assert found("redis_cpu_used_up", facts=Facts(figures={"redis_cpu_cores": 0.5})) is None


def test_what_nobody_sees_has_to_be_measured() -> None:
    """Symptoms without a cause; time in no layer; memory without a reading. A healthy run has none of them."""
    symptom = {"kind": "slow", "text": "P95 rose", "since": None}
    assert found("cause_not_known", state="not_known", symptoms=[symptom]) is not None
    assert found("cause_not_known", state="not_known") is None
    budget = [{"layer": "elsewhere", "ms_per_request": 800.0, "share": 0.8}]
    assert found("time_elsewhere", state="not_known", time_budget=budget) is not None
    assert found("time_elsewhere", time_budget=budget) is None
    assert found("time_elsewhere", cause("llm_slow"), time_budget=budget) is None, "its cause is known"
    unread = {"host_memory_pct": None}
    assert found("memory_not_measured", state="not_known", metrics=unread) is not None
    assert found("memory_not_measured", metrics=unread) is None
    assert found("memory_not_measured", state="not_known", metrics={"host_memory_pct": 50.0}) is None
