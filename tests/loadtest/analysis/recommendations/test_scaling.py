"""The cost file's parts are bought where the first cause asks for them and a trigger was crossed."""

import pytest

from include.loadtest.analysis.recommendations.case import Case, Detail
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.scaling import is_the_files, scaled, scaling_of
from include.loadtest.profile.optimisations import Evidence
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit
CORES = Evidence(causes=("cpu",), condition="cores_used_up")
MEMORY = Evidence(causes=("memory",))
FOUR = {"app_processes": 4.0, "host_cores": 4.0}


def found(case: Case, component: str, evidence: Evidence) -> tuple[str, Detail] | None:
    part = scaling_of(case, component)
    assert part is not None
    return scaled(case, part, evidence)


def test_as_much_is_bought_as_brings_the_same_work_below_the_trigger() -> None:
    """4 measured cores, of which 90 % are busy: 3.6 are 70 % of 5.1, so 6; the file's price is for 2 to 4."""
    case = case_of(cause("cpu"), facts=Facts(figures=FOUR), metrics={"host_cpu_pct": 90.0})
    bought = found(case, "CPU", CORES)
    assert bought is not None
    purchase, detail = bought
    assert (purchase, detail.current) == ("now", "4 cores")
    assert detail.recommended == "at least 6 cores, of which the same work uses less than 70 %"
    assert detail.trigger == "host_cpu_pct 90 % on average over the hold, more than 70"
    assert detail.improvement.text == "not estimated"
    part = scaling_of(case, "CPU")
    assert part is not None
    assert not is_the_files(case, part)


def test_memory_is_counted_as_it_is() -> None:
    """25.3 GiB, not the file's 4 GB."""
    facts = Facts(figures={"host_memory_bytes": 25.3 * 2**30})
    bought = found(case_of(cause("memory"), facts=facts, metrics={"host_memory_pct": 90.0}), "Memory", MEMORY)
    assert bought is not None
    assert bought[1].current == "25 GiB RAM"
    assert bought[1].recommended == "at least 29 GiB RAM, of which the same work uses less than 80 %"


def test_the_files_machine_gets_the_files_part() -> None:
    """2 cores; and what was not measured is the file's, and says so."""
    figures = {"app_processes": 2.0, "host_cores": 2.0}
    bought = found(case_of(cause("cpu"), facts=Facts(figures=figures), metrics={"host_cpu_pct": 75.0}), "CPU", CORES)
    assert bought is not None
    assert (bought[1].current, bought[1].recommended) == ("2 cores", "4 cores")
    unread = found(case_of(cause("cpu"), metrics={"host_cpu_pct": 75.0}), "CPU", CORES)
    assert unread is not None
    assert (unread[1].current, unread[1].recommended) == ("2 cores (as in costs.yaml)", "4 cores")


def test_one_process_cannot_use_another_core() -> None:
    """However busy the machine is: first more processes. On one core it can."""
    one = Facts(figures={"app_processes": 1.0, "host_cores": 2.0})
    told = found(case_of(cause("cpu"), facts=one, metrics={"host_cpu_pct": 90.0}), "CPU", CORES)
    assert told is not None
    assert told[0] == "not_now"
    assert "the application is one process, which cannot use another core" in told[1].recommended
    small = Facts(figures={"app_processes": 1.0, "host_cores": 1.0})
    bought = found(case_of(cause("cpu"), facts=small, metrics={"host_cpu_pct": 90.0}), "CPU", CORES)
    assert bought is not None
    assert (bought[0], bought[1].current) == ("now", "1 core")


@pytest.mark.parametrize("value", [70.0, 30.0, None])
def test_at_or_below_the_trigger_nothing_is_said(value: float | None) -> None:
    """Nor without a measurement, whatever the cause."""
    assert found(case_of(cause("cpu"), metrics={"host_cpu_pct": value}), "CPU", CORES) is None


def test_a_machine_that_is_shared_with_the_generator_triggers_nothing() -> None:
    """Its CPU is not the target's alone; the database's connections are."""
    metrics = {"host_cpu_pct": 95.0, "postgres_connections": 75.0}
    case = case_of(cause("cpu"), facts=Facts(shares_host=True, figures=FOUR), metrics=metrics)
    assert found(case, "CPU", CORES) is None
    told = found(case, "Database", Evidence(causes=("slow_queries",), condition="no_sequential_scan"))
    assert told is not None
    assert (told[0], told[1].recommended) == ("not_now", "nothing to buy now: the bottleneck is another (CPU)")


def test_a_stepped_load_predicts_what_the_cores_bring() -> None:
    """Twice 2 cores at 120 ms an answer: 1000 req/min more, where that lies within what was tested."""
    cpu = {
        "resource": "host_cpu", "title": "the CPU", "max_rpm": 1000.0, "max_low_rpm": 950.0, "max_high_rpm": 1050.0,
        "servers": 2.0, "demand_ms": 120.0, "demand_low_ms": 110.0, "demand_high_ms": 130.0,
    }  # fmt: skip
    maximum = {"resource": "host_cpu", "rpm": 1000.0, "low_rpm": 950.0, "high_rpm": 1050.0}
    capacity = {"maximum": maximum, "resources": [cpu], "not_measured": [], "tested": {"rpm": 1400.0}}
    facts = Facts(figures={"app_processes": 2.0, "host_cores": 2.0})
    bought = found(case_of(cause("cpu"), facts=facts, metrics={"host_cpu_pct": 75.0}, capacity=capacity), "CPU", CORES)
    assert bought is not None
    assert bought[1].improvement.model == "utilisation law"
    assert bought[1].improvement.text.startswith("highest throughput 100 % higher")
