"""More processes where cores are left, more cores where the processes there are could use them."""

import pytest

from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.processors import cores_left, cores_used_up
from tests.loadtest.analysis.recommendations.conftest import case_of, cause

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("processes", "cores", "left", "used_up"),
    [(1, 2, True, False), (2, 4, True, True), (4, 4, False, True), (1, 1, False, True), (1, None, False, False),
     (None, 4, False, True)],
)  # fmt: skip
def test_one_process_uses_one_core(processes: int | None, cores: int | None, *, left: bool, used_up: bool) -> None:
    """Of two cores one process leaves one; of one core it leaves none; unknown is no reason for more processes."""
    counted = {"app_processes": processes, "host_cores": cores}
    figures = {name: float(value) for name, value in counted.items() if value is not None}
    found = cause("cpu")
    case = case_of(found, facts=Facts(figures=figures))
    assert (cores_left(case, found) is not None, cores_used_up(case, found) is not None) == (left, used_up)


def test_one_more_is_advised_with_the_reason() -> None:
    """Its gain is not estimated without a stepped load."""
    found = cause("event_loop")
    detail = cores_left(case_of(found, facts=Facts(figures={"app_processes": 1.0, "host_cores": 2.0})), found)
    assert detail is not None
    assert detail.recommended == "2 instead of 1, as an event loop uses one core only"
    assert (detail.current, detail.improvement.text) == ("1 process on a machine of 2 cores", "not estimated")


def test_a_machine_without_a_free_core_gets_no_further_process() -> None:
    """It is busy to 80 % by the application or by others."""
    found, figures = cause("cpu"), {"app_processes": 1.0, "host_cores": 2.0}
    for busy_pct, is_free in ((79.0, True), (80.0, False)):
        case = case_of(found, facts=Facts(figures={**figures, "host_cpu_pct": busy_pct}))
        assert (cores_left(case, found) is not None) is is_free


def test_without_a_cause_nothing_is_advised() -> None:
    """A healthy application has the processes that it needs."""
    case = case_of(facts=Facts(figures={"app_processes": 1.0, "host_cores": 2.0}))
    assert (cores_left(case, None), cores_used_up(case, None)) == (None, None)
