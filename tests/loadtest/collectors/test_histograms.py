import math

import pytest

from include.loadtest.collectors.histograms import buckets_of, gained, quantile
from include.loadtest.exposition import series_of

pytestmark = pytest.mark.unit
BUCKETS = {0.1: 10.0, 0.5: 10.0, 1.0: 90.0, math.inf: 100.0}


@pytest.mark.parametrize(
    ("share", "expected"), [(0.05, 0.05), (0.1, 0.1), (0.5, 0.75), (0.9, 1.0), (0.95, 1.0), (0.99, 1.0)]
)
def test_quantiles_lie_evenly_in_their_bucket(share: float, expected: float) -> None:
    """10 below 0.1 s, 80 between 0.5 and 1 s, 10 beyond the last bound, of which only the bound is known."""
    assert quantile(BUCKETS, share) == pytest.approx(expected)


def test_nothing_has_no_quantile() -> None:
    """Neither an empty histogram nor one without values."""
    assert quantile({}, 0.5) is None
    assert quantile({1.0: 0.0, math.inf: 0.0}, 0.5) is None


def test_what_came_between_two_readings() -> None:
    """A count that fell, or other bounds, is another histogram: the server began anew."""
    later = {bound: count + 5 for bound, count in BUCKETS.items()}
    assert gained(BUCKETS, later) == dict.fromkeys(BUCKETS, 5.0)
    assert gained(later, BUCKETS) == {}
    assert gained({1.0: 0.0, math.inf: 0.0}, later) == {}


def test_buckets_are_summed_over_series() -> None:
    """By bound, however it is written; a page with a hole in it gives none."""
    page = 'x{a="1",le="0.50"} 1\nx{a="1",le="+Inf"} 2\nx{a="2",le="0.5"} 3\nx{a="2",le="+Inf"} 4\n'
    assert buckets_of(series_of(page)) == {0.5: 4.0, math.inf: 6.0}
    for bad in ('x{le="0.5"} 1\n', 'x{le="0.5"} NaN\nx{le="+Inf"} 2\n', 'x{le="no"} 1\nx{le="+Inf"} 2\n', "x 1\n"):
        assert buckets_of(series_of(bad)) == {}
