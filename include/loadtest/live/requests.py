"""The requests of a running load: totals since its start, and those that ended in the last seconds. Pure."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from include.loadtest.profile.thresholds import Threshold
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, PERCENTILES

P95 = "latency_p95_ms"
P95_SHARE, MIN_REQUESTS = PERCENTILES[P95]
"""With fewer requests in the window neither a P95 nor an error rate is told."""
READ_AFTER_S = 5
"""A request is read at most so long after its end: a part is closed every 3 s, and found within 2 s."""
RATE_WINDOW_S = 10
"""The rates are of so many seconds, the last that are surely read; other figures are of the thresholds' window."""
BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0, 10.0, 15.0, 30.0, 60.0)


class RequestGroup(NamedTuple):
    """Requests alike: the second (since the epoch) in which they ended, and their latency's class (see `class_ms`)."""

    second: int
    scenario: str
    outcome: str
    class_ms: int
    requests: int
    latency_us: int
    """Of all of them together."""


def class_ms(latency_us: int) -> int:
    """A latency in whole ms, rounded up to three digits: at most 1 % more, and on the same side of such a limit.

    >>> class_ms(6_999_200), class_ms(7_000_000), class_ms(7_000_001)
    (7000, 7000, 7010)
    """
    ms = -(-latency_us // 1000)
    step: int = 10 ** max(len(str(ms)) - 3, 0)
    return -(-ms // step) * step


def bounds_s(thresholds: Iterable[Threshold]) -> tuple[float, ...]:
    """Upper ends of the histogram's buckets; each limit of a latency is one, so the share beyond it is exact."""
    limits = {threshold.limit / 1000 for threshold in thresholds if threshold.unit == "ms"}
    return tuple(sorted({*BUCKETS_S, *limits}))


@dataclass
class Durations:
    """A histogram: requests by bucket (the last: beyond all bounds), not cumulated, and the sum of their seconds."""

    counts: list[int]
    sum_s: float = 0.0


@dataclass
class _Second:
    outcomes: Counter[str] = field(default_factory=Counter)
    classes: Counter[int] = field(default_factory=Counter)


class Requests:
    """Counts by scenario and outcome; memory does not grow with the load's length.

    `window_s`: of the figures; the rates' seconds are kept too, also where they reach further back.
    """

    def __init__(self, bounds: Sequence[float], window_s: int) -> None:
        self.bounds_s, self._window_s = tuple(bounds), window_s
        self._kept_s = max(window_s, RATE_WINDOW_S + READ_AFTER_S)
        self.totals: Counter[tuple[str, str]] = Counter()
        """By scenario and outcome."""
        self.durations: dict[str, Durations] = {}
        """By scenario, of the outcomes that are latencies; a timeout's is at least what is counted."""
        self._seconds: dict[int, _Second] = {}

    def note(self, groups: Iterable[RequestGroup]) -> None:
        """Count requests, in any order."""
        for group in groups:
            self.totals[group.scenario, group.outcome] += group.requests
            second = self._seconds.setdefault(group.second, _Second())
            second.outcomes[group.outcome] += group.requests
            if group.outcome in LATENCY_OUTCOMES:
                second.classes[group.class_ms] += group.requests
                self._note_durations(group)

    def _note_durations(self, group: RequestGroup) -> None:
        own = self.durations.setdefault(group.scenario, Durations([0] * (len(self.bounds_s) + 1)))
        own.counts[bisect_left(self.bounds_s, group.class_ms / 1000)] += group.requests
        own.sum_s += group.latency_us / 1e6

    def forget_before(self, now_s: float) -> None:
        """Drop the seconds that no figure and no rate is of any more."""
        for second in [second for second in self._seconds if second <= now_s - self._kept_s - 1]:
            del self._seconds[second]

    def figures(self, now_s: float) -> dict[str, float]:
        """P95 and error rate of the window, as metrics.json defines them; without enough requests they are absent."""
        outcomes, classes = self._window(now_s)
        judged = sum(outcomes.values()) - outcomes["censored"]
        found = {}
        if judged >= MIN_REQUESTS:
            found["error_rate"] = (judged - outcomes["ok"]) / judged
        if (count := classes.total()) >= MIN_REQUESTS:
            found[P95] = _percentile(classes, math.ceil(P95_SHARE * count))
        return found

    def ended(self, since_s: int, until_s: int) -> Counter[str]:
        """Requests by outcome that ended in the whole seconds from `since_s` up to before `until_s`, as far as kept."""
        found: Counter[str] = Counter()
        for second, own in self._seconds.items():
            if since_s <= second < until_s:
                found.update(own.outcomes)
        return found

    def in_window(self, now_s: float) -> int:
        """Requests of the window that an error rate is told of: those that were cut at the end are none."""
        outcomes, _ = self._window(now_s)
        return sum(outcomes.values()) - outcomes["censored"]

    def latencies(self, now_s: float) -> int:
        """Requests of the window that a P95 is told of: a failed one has no latency, one that was cut has."""
        return self._window(now_s)[1].total()

    def without_latency(self, now_s: float) -> int:
        """Requests of the window that failed before there was a latency."""
        outcomes, _ = self._window(now_s)
        return sum(count for outcome, count in outcomes.items() if outcome not in LATENCY_OUTCOMES)

    def rate_per_s(self, now_s: float) -> float:
        """Requests that ended in the window, a second of it."""
        return sum(self._window(now_s)[0].values()) / self._window_s

    def _window(self, now_s: float) -> tuple[Counter[str], Counter[int]]:
        outcomes: Counter[str] = Counter()
        classes: Counter[int] = Counter()
        for second, own in self._seconds.items():
            if second > now_s - self._window_s - 1:
                outcomes.update(own.outcomes)
                classes.update(own.classes)
        return outcomes, classes


def _percentile(classes: Counter[int], wanted: int) -> float:
    """The latency of the `wanted`th of the sorted requests."""
    seen = 0
    for name in sorted(classes):
        seen += classes[name]
        if seen >= wanted:
            break
    return float(name)
