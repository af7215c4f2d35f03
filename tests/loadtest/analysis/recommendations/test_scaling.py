"""The cost file's parts are recommended where a trigger was crossed or their cause was found."""

import pytest

from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.scaling import scaled, scaling_of
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit


def test_a_mean_above_its_trigger_is_named_with_it() -> None:
    """CPU 75 % of 70 %; Amdahl's bound of the CPU's 10 %."""
    case = case_of(metrics={"host_cpu_pct": 75.0})
    part = scaling_of(case, "CPU")
    assert part is not None
    detail = scaled(case, part, None)
    assert detail is not None
    assert (detail.current, detail.recommended) == ("2 cores", "4 cores")
    assert detail.trigger == "host_cpu_pct 75 % on average, more than 70"
    assert detail.improvement.high == pytest.approx(0.1)


@pytest.mark.parametrize("value", [70.0, 30.0, None])
def test_at_or_below_the_trigger_nothing_is_bought(value: float | None) -> None:
    """Nor without a measurement."""
    case = case_of(metrics={"host_cpu_pct": value})
    part = scaling_of(case, "CPU")
    assert part is not None
    assert scaled(case, part, None) is None


def test_a_machine_that_is_shared_with_the_generator_triggers_nothing() -> None:
    """Its CPU is not the target's alone; the database's connections are."""
    facts = Facts(shares_host=True)
    case = case_of(facts=facts, metrics={"host_cpu_pct": 95.0, "postgres_connections": 75.0})
    cpu, database = scaling_of(case, "CPU"), scaling_of(case, "Database")
    assert cpu is not None
    assert database is not None
    assert scaled(case, cpu, None) is None
    assert scaled(case, database, None) is not None


def test_a_cause_is_evidence_without_a_trigger() -> None:
    """And gives the trigger's text; a stepped load gives the improvement."""
    resources = [{"resource": "host_cpu", "title": "the CPU", "max_rpm": 1000.0, "beyond_reach": False}]
    found = cause("cpu")
    case = case_of(found, capacity={"resources": resources})
    part = scaling_of(case, "CPU")
    assert part is not None
    detail = scaled(case, part, found)
    assert detail is not None
    assert detail.trigger == "the decisive figure"
    assert detail.improvement.model == "utilisation law"
