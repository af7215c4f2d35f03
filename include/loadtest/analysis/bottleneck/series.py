"""Readings in order of time, and what is asked of them. Pure arithmetic."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from include.loadtest.analysis.bottleneck.model import Span

Array = NDArray[np.float64]
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_IN_PROMETHEUS = frozenset({"host", "process", "container", "app"})
_LEAST_READINGS = 3
"""Of a run of readings: a single one, or two, may be a hiccup."""
_MISS = 3.0
"""Readings above the threshold that one below it has to be outweighed by: three of four."""


@dataclass(frozen=True)
class Series:
    """One metric of one instance; times in seconds since 1970, ascending."""

    source: str
    instance: str
    metric: str
    unit: str
    at_s: Array
    values: Array

    def within(self, span: Span) -> "Series":
        """Its readings in a span."""
        chosen = (self.at_s >= span.start_s) & (self.at_s < span.end_s)
        return self.replaced(self.at_s[chosen], self.values[chosen])

    def replaced(self, at_s: Array, values: Array, unit: str | None = None) -> "Series":
        """The same metric with other readings."""
        return Series(self.source, self.instance, self.metric, self.unit if unit is None else unit, at_s, values)

    @property
    def mean(self) -> float | None:
        """Mean of the readings."""
        return float(self.values.mean()) if len(self.values) else None

    def rate(self) -> "Series":
        """A counter's growth a second; each value stands at the end of its interval."""
        seconds, steps = np.diff(self.at_s), np.diff(self.values)
        sound = (seconds > 0) & (steps >= 0)
        return self.replaced(self.at_s[1:][sound], steps[sound] / seconds[sound], f"{self.unit}/s")


@dataclass(frozen=True)
class Run:
    """A stretch of readings that lie above a threshold nearly all the time; `since_s` None: from the beginning."""

    span: Span
    values: Array
    since_s: float | None

    @property
    def mean(self) -> float:
        """Mean of its readings."""
        return float(self.values.mean())


def sustained(series: Series | None, span: Span, threshold: float, least: int = _LEAST_READINGS) -> Run | None:
    """The weightiest stretch of a span in which at least three of four readings reach the threshold; None without.

    Found as the segment of largest sum where a reading that reaches it counts 1 and another −3 (Kadane's algorithm).
    A load with few readings needs fewer, but never only one, unless `least` is 1.
    """
    if series is None:
        return None
    own = series.within(span)
    count = len(own.values)
    if not count:
        return None
    best = _heaviest(np.where(own.values >= threshold, 1.0, -_MISS))
    if best is None:
        return None
    first, last = best
    found = own.values[first : last + 1]
    if int((found >= threshold).sum()) < min(least, max(2, count)):
        return None
    step_s = float(np.median(np.diff(own.at_s))) if count > 1 else span.seconds
    start_s = max(span.start_s, float(own.at_s[first]) - step_s)
    is_from_beginning = first == 0 or start_s <= span.start_s + step_s
    end_s = min(span.end_s, float(own.at_s[last]) + 1e-3)
    return Run(Span(start_s, max(end_s, start_s + 1e-3)), found, None if is_from_beginning else start_s)


def _heaviest(scores: Array) -> tuple[int, int] | None:
    best, best_sum = None, 0.0
    start, total = 0, 0.0
    for place, score in enumerate(scores):
        if total <= 0:
            start, total = place, 0.0
        total += float(score)
        if total > 0 and total >= best_sum:
            best, best_sum = (start, place), total
    return best


def together(first: Series, second: Series) -> float | None:
    """Spearman's correlation of two series at the first one's times; None below six common readings."""
    if len(first.values) < 6 or len(second.values) < 6:
        return None
    inside = (first.at_s >= second.at_s[0]) & (first.at_s <= second.at_s[-1])
    if int(inside.sum()) < 6:
        return None
    ours = first.values[inside]
    theirs = np.interp(first.at_s[inside], second.at_s, second.values)
    if np.ptp(ours) == 0 or np.ptp(theirs) == 0:
        return None
    return float(np.corrcoef(ranks(ours), ranks(theirs))[0, 1])


def ranks(values: Array) -> Array:
    """Places from 1, ties at their mean place."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    upto = np.cumsum(counts)
    return np.asarray((upto - (counts - 1) / 2)[inverse], dtype=np.float64)


@dataclass(frozen=True)
class Readings:
    """All series of a run by source and metric; of several instances the one with most readings speaks.

    What a remote target's machine, processes, containers or application do not give themselves, a Prometheus server may
    give under the same names.
    """

    by_kind: Mapping[tuple[str, str], tuple[Series, ...]] = field(default_factory=dict)

    def get(self, source: str, metric: str) -> Series | None:
        """One series, or None where it was not read."""
        found = self.by_kind.get((source, metric), ())
        if not found and source in _IN_PROMETHEUS:
            found = self.by_kind.get(("prometheus", metric), ())
        return max(found, key=lambda series: len(series.values), default=None)

    def all(self, source: str, metric: str) -> tuple[Series, ...]:
        """The series of every instance."""
        return self.by_kind.get((source, metric), ())

    def first(self, *kinds: tuple[str, str]) -> Series | None:
        """The first of these that was read."""
        return next((series for kind in kinds if (series := self.get(*kind)) is not None), None)

    def family(self, source: str, name: str) -> dict[str, Series]:
        """Series `name{key="value"}` by that value."""
        found = {}
        for (own_source, metric), series in self.by_kind.items():
            base, _, labels = metric.partition("{")
            if own_source == source and base == name and (label := _LABEL.search(labels)):
                found[label[2]] = max(series, key=lambda one: len(one.values))
        return found

    @property
    def sources(self) -> frozenset[str]:
        """Sources that gave any reading."""
        return frozenset(source for source, _ in self.by_kind)


def readings_of(rows: Iterable[tuple[float, str, str, str, float, str]]) -> Readings:
    """Readings from rows (time in s, source, instance, metric, value, unit) in any order; of a moment the last one."""
    collected: dict[tuple[str, str, str], tuple[str, dict[float, float]]] = {}
    for at_s, source, instance, metric, value, unit in rows:
        _, points = collected.setdefault((source, instance, metric), (unit, {}))
        points[at_s] = value
    by_kind: dict[tuple[str, str], tuple[Series, ...]] = {}
    for (source, instance, metric), (unit, points) in sorted(collected.items()):
        at_s, values = np.array(sorted(points.items()), dtype=np.float64).T
        series = Series(source, instance, metric, unit, at_s, values)
        by_kind[source, metric] = (*by_kind.get((source, metric), ()), series)
    return Readings(by_kind)
