"""How each scenario's latencies are spread in the hold, or the spike: counts by equally wide buckets of a log scale."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES
from include.loadtest.reporting.key_phase import key_phase
from include.loadtest.reporting.sample_counts import BUCKET_RATIO, SampleCounts

PERCENTILE_NAMES = {
    "latency_p50_ms": "P50",
    "latency_p90_ms": "P90",
    "latency_p95_ms": "P95",
    "latency_p99_ms": "P99",
}
"""Percentiles that are shown beside a distribution, by their metric."""
_MERGED = 10
"""Narrow buckets in a shown one: each is a tenth wider than the one before it."""
_PREFIX = "scenario:"

Row = Mapping[str, Any]


def distributions(counts: SampleCounts, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """An entry for each scenario; `rows` are those of metrics.json, so that its percentiles are the ones shown.

    `n` latencies, of which `lower_bounds` are known only to have taken at least that long; `counts[i]` of them lie from
    `edges_ms[i]` up to below `edges_ms[i + 1]`. A percentile without a value is null. A scenario of metrics.json
    without any latency has an empty distribution. The phase is that of the key figures.
    """
    cells, phase = counts.by_scenario, key_phase(rows)
    cells = cells.chosen(cells.of(LATENCY_OUTCOMES) & (cells.phase == phase))
    names = [row["scope"].removeprefix(_PREFIX) for row in rows if row["scope"].startswith(_PREFIX)]
    found = []
    for name in dict.fromkeys([*names, *sorted(map(str, set(cells.scenario)))]):
        own = cells.chosen(cells.scenario == name)
        edges_ms, inside = _buckets(own.bucket.tolist(), own.n.tolist())
        found.append(
            {
                "scenario": name,
                "n": int(own.n.sum()),
                "lower_bounds": int(own.n[own.is_bound()].sum()),
                "edges_ms": edges_ms,
                "counts": inside,
                "percentiles": _percentiles(rows, name, phase),
            }
        )
    return found


def _buckets(narrow: Sequence[int], rows: Sequence[int]) -> tuple[list[float], list[int]]:
    """Edges and counts from the lowest bucket with a row to the highest."""
    if not narrow:
        return [], []
    first, last = min(narrow) // _MERGED, max(narrow) // _MERGED
    inside = [0] * (last - first + 1)
    for bucket, count in zip(narrow, rows, strict=True):
        inside[bucket // _MERGED - first] += count
    edges_ms = [BUCKET_RATIO ** (_MERGED * number) / 1000 for number in range(first, last + 2)]
    return [float(f"{edge:.5g}") for edge in edges_ms], inside


def _percentiles(rows: Sequence[Row], name: str, phase: str) -> list[dict[str, Any]]:
    of_metric = {row["metric"]: row for row in rows if (row["scope"], row["phase"]) == (f"{_PREFIX}{name}", phase)}
    return [
        {
            "name": shown,
            "ms": row["value"],
            "is_bound": row["value"] is not None and bool(row.get("lower_bound")),
            "n": row["n"],
        }
        for metric, shown in PERCENTILE_NAMES.items()
        if (row := of_metric.get(metric)) is not None
    ]
