"""How fast something grows during a long hold: what a leak shows in.

A growth is the Theil-Sen slope over the minutes of the hold (see `statistics.theil_sen`). A minute's value is the
median of its readings, of latencies their P95, so that neither a garbage collection nor one slow answer is taken for
growth. The interval takes the minutes for independent; of what wanders by itself (a cache that fills and empties) it is
too narrow. A growth in per cent is that of the median of the minutes' values.

A hold below `LEAST_HOLD_S` has none: what settles after a warm-up would decide it.
"""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING, Any

from include.loadtest.metrics.phases import MINUTE_US, Stretch
from include.loadtest.metrics.rows import growth_row
from include.loadtest.metrics.statistics import theil_sen
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import (
    GROWTH_METRICS,
    LATENCY_OUTCOMES,
    METRICS,
    PERCENTILES,
    READINGS_OF,
    SERVER_GROWTH_METRICS,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

LEAST_HOLD_S = 30 * 60
LEAST_SHARE = 0.8
"""Of the minutes of the hold, those that must have a value: a source that fell silent says nothing of the rest."""
LATENCY_GROWTH = "latency_p95_growth_pct_per_h"
_HOLD = "hold"
_PROCESS_START = ("app", "process_start_time_seconds")
_MINUTES_AN_HOUR = 60

Minutes = Mapping[int, float]
"""A value by the number of its minute from the start of the hold."""


def has_growth(profile: Profile) -> bool:
    """Whether the planned hold is long enough to see growth in it. Checks plan more than they need, and vary."""
    hold_s = sum(stage.end_s - stage.start_s for stage in profile.stages() if stage.phase == _HOLD)
    return profile.checks is None and hold_s >= LEAST_HOLD_S


def hold_of(parts: Sequence[Stretch]) -> Stretch | None:
    """The hold, where it ran unbroken and long enough."""
    own = [part for part in parts if part.phase == _HOLD]
    return own[0] if len(own) == 1 and own[0].full_minutes * 60 >= LEAST_HOLD_S else None


def growth_rows(profile: Profile, minutes: Mapping[str, Minutes], hold: Stretch | None) -> list[dict[str, Any]]:
    """A row of each growth metric from its minutes; none for a profile whose planned hold is too short.

    The value is null where the hold ran too short, or too few of its minutes have a value.
    """
    if not has_growth(profile):
        return []
    wanted = math.inf if hold is None else LEAST_SHARE * hold.full_minutes
    return [_row(metric, minutes.get(metric, {}), wanted) for metric in GROWTH_METRICS]


def _row(metric: str, minutes: Minutes, wanted: float) -> dict[str, Any]:
    """n is the number of minutes with a value."""
    base = median(minutes.values()) / 100 if minutes and METRICS[metric].unit == "%/h" else 1.0
    if len(minutes) < wanted or base <= 0:
        return growth_row(metric, None, len(minutes), (None, None))
    slope, low, high = (end * _MINUTES_AN_HOUR / base for end in theil_sen(sorted(minutes.items())))
    return growth_row(metric, slope, len(minutes), (low, high))


def server_minutes(opened: "DuckDBPyConnection", hold: Stretch | None) -> dict[str, Minutes]:
    """The minutes of each server's growth metric, from the view `resources`.

    Those of the first kind of reading that the hold has; none where several instances, or several processes of the
    target, gave them: each has a level of its own.
    """
    if hold is None:
        return {}
    kinds = {kind for metric in SERVER_GROWTH_METRICS for kind in READINGS_OF[metric]} | {_PROCESS_START}
    rows = opened.execute(
        "SELECT source, metric, (epoch_ns(ts) // 1000 - $start) // $minute AS number, median(value), "
        "count(DISTINCT coalesce(instance, '')), count(DISTINCT round(value)) FROM resources "
        "WHERE list_contains($kinds, source || '|' || metric) AND isfinite(value) "
        "AND epoch_ns(ts) // 1000 >= $start AND epoch_ns(ts) // 1000 < $end GROUP BY ALL ORDER BY ALL",
        {**_bounds(hold), "kinds": ["|".join(kind) for kind in kinds]},
    ).fetchall()
    values: dict[tuple[str, str], dict[int, float]] = {}
    mixed: set[tuple[str, str]] = set()
    for source, name, number, value, instances, different in rows:
        values.setdefault((source, name), {})[number] = value
        if instances > 1 or ((source, name) == _PROCESS_START and different > 1):
            mixed.add((source, name))
    if _PROCESS_START in mixed or len({round(start_s) for start_s in values.get(_PROCESS_START, {}).values()}) > 1:
        mixed |= {kind for kind in kinds if kind[0] == _PROCESS_START[0]}
    return {metric: _chosen(metric, values, mixed) for metric in SERVER_GROWTH_METRICS}


def _chosen(metric: str, values: Mapping[tuple[str, str], Minutes], mixed: set[tuple[str, str]]) -> Minutes:
    kind = next((kind for kind in READINGS_OF[metric] if kind in values), None)
    return {} if kind is None or kind in mixed else values[kind]


def latency_minutes(opened: "DuckDBPyConnection", hold: Stretch | None) -> dict[str, Minutes]:
    """The exact P95, in ms, of the requests that began in each full minute of the hold, from the view `samples`.

    Like any P95: over all latencies, those that are lower bounds among them, in minutes with enough rows for one.
    """
    if hold is None:
        return {}
    share, least = PERCENTILES["latency_p95_ms"]
    rows = opened.execute(
        "WITH own AS (SELECT (epoch_ns(intended_start) // 1000 - $start) // $minute AS number, latency_us FROM samples "
        "WHERE epoch_ns(intended_start) // 1000 >= $start AND epoch_ns(intended_start) // 1000 < $end "
        "AND list_contains($outcomes, outcome)), "
        "placed AS (SELECT number, latency_us, row_number() OVER (PARTITION BY number ORDER BY latency_us) AS place, "
        "count(*) OVER (PARTITION BY number) AS n FROM own) "
        "SELECT number, latency_us / 1000 FROM placed WHERE n >= $least AND place = ($pct * n + 99) // 100",
        {**_bounds(hold), "outcomes": list(LATENCY_OUTCOMES), "least": least, "pct": round(100 * share)},
    ).fetchall()
    return {LATENCY_GROWTH: dict(rows)}


def _bounds(hold: Stretch) -> dict[str, int]:
    """Only full minutes count."""
    end_us = hold.start_us + hold.full_minutes * MINUTE_US
    return {"start": hold.start_us, "end": end_us, "minute": MINUTE_US}
