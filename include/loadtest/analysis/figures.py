"""A run as the change test sees it: logarithms of its percentiles, and what tells a slow host from a slow product."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.loadtest.profile.vocabulary import SCOPE_ALL

BODY = "latency_body_ms"
TAIL = "latency_tail_ms"
VALUE = "value"
"""The measure of a history that has one number a run."""
PERCENTILES_OF: dict[str, tuple[str, ...]] = {
    BODY: ("latency_p10_ms", "latency_p25_ms", "latency_p50_ms", "latency_p75_ms", "latency_p90_ms"),
    TAIL: ("latency_p95_ms", "latency_p99_ms"),
    VALUE: (VALUE,),
}
"""What a measure is made of: see `columns.columns`."""
ENDPOINT = "endpoint:"
PHASE = "hold"
_TWO_SIDED_95 = 2 * 1.959963984540054  # width of a normal 95 % interval, in standard errors


@dataclass(frozen=True)
class Point:
    """The natural logarithm of a figure, and its standard error within the run: 0 where the run does not say."""

    log: float
    error: float = 0.0


@dataclass(frozen=True)
class RunFigures:
    """One run. `points` by scope, then metric; None is what was not measured.

    `stall_s` is the longest time with users waiting and nothing finished.
    """

    run_id: str
    points: Mapping[str, Mapping[str, Point]]
    higher_is_better: bool = False
    target_cpu_ms_per_request: float | None = None
    cpu_probe_ms: float | None = None
    stall_s: float | None = None


def run_figures(run_id: str, rows: Iterable[Mapping[str, Any]]) -> RunFigures:
    """From the rows of metrics.json, or of the history: percentiles of the endpoints in the hold.

    The standard error of a percentile's logarithm is that of its 95 % interval, as if it were normal. A percentile
    whose interval is open at an end has too few requests beyond it to be compared (a P99 needs 368), and is left out.
    """
    own = [row for row in rows if row["phase"] == PHASE]
    wanted = {*PERCENTILES_OF[BODY], *PERCENTILES_OF[TAIL]}
    points: dict[str, dict[str, Point]] = {}
    for row in own:
        is_wanted = row["metric"] in wanted and row["scope"].startswith(ENDPOINT)
        if is_wanted and row["value"] and row["ci_low"] and row["ci_high"]:
            points.setdefault(row["scope"], {})[row["metric"]] = _point(row)
    whole = {row["metric"]: row["value"] for row in own if row["scope"] == SCOPE_ALL}
    return RunFigures(
        run_id,
        points,
        target_cpu_ms_per_request=whole.get("target_cpu_ms_per_request"),
        cpu_probe_ms=whole.get("cpu_probe_ms"),
        stall_s=whole.get("longest_stall_s"),
    )


def _point(row: Mapping[str, Any]) -> Point:
    return Point(math.log(row["value"]), math.log(row["ci_high"] / row["ci_low"]) / _TWO_SIDED_95)


def series_run(run_id: str, value: float, *, higher_is_better: bool) -> RunFigures:
    """A run of a history that has one positive number a run."""
    return RunFigures(run_id, {SCOPE_ALL: {VALUE: Point(math.log(value))}}, higher_is_better)
