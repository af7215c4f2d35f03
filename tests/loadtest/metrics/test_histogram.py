"""Exact places from counts, against sorting."""

import numpy as np
import pytest

from include.loadtest.metrics.histogram import (
    BUCKETS,
    FILL,
    LATENCY,
    TTFT,
    Histogram,
    Selection,
    bucket_of,
    exact_values,
)

pytestmark = pytest.mark.unit


def test_a_bucket_never_falls_where_the_value_rises_and_is_narrow() -> None:
    """So the rows of a bucket are neighbours; from 64 µs on it is at most 1/64 wide."""
    us = np.unique(np.r_[-5:5000, (10 ** np.linspace(3, 12, 20_000)).astype(np.int64)])
    buckets = bucket_of(us)
    assert (np.diff(buckets) >= 0).all()
    assert buckets[0] == 0
    assert buckets.max() < BUCKETS
    first, last = us[np.r_[True, np.diff(buckets) > 0]], us[np.r_[np.diff(buckets) > 0, True]]
    inside = (first >= 64) & (last < 1 << 39)
    assert ((last - first)[inside] * 64 <= first[inside]).all()


@pytest.mark.parametrize("largest_us", [3, 900, 40_000_000, 1 << 60])
def test_every_place_has_the_value_that_sorting_gives(largest_us: int) -> None:
    """Of several kinds and cells together, also where many are equal or beyond the last bucket."""
    draw = np.random.default_rng(largest_us % 1000)
    rows = [(kind, draw.integers(0, 4, 700), draw.integers(0, largest_us, 700)) for kind in (LATENCY, TTFT, FILL)]
    histogram = Histogram()
    for one in rows:
        histogram.add(one, 4)
    wanted = [
        Selection((LATENCY,), np.array([True, False, True, False])),
        Selection((LATENCY, FILL), np.array([True, True, True, True])),
        Selection((TTFT,), np.array([False, False, False, True])),
    ]
    sorted_us = [
        np.sort(np.concatenate([us[one.cells[cell]] for kind, cell, us in rows if kind in one.kinds])) for one in wanted
    ]
    places = [range(1, len(own) + 1) for own in sorted_us]
    found = exact_values(histogram, list(zip(wanted, places, strict=True)), iter(rows))
    for values, own in zip(found, sorted_us, strict=True):
        assert [values[place] for place in range(1, len(own) + 1)] == own.tolist()


def test_without_rows_nothing_is_found() -> None:
    """No place was asked for, so none is given."""
    assert exact_values(Histogram(), [(Selection((LATENCY,), np.zeros(0, bool)), [])], iter(())) == [{}]
