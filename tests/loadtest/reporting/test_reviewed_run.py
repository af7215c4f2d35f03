"""A review uses the figures of runs that say something about the target, and knows who was there in the hold."""

from dataclasses import replace

import pytest

from include.loadtest.reporting.reviewed_run import ReviewedRun
from tests.helpers.reviewed_runs import hold_row, reviewed, step

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("verdict", "codes", "trusted", "whole"),
    [
        ("PASS", (), True, True),
        ("SLA_BREACH", ("slo_missed",), True, True),
        ("INCONCLUSIVE", ("source_missing",), True, True),
        ("INCONCLUSIVE", ("generator_starved",), False, False),
        ("ABORTED", ("auto_stop_errors",), True, False),
        ("ABORTED", ("operator", "clock_trouble"), False, False),
        ("WARN", ("a_code_of_tomorrow",), False, False),
        (None, (), False, False),
    ],
)
def test_what_speaks_against_the_samples_speaks_against_the_figures(
    verdict: str | None, codes: tuple[str, ...], trusted: bool, whole: bool
) -> None:
    """A missing monitor does not, an auto-stop cuts the load, an unknown reason is no good news."""
    run = reviewed("peak_hours", verdict, codes=codes)
    assert (run.is_trusted, run.is_whole) == (trusted, whole)


def test_a_run_without_metrics_is_not_trusted() -> None:
    """Whatever its verdict says."""
    assert not replace(reviewed("peak_hours"), metrics=None).is_trusted


def test_a_spike_tests_hold_has_few_users() -> None:
    """Its profile has 100, the hold before the spike 10; without stages the profile's number counts."""
    stages = (step(10, "hold"), step(100), step(100, "spike"))
    assert reviewed("spike_test", stages=stages).hold_users == 10
    assert reviewed("peak_hours").hold_users == 50


def test_a_figure_is_that_of_all_requests_in_the_hold() -> None:
    """Other phases and scopes are others."""
    rows = (
        hold_row("host_cpu_pct", 90.0, phase="ramp_up"),
        hold_row("latency_p95_ms", 5.0, scope="endpoint:chat"),
        hold_row("host_cpu_pct", 40.0),
    )
    run = reviewed("peak_hours", rows=rows)
    figure = run.figure("host_cpu_pct")
    assert figure is not None
    assert figure["value"] == 40.0
    assert run.figure("latency_p95_ms") is None


def test_a_run_that_left_nothing_has_nothing() -> None:
    """No manifest, no metrics, no verdict."""
    lost = ReviewedRun(replace(reviewed("smoke", None).entry, manifest=None), None)
    assert (lost.shape, lost.hold_users, lost.slos, lost.reasons, lost.stages) == ("", None, [], [], [])
