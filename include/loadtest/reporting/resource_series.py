"""What the servers and the generator did over the time of a load: chosen readings, as lines for a picture.

Counters are shown as what they gained a second or a minute. A line has at most MOST_POINTS points; where there are more
readings, a point is the mean of several, and `low` and `high` are the least and the greatest of them: no peak is lost.
What was not read is absent.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from include.loadtest.bundle import Bundle
from include.loadtest.parts import RESOURCE_COLUMNS, with_parts
from include.loadtest.profile.vocabulary import READINGS_OF

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

MOST_POINTS = 300
Kind = tuple[str, str]
"""Source and name of a reading."""
Group = Literal["cpu", "memory", "database", "redis", "llm", "app", "generator"]
How = Literal["level", "per_s", "per_min", "share", "mean_ms"]
_MARGIN_S = 5.0
_STARTED = "process_start_time_seconds"
_WAIT_S, _WAITS = "llm_wait_seconds_sum", "llm_wait_seconds_count"
_USERS: Kind = ("generator", "users")
_HELD = 3
"""A generator that gave no reading for that many intervals, and none later, has ended."""


@dataclass(frozen=True)
class Line:
    """A line: the first of `kinds` that was read, and how its readings become values.

    `share`: the counter's gain as a share of its own and that of `beside`; `mean_ms`: seconds gained by the counter for
    each that `beside` gained, in ms. `beside` is of the same source.
    """

    key: str
    title: str
    unit: str
    kinds: tuple[Kind, ...]
    how: How = "level"
    beside: str = ""


def _of(metric: str, sources: tuple[str, ...]) -> tuple[Kind, ...]:
    return tuple((source, metric) for source in sources)


_APP, _LLM, _POSTGRES = ("app", "prometheus"), ("app", "llm", "prometheus"), ("postgres",)
_GENERATOR, _PROCESS, _HOST = ("generator",), ("process", "prometheus"), ("host", "prometheus")
_SHOWN: dict[Group, tuple[Line, ...]] = {
    "cpu": (
        Line("host_cpu_pct", "CPU of the target's host", "%", READINGS_OF["host_cpu_pct"]),
        Line("target_cpu_cores", "CPU of the application", "cores", READINGS_OF["target_cpu_cores"]),
        Line("postgres_cpu_cores", "CPU of PostgreSQL", "cores", _of("postgres_cpu_cores", _PROCESS)),
        Line("host_load_1m", "Load of the target's host, 1 min", "processes", _of("load_1m", _HOST)),
    ),
    "memory": (
        Line("host_memory_pct", "Memory of the target's host", "%", READINGS_OF["host_memory_pct"]),
        Line(
            "target_memory_bytes", "Memory of the application", "bytes", READINGS_OF["target_memory_growth_pct_per_h"]
        ),
    ),
    "database": (
        Line("postgres_connections", "Connections to PostgreSQL", "connections", READINGS_OF["postgres_connections"]),
        Line("db_pool_waiting", "Requests waiting for a connection", "requests", _of("db_pool_waiting", _APP)),
        Line("slow_queries_per_min", "Slow queries", "queries/min", READINGS_OF["slow_queries_per_min"], "per_min"),
        Line("lock_waits", "Waits for locks", "locks", _of("lock_waits", _POSTGRES)),
        Line("transactions_per_s", "Transactions committed", "transactions/s", _of("xact_commit", _POSTGRES), "per_s"),
    ),
    "redis": (
        Line("redis_memory_bytes", "Memory of Redis", "bytes", READINGS_OF["redis_memory_bytes"]),
        Line("cache_hit_rate", "Hit rate of Redis", "ratio", READINGS_OF["cache_hit_rate"], "share", "keyspace_misses"),
        Line("redis_evictions_per_min", "Keys evicted", "keys/min", READINGS_OF["redis_evictions_per_min"], "per_min"),
    ),
    "llm": (
        Line("llm_calls_per_min", "Calls of the LLM", "calls/min", _of("llm_calls", _LLM), "per_min"),
        Line("llm_errors_per_min", "Failed calls of the LLM", "calls/min", _of("llm_errors", _LLM), "per_min"),
        Line("llm_wait_mean_ms", "Wait for the LLM, a call", "ms", _of(_WAIT_S, _LLM), "mean_ms", _WAITS),
    ),
    "app": (
        Line("event_loop_lag_ms", "Lag of the application's event loop", "ms", _of("event_loop_lag_ms", _APP)),
        Line("requests_in_progress", "Requests in progress", "requests", _of("starlette_requests_in_progress", _APP)),
    ),
    "generator": (
        Line("generator_cpu_pct", "CPU of the load generator", "%", _of("cpu_pct", _GENERATOR)),
        Line("generator_loop_lag_ms", "Lag of the load generator's loop", "ms", _of("loop_lag_ms", _GENERATOR)),
    ),
}
LINES: tuple[Line, ...] = tuple(line for lines in _SHOWN.values() for line in lines)
"""All lines, in the order in which they are shown."""


@dataclass(frozen=True)
class Readings:
    """One metric of one instance; times in seconds since 1970, ascending."""

    at_s: "Numbers"
    values: "Numbers"


ByKind = Mapping[Kind, Mapping[str, Readings]]
"""Readings by kind, then by instance."""


def resource_series(bundle: Bundle, start_s: float, end_s: float) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The lines of a bundle's readings between these times, and the users; see part `resources` of `chart_data`.

    Users are those of all generators together, None where none said how many it had.
    """
    names = {kind for line in LINES for kind in line.kinds}
    names |= {(source, line.beside) for line in LINES for source, _ in line.kinds if line.beside}
    names |= {_USERS, ("app", _STARTED)}
    span = (start_s - _MARGIN_S, end_s + _MARGIN_S)
    found, _ = with_parts(
        bundle.resources_dir, "resources", RESOURCE_COLUMNS, lambda opened: _read(opened, sorted(names), span)
    )
    entries = [
        {"key": line.key, "group": group, "title": line.title, "unit": line.unit, **entry}
        for group, lines in _SHOWN.items()
        for line in lines
        for entry in _entries(line, found)
    ]
    return entries, _users(found.get(_USERS, {}))


