"""Readings in order of time: runs above a threshold, counters and correlations."""

import numpy as np
import pytest

from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Series, ranks, readings_of, sustained, together

pytestmark = pytest.mark.unit
SPAN = Span(0, 60)


def _series(values: list[float], step_s: float = 5.0) -> Series:
    at_s = np.arange(1, len(values) + 1, dtype=np.float64) * step_s - 0.5
    return Series("host", "vm", "cpu_pct", "%", at_s, np.array(values, dtype=np.float64))


def test_a_run_begins_an_interval_before_its_first_reading() -> None:
    """Readings tell of the interval before them; a run from the first reading on was there from the beginning."""
    run = sustained(_series([1, 1, 1, 9, 9, 9, 9, 1]), SPAN, 5)
    assert run is not None
    assert (run.span.start_s, run.since_s, run.mean) == (14.5, 14.5, 9)
    whole = sustained(_series([9] * 8), SPAN, 5)
    assert whole is not None
    assert whole.since_s is None


def test_hiccups_are_no_run_and_a_dip_does_not_break_one() -> None:
    """Two of eight readings are none; one in four below the threshold is within."""
    assert sustained(_series([1, 9, 1, 1, 9, 1, 1, 1]), SPAN, 5) is None
    run = sustained(_series([9, 9, 9, 9, 1, 9, 9, 9]), SPAN, 5)
    assert run is not None
    assert len(run.values) == 8


@pytest.mark.parametrize(("values", "found"), [([9.0, 9.0], True), ([9.0], False), ([], False)])
def test_a_short_load_needs_two_readings(values: list[float], found: bool) -> None:
    """One reading is never enough, and none says nothing."""
    assert (sustained(_series(values), SPAN, 5) is not None) == found


def test_a_counter_that_falls_began_anew() -> None:
    """The interval of the restart counts for nothing."""
    assert _series([10, 20, 5, 15]).rate().values.tolist() == [2.0, 2.0]


def test_a_reading_that_was_written_twice_counts_once() -> None:
    """Else an interval without length would be between the two."""
    rows = [(at_s, "redis", "here", "keys", value, "") for at_s, value in ((1.0, 5.0), (2.0, 6.0), (1.0, 5.0))]
    (series,) = readings_of(rows).all("redis", "keys")
    assert (series.at_s.tolist(), series.values.tolist()) == ([1.0, 2.0], [5.0, 6.0])


def test_two_series_that_move_together_correlate() -> None:
    """By ranks; a constant one has no correlation."""
    assert together(_series([1, 2, 3, 4, 5, 99]), _series([2, 3, 4, 5, 6, 7])) == pytest.approx(1)
    assert together(_series([1, 2, 3, 4, 5, 6]), _series([7] * 6)) is None


def test_ties_share_their_rank() -> None:
    """At the mean of their places."""
    assert ranks(np.array([5.0, 1.0, 5.0])).tolist() == [2.5, 1.0, 2.5]


def test_readings_are_found_by_label_and_the_fullest_instance_speaks() -> None:
    """By the label's value; of two instances the one with more readings; a machine's figures also from Prometheus."""
    rows = [
        (1.0, "postgres", "a", 'calls{queryid="-7"}', 1.0, ""),
        (1.0, "host", "a", "cpu_pct", 1.0, "%"),
        (2.0, "host", "b", "cpu_pct", 5.0, "%"),
        (1.0, "host", "b", "cpu_pct", 4.0, "%"),
    ]
    rows.append((1.0, "prometheus", "p", "app_cpu_cores", 0.5, "cores"))
    readings = readings_of(rows)
    assert readings.get("process", "app_cpu_cores") is not None
    assert readings.get("postgres", "app_cpu_cores") is None
    assert list(readings.family("postgres", "calls")) == ["-7"]
    found = readings.get("host", "cpu_pct")
    assert found is not None
    assert (found.instance, found.values.tolist()) == ("b", [4.0, 5.0])
    assert readings.sources == {"host", "postgres", "prometheus"}
