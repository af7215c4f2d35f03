"""What detectors ask of a run."""

import pytest

from include.loadtest.analysis.bottleneck.model import Span
from tests.helpers.made_cases import LOAD, START_S, after, counted, made_case, made_requests

pytestmark = pytest.mark.unit


def test_a_shift_divides_the_load() -> None:
    """Before it and since then; without one all of the load is judged, and there is no before."""
    healthy = made_case()
    assert (healthy.window, healthy.before) == (LOAD, None)
    shifted = made_case(requests=made_requests(lambda at_s, _, ms: ms + (400 if at_s >= 30 else 0)))
    assert shifted.before is not None
    assert shifted.before.end_s == shifted.window.start_s == pytest.approx(START_S + 30, abs=2)


def test_a_shift_at_the_very_beginning_leaves_no_time_to_compare_with() -> None:
    """Five seconds say nothing of what is usual."""
    early = made_case(requests=made_requests(lambda at_s, _, ms: ms + (400 if at_s >= 5 else 0)))
    assert early.shift is not None
    assert early.before is None


def test_counters_are_asked_for_what_they_grew() -> None:
    """With the interval that leads out of the span, as its reading stands at its end; unknown ones give None."""
    case = made_case({("redis", "evicted_keys"): counted(2.0)})
    assert case.growth_of("redis", "evicted_keys", LOAD) == pytest.approx(120, abs=11)
    assert case.rate_of("redis", "evicted_keys", LOAD) == pytest.approx(2.0)
    assert case.growth_of("redis", "no_such_counter", LOAD) is None


def test_evidence_is_compared_with_the_time_before_it_or_a_limit() -> None:
    """A run from the beginning has no before."""
    case = made_case({("host", "cpu_pct"): after(30, 90.0, 20.0)})
    series = case.readings.get("host", "cpu_pct")
    assert series is not None
    late = case.evidence(series, Span(START_S + 30, LOAD.end_s), 90.0, "busy")
    assert (late.compared_with, late.comparison) == (pytest.approx(20, abs=12), "before 08:00:30")
    assert case.evidence(series, LOAD, 90.0, "busy").compared_with is None
    assert case.evidence(series, LOAD, 90.0, "busy", limit=80.0).comparison == "threshold"