def _read(opened: Any, names: Sequence[Kind], span: tuple[float, float]) -> ByKind:
    """Of several readings of one moment the greatest counts."""
    import numpy as np

    rows = opened.execute(
        "SELECT source, metric, coalesce(instance, '') AS place, epoch_ns(ts) / 1e9 AS at_s, max(value) AS value "
        "FROM resources WHERE list_contains($names, source || '|' || metric) AND isfinite(value) "
        "AND epoch_ns(ts) / 1e9 BETWEEN $low AND $high GROUP BY ALL ORDER BY source, metric, place, at_s",
        {"names": ["|".join(kind) for kind in names], "low": span[0], "high": span[1]},
    ).fetchnumpy()
    words = [np.asarray(rows[name], dtype=object) for name in ("source", "metric", "place")]
    is_next = np.logical_or.reduce([word[1:] != word[:-1] for word in words])
    firsts = np.flatnonzero(np.concatenate([[True], is_next])) if len(words[0]) else np.empty(0, np.int64)
    found: dict[Kind, dict[str, Readings]] = {}
    for low, high in zip(firsts, [*firsts[1:], len(words[0])][: len(firsts)], strict=True):
        source, metric, instance = (str(word[low]) for word in words)
        values = np.asarray(rows["value"][low:high], np.float64)
        found.setdefault((source, metric), {})[instance] = Readings(np.asarray(rows["at_s"][low:high]), values)
    return found


def _entries(line: Line, found: ByKind) -> Iterator[dict[str, Any]]:
    kind = next((kind for kind in line.kinds if kind in found), None)
    if kind is None:
        return
    for instance, readings in found[kind].items():
        values = _values(line, kind[0], instance, readings, found)
        if len(values.at_s):
            yield {"source": kind[0], "instance": instance, **thinned(values)}


