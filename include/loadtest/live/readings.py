"""The readings of a running load: the latest of each kind, and the window of those that thresholds are about. Pure."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from include.loadtest.profile.thresholds import LIVE_METRICS
from include.loadtest.profile.vocabulary import READINGS_OF
from include.loadtest.run import READING_INTERVAL_S

GENERATOR = "generator"
MAX_SERIES = 2048
"""So many readings with a label are kept at a time: statements, tables and endpoints come and go, others do not.

Those without one have names of this program's own, so they are few, and a busy target cannot crowd them out.
"""
FRESH_S = 6 * READING_INTERVAL_S
"""An older reading says nothing about now: parts are closed every 10 s, so one is up to 15 s old when it is read."""
MIN_LOOKUPS = 20
"""With fewer lookups in the window no hit rate is told."""
HITS, MISSES = ("redis", "keyspace_hits"), ("redis", "keyspace_misses")
SLOW_QUERIES = ("postgres", "slow_queries")
LEVELS = {
    metric: READINGS_OF[metric]
    for metric in LIVE_METRICS
    if metric in READINGS_OF and metric not in ("cache_hit_rate", "slow_queries_per_min")
}
"""Metrics whose figure is the mean of a kind of reading, by source and name: the first kind that the run has."""
_KEPT = frozenset({HITS, MISSES, SLOW_QUERIES, *(kind for kinds in LEVELS.values() for kind in kinds)})

Kind = tuple[str, str]


@dataclass(frozen=True)
class Latest:
    """The newest reading of one kind; `ts_s` in seconds since the epoch."""

    ts_s: float
    source: str
    instance: str
    metric: str
    value: float
    unit: str


class Readings:
    """Latest values and the window. The generator's own readings are kept, and are never a figure of the target."""

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._latest: dict[tuple[str, str, str], Latest] = {}
        self._series: dict[tuple[str, str, str], deque[tuple[float, float]]] = {}
        self._seen: set[Kind] = set()
        self._labelled = 0

    def note(self, readings: Iterable[Latest]) -> None:
        """Take readings of one part after the other; within a kind they are in order."""
        for reading in readings:
            key = (reading.source, reading.instance, reading.metric)
            known = self._latest.get(key)
            if known is None and "{" in reading.metric:
                if self._labelled >= MAX_SERIES:
                    continue
                self._labelled += 1
            if known is None or reading.ts_s >= known.ts_s:
                self._latest[key] = reading
            if (kind := (reading.source, reading.metric)) in _KEPT:
                self._seen.add(kind)
                self._series.setdefault(key, deque()).append((reading.ts_s, reading.value))

    def forget_before(self, now_s: float) -> None:
        """Drop what has left the window, and latest readings that are no longer fresh."""
        self._latest = {key: reading for key, reading in self._latest.items() if reading.ts_s >= now_s - FRESH_S}
        self._labelled = sum("{" in metric for _, _, metric in self._latest)
        for values in self._series.values():
            while values and values[0][0] < now_s - self._window_s:
                values.popleft()

    def latest(self, now_s: float) -> list[Latest]:
        """The newest reading of each kind that is still fresh."""
        return [reading for reading in self._latest.values() if reading.ts_s >= now_s - FRESH_S]

    def users(self, now_s: float) -> float | None:
        """Users that run now; None where no generator has said so lately."""
        own = [reading for reading in self.latest(now_s) if (reading.source, reading.metric) == (GENERATOR, "users")]
        return sum(reading.value for reading in own) if own else None

    def figures(self, now_s: float) -> dict[str, float]:
        """The figures of the window by metric; what was not read in it is absent."""
        since_s = now_s - self._window_s
        found = {metric: self._level(kinds, since_s) for metric, kinds in LEVELS.items()}
        found["cache_hit_rate"] = self._hit_rate(since_s)
        found["slow_queries_per_min"] = self._slow_per_min(since_s)
        return {metric: value for metric, value in found.items() if value is not None}

    def _level(self, kinds: Iterable[Kind], since_s: float) -> float | None:
        """The mean in the window, of several instances the highest."""
        kind = next((kind for kind in kinds if kind in self._seen), None)
        means = [_mean([value for _, value in own]) for own in self._of(kind, since_s)] if kind else []
        return max(means, default=None)

    def _hit_rate(self, since_s: float) -> float | None:
        hits, misses = (sum(map(_gained, self._of(kind, since_s))) for kind in (HITS, MISSES))
        return hits / (hits + misses) if hits + misses >= MIN_LOOKUPS else None

    def _slow_per_min(self, since_s: float) -> float | None:
        """Of the whole window, also where readings began in it: what was not seen is not assumed."""
        gains = [_gained(own) for own in self._of(SLOW_QUERIES, since_s) if len(own) > 1]
        return 60 * sum(gains) / self._window_s if gains else None

    def _of(self, kind: Kind, since_s: float) -> Iterator[list[tuple[float, float]]]:
        """The window of each instance that was read in it."""
        for (source, _, metric), values in self._series.items():
            if (source, metric) == kind and (own := [entry for entry in values if entry[0] >= since_s]):
                yield own


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _gained(values: list[tuple[float, float]]) -> float:
    """Growth of a counter; where it falls its server has restarted, and that step does not count."""
    return sum(max(0.0, after - before) for (_, before), (_, after) in pairwise(values))
