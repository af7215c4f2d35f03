"""What a percentile's further keys say."""

from typing import Any

import pytest

from include.loadtest.metrics.figures import Distribution, Percentile
from include.loadtest.metrics.rows import percentile_row

pytestmark = pytest.mark.unit


def row(value_us: int | None, least_bound_us: int | None) -> dict[str, Any]:
    found = Percentile(value_us, 900, None, 950)
    return percentile_row(
        "latency_p95_ms", ("hold", "all"), Distribution(7, 5000, least_bound_us, {"latency_p95_ms": found})
    )


@pytest.mark.parametrize(
    ("value_us", "least_bound_us", "expected"),
    [(2000, None, False), (2000, 2000, True), (2000, 2001, False), (None, 5000, True), (None, None, False)],
)
def test_a_lower_bound_at_or_below_the_figure_marks_it(
    value_us: int | None, least_bound_us: int | None, expected: bool
) -> None:
    """Without a value the figure is the largest row."""
    assert row(value_us, least_bound_us)["lower_bound"] is expected


def test_figures_are_in_milliseconds() -> None:
    """Microseconds of the samples become ms, an unknown end stays null."""
    found = row(2000, None)
    assert (found["value"], found["ci_low"], found["ci_high"], found["max"], found["low_95"]) == (
        2.0,
        0.9,
        None,
        5.0,
        0.95,
    )