def _values(line: Line, source: str, instance: str, readings: Readings, found: ByKind) -> Readings:
    if line.how == "level":
        return readings
    started = found.get((source, _STARTED), {}).get(instance)
    if line.how in ("per_s", "per_min"):
        return gained(readings, None, 60.0 if line.how == "per_min" else 1.0, started)
    beside = found.get((source, line.beside), {}).get(instance)
    if beside is None:
        return gained(readings, Readings(readings.at_s[:0], readings.values[:0]), 1.0, started)
    return gained(readings, beside, 1000.0 if line.how == "mean_ms" else 1.0, started, is_share=line.how == "share")


def gained(
    counter: Readings, beside: Readings | None, factor: float, started: Readings | None, *, is_share: bool = False
) -> Readings:
    """What a counter gained from one reading to the next: a second, or for each that `beside` gained, times `factor`.

    `is_share`: as a share of what both gained. A value stands at the end of its interval. An interval in which a
    counter fell, or whose process has another start time at its end (`started`), has none, nor has one without any gain
    to divide by. Of several processes that answer in turn, each with its own counters, nothing is said.
    """
    import numpy as np

    at_s, values = counter.at_s, counter.values
    other = at_s
    if beside is not None:
        at_s, own, places = np.intersect1d(at_s, beside.at_s, return_indices=True)
        values, other = values[own], beside.values[places]
    steps, below, seconds = np.diff(values), np.diff(other), np.diff(at_s)
    below = steps + below if is_share else below
    sound = (steps >= 0) & (np.diff(other) >= 0) & (below > 0) & (seconds > 0) & _same_process(at_s, started)
    return Readings(at_s[1:][sound], factor * steps[sound] / below[sound])


def _same_process(at_s: "Numbers", started: Readings | None) -> Any:
    import numpy as np

    if started is None or not len(started.at_s):
        return np.ones(max(len(at_s) - 1, 0), bool)
    place = np.clip(np.searchsorted(started.at_s, at_s, side="right") - 1, 0, None)
    starts = started.values[place]
    is_same = np.diff(starts) == 0
    turns_back = int((~is_same).sum()) >= len(np.unique(starts)) and len(starts) > 1
    return np.zeros_like(is_same) if turns_back else is_same


def _users(by_instance: Mapping[str, Readings]) -> dict[str, Any] | None:
    """All generators' users at each reading of any; a point that stands for several readings is the most of them.

    A reading holds until the same generator's next one, the last one for _HELD usual intervals: then it has ended.
    """
    import numpy as np

    if not by_instance:
        return None
    steps_s = np.concatenate([np.diff(one.at_s) for one in by_instance.values()])
    held_s = _HELD * float(np.median(steps_s)) if len(steps_s) else math.inf
    at_s = np.unique(np.concatenate([one.at_s for one in by_instance.values()]))
    total = np.zeros(len(at_s))
    for one in by_instance.values():
        place = np.clip(np.searchsorted(one.at_s, at_s, side="right") - 1, 0, None)
        is_there = (at_s >= one.at_s[0]) & (at_s <= one.at_s[-1] + held_s)
        total += np.where(is_there, one.values[place], 0.0)
    shown = thinned(Readings(at_s, total))
    return {"t": shown["t"], "value": shown["high"] or shown["value"]}


def thinned(readings: Readings) -> dict[str, Any]:
    """`t`, `value`, `low` and `high` of a line; low and high are null where a point is one reading."""
    import numpy as np

    if len(readings.at_s) <= MOST_POINTS:
        return {"t": _times(readings.at_s), "value": _figures(readings.values), "low": None, "high": None}
    width_s = (readings.at_s[-1] - readings.at_s[0]) / MOST_POINTS
    group = np.minimum((readings.at_s - readings.at_s[0]) // width_s, MOST_POINTS - 1)
    firsts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff([*firsts, len(group)])
    return {
        "t": _times(np.add.reduceat(readings.at_s, firsts) / sizes),
        "value": _figures(np.add.reduceat(readings.values, firsts) / sizes),
        "low": _figures(np.minimum.reduceat(readings.values, firsts)),
        "high": _figures(np.maximum.reduceat(readings.values, firsts)),
    }


def _times(values: "Numbers") -> list[float]:
    return [round(float(value), 1) for value in values]


def _figures(values: "Numbers") -> list[float]:
    """Five digits are more than a picture shows."""
    return [float(f"{value:.5g}") for value in values]
