"""A resource's use in each step, from the readings that tell of that step alone."""

from collections.abc import Mapping

import pytest

from include.loadtest.analysis.capacity.usage import Used, kinds, used_resources
from include.loadtest.analysis.readings import Answers, Kind, Readings
from tests.loadtest.analysis.capacity.conftest import EPOCH_US, made_steps

pytestmark = pytest.mark.unit
STEPS = made_steps([(10, 10.0), (20, 20.0)])
ANSWERS = Answers(
    [EPOCH_US + n * 100_000 for n in range(600)] + [EPOCH_US + 60_000_000 + n * 50_000 for n in range(1200)]
)
POOL = {("app", "db_pool_size"): (4.0, 4.0), ("app", "db_pool_used"): (1.0, 2.0)}


def found(values: Mapping[Kind, tuple[float, float]], first: float | None = None) -> dict[str, Used]:
    """Readings every 5 s, of a value in each step; `first` replaces the first of each step."""
    series = {
        kind: [
            (EPOCH_US + step * 60_000_000 + n * 5_000_000, own[step] if n or first is None else first)
            for step in range(2)
            for n in range(12)
        ]
        for kind, own in values.items()
    }
    return {one.resource.name: one for one in used_resources(STEPS, Readings(series), ANSWERS)}


def test_use_and_answers_come_from_the_same_time() -> None:
    """10 and 20 answers a second with 1 and 2 connections; the first reading of a step may tell of the one before."""
    pool = found(POOL | {("app", "db_pool_size"): (4.0, 4.0)}, first=4.0)["database_pool"]
    assert pool.servers == 4
    assert [(use.users, use.busy) for use in pool.uses] == [(10, 1.0), (20, 2.0)]
    assert [use.throughput for use in pool.uses] == [pytest.approx(10, rel=0.01), pytest.approx(20, rel=0.01)]


def test_counters_count_by_their_growth() -> None:
    """A counter that stands still is no use, and it goes before the gauge; one that fell says nothing."""
    still = found(POOL | {("app", "db_pool_held_seconds_sum"): (7.0, 7.0)})["database_pool"]
    assert [use.busy for use in still.uses] == [0.0, 0.0]
    assert "database_pool" in found(POOL | {("app", "db_pool_held_seconds_sum"): (7.0, 7.0)}, first=4.0)


def test_the_machines_cpu_is_counted_in_cores() -> None:
    """50 % of 4 cores are 2."""
    host = found({("host", "cpu_pct"): (25.0, 50.0), ("host", "cores"): (4.0, 4.0)})["host_cpu"]
    assert (host.servers, [use.busy for use in host.uses]) == (4, [1.0, 2.0])
    assert [use.own_busy for use in host.uses] == [None, None]
    parts = {("process", "app_cpu_cores"): (0.5, 1.0), ("generator", "cpu_pct"): (10.0, 20.0)}
    told = found({("host", "cpu_pct"): (25.0, 50.0), ("host", "cores"): (4.0, 4.0), **parts})["host_cpu"]
    assert [use.own_busy for use in told.uses] == [pytest.approx(0.6), pytest.approx(1.2)]


def test_a_process_on_several_cores_is_not_held_by_one() -> None:
    """1.8 cores: no event loop on one core."""
    busiest = ("process", "app_busiest_process_cpu_cores")
    assert "application_process" in found({busiest: (0.4, 0.8)})
    assert "application_process" not in found({busiest: (0.9, 1.8)})


def test_a_limit_that_changed_or_is_not_known_is_none() -> None:
    """A pool of another size in the second step; and of the LLM nobody knows how many calls it takes."""
    assert "database_pool" not in found({("app", "db_pool_size"): (4.0, 8.0), ("app", "db_pool_used"): (1.0, 2.0)})
    assert found({("llm", "llm_wait_seconds_sum"): (1.0, 1.0)})["llm"].servers is None


def test_a_step_with_errors_or_few_readings_says_nothing() -> None:
    """What fails uses something else; three readings beside the first are wanted."""
    failing = made_steps([(10, 10.0)], error_rate=[0.06])
    series = {kind: [(EPOCH_US + n * 5_000_000, 1.0) for n in range(12)] for kind in POOL}
    assert list(used_resources(failing, Readings(series), ANSWERS)) == []
    few = {kind: own[:3] for kind, own in series.items()}
    assert list(used_resources(STEPS[:1], Readings(few), ANSWERS)) == []


def test_all_kinds_are_asked_for() -> None:
    """Those of servers too."""
    assert {("host", "cores"), ("app", "db_pool_size"), ("postgres", "max_connections")} <= kinds()
