"""Quantiles between two readings of a histogram."""

import math
from collections.abc import Iterable, Mapping

from include.loadtest.exposition import Series

Buckets = Mapping[float, float]
"""Number of values at or below a bound, by bound; the last bound is infinite."""


def buckets_of(entries: Iterable[Series]) -> Buckets:
    """The sum over a histogram's series; {} where one has no number or no bound, or none is unbounded."""
    counts: dict[float, float] = {}
    for entry in entries:
        bound = _bound(entry.label_values.get("le", ""))
        if bound is None or entry.value is None:
            return {}
        counts[bound] = counts.get(bound, 0.0) + entry.value
    return dict(sorted(counts.items())) if math.inf in counts else {}


def _bound(text: str) -> float | None:
    try:
        bound = float(text)
    except ValueError:
        return None
    return bound if bound >= 0 else None


def gained(before: Buckets, after: Buckets) -> Buckets:
    """What came between two readings; {} where a bound is new or a count fell: the server began anew."""
    if before.keys() != after.keys():
        return {}
    counts = {bound: after[bound] - before[bound] for bound in after}
    return {} if any(count < 0 for count in counts.values()) else counts


def quantile(buckets: Buckets, share: float) -> float | None:
    """The value that `share` of all are at or below, taken as evenly spread in its bucket; None where there are none.

    Beyond the last bound it is that bound, so "at least"; the first bucket begins at 0. As histogram_quantile does it:
    https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile
    """
    total = buckets.get(math.inf, 0.0)
    if total <= 0:
        return None
    wanted, low, below = share * total, 0.0, 0.0
    for bound, count in buckets.items():
        if count >= wanted and count > below:
            return low if math.isinf(bound) else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, max(below, count)
    return None
