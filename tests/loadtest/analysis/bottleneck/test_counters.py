"""What a counter grew by."""

import numpy as np
import pytest

from include.loadtest.analysis.bottleneck.counters import Growth, grown
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Series

pytestmark = pytest.mark.unit


def _counter(*points: tuple[float, float]) -> Series:
    at_s, values = np.array(points, dtype=np.float64).T
    return Series("app", "here", "requests", "requests", at_s, values)


def test_growth_is_that_of_the_span_and_of_the_time_that_was_read() -> None:
    """Of an interval that began earlier its part within; after the last reading nothing is known."""
    found = grown(_counter((0, 0), (10, 100), (20, 300)), Span(5, 60))
    assert found == Growth(250, 15, Span(5, 20))
    assert found.per_s == pytest.approx(250 / 15)


def test_a_server_that_began_anew_takes_nothing_away() -> None:
    """The interval in which it fell is one that nobody read."""
    assert grown(_counter((0, 90), (10, 100), (20, 5), (30, 25)), Span(0, 30)) == Growth(30, 20, Span(0, 30))
    assert grown(_counter((0, 1)), Span(0, 30)).per_s == 0
