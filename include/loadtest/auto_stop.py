"""When a load has to end early, decided by what its last seconds hold; pure, and of bounded memory.

Two of the rules are about the target (share of failed requests, latency), one is about the generator: held back for so
long, it measures itself.
"""

import math
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from include.loadtest.profile.rules import AutoStop, Starvation
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES

_STEP = math.log(1.05)
"""Latencies are counted in classes, each 5 % wide: about 270 for all from 1 ms to ten minutes."""
_NOT_THE_TARGETS = frozenset({"ok", "censored", "rejected"})
"""Outcomes that are no failure of the target here: a limiter's refusals make a test invalid, they do not abort it."""
_REFUSED, _QUICK_MS = 503, 1000
"""A refusal within a second is a graceful degradation; whether there were too many is for the limits."""
FIGURE_UNITS = {
    "loop_lag_ms": "ms",
    "cpu_pct": "%",
    "run_queue_wait_ms_per_s": "ms/s",
    "cpu_throttled_ms_per_s": "ms/s",
    "cpu_steal_pct": "%",
}


def starved_figures(figures: Mapping[str, float], limits: Starvation) -> dict[str, float]:
    """Those figures of one reading of the generator that say that it was held back; {} for a healthy one.

    What is absent says nothing.
    """
    thresholds = limits.model_dump()
    return {name: value for name, value in figures.items() if name in thresholds and value >= thresholds[name]}


@dataclass(frozen=True)
class Stop:
    """Why a load ends early: a reason code and a text for people."""

    code: str
    text: str


@dataclass
class _Second:
    """What ended in one second of the load, or in a window of them."""

    requests: int = 0
    failed: int = 0
    classes: Counter[int] = field(default_factory=Counter)

    def lose(self, other: "_Second") -> None:
        self.requests -= other.requests
        self.failed -= other.failed
        for name, count in other.classes.items():
            self.classes[name] -= count
            if not self.classes[name]:
                del self.classes[name]


class StopRules:
    """The rules over a sliding window; times are seconds since the load began, and never go back.

    A rule about the target holds only for a window that the load has filled: the first failures of a ramp prove
    nothing. Requests count in the second in which they ended.
    """

    def __init__(self, rules: AutoStop, starvation: Starvation) -> None:
        self._rules, self._starvation = rules, starvation
        self._seconds: deque[tuple[int, _Second]] = deque()
        self._window = _Second()
        self._healthy_s = 0.0
        self._starved: dict[str, float] = {}
        self._reading_s = 0.0

    def note(self, offset_s: float, outcome: str, latency_ms: float, status: int | None = None) -> None:
        """A request that ended; one that was cut says nothing, and a quick 503 is a graceful refusal."""
        if outcome == "censored":
            return
        is_refusal = status == _REFUSED and latency_ms < _QUICK_MS
        failed = int(outcome not in _NOT_THE_TARGETS and not is_refusal)
        name = _class_of(latency_ms) if outcome in LATENCY_OUTCOMES else None
        second = int(offset_s)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, _Second()))
        for of in (self._seconds[-1][1], self._window):
            of.requests += 1
            of.failed += failed
            if name is not None:
                of.classes[name] += 1

    def note_reading(self, offset_s: float, figures: Mapping[str, float]) -> None:
        """A reading of the generator itself."""
        self._reading_s = offset_s
        self._starved = starved_figures(figures, self._starvation)
        if not self._starved:
            self._healthy_s = offset_s

    def decide(self, offset_s: float) -> Stop | None:
        """What ends the load now; None: it goes on."""
        while self._seconds and self._seconds[0][0] <= offset_s - self._rules.window_s - 1:
            self._window.lose(self._seconds.popleft()[1])
        if offset_s >= self._rules.window_s and self._window.requests >= self._rules.min_requests:
            stop = self._errors() or self._latency()
            if stop is not None:
                return stop
        return self._starvation_stop()

    def _errors(self) -> Stop | None:
        limit, window = self._rules.error_share, self._window
        if limit is None or window.failed < limit * window.requests:
            return None
        text = f"{window.failed} of the {window.requests} requests of the last {self._rules.window_s} s failed"
        return Stop("auto_stop_errors", f"{text}, the limit is {100 * limit:g} %")

    def _latency(self) -> Stop | None:
        limit_ms = self._rules.latency_p95_ms
        p95_ms = _at_least_p95_ms(self._window.classes)
        if limit_ms is None or p95_ms is None or p95_ms <= limit_ms:
            return None
        text = f"P95 of the last {self._rules.window_s} s is at least {p95_ms:,.0f} ms"
        return Stop("auto_stop_latency", f"{text}, the limit is {limit_ms:,.0f} ms")

    def _starvation_stop(self) -> Stop | None:
        limit_s = self._rules.starved_s
        if limit_s is None or not self._starved or self._reading_s - self._healthy_s < limit_s:
            return None
        figures = ", ".join(f"{name} {value:,.0f} {FIGURE_UNITS[name]}" for name, value in self._starved.items())
        held_s = self._reading_s - self._healthy_s
        return Stop("generator_starved", f"the generator was held back for {held_s:.0f} s without a break ({figures})")


def _class_of(latency_ms: float) -> int:
    return math.floor(math.log(max(latency_ms, 0.001)) / _STEP)


def _at_least_p95_ms(classes: Mapping[int, int]) -> float | None:
    """The lower end of the class in which the P95 lies: up to 5 % less than the P95, never more. None without rows."""
    names = sorted(classes)
    counts = list(accumulate(classes[name] for name in names))
    if not counts:
        return None
    wanted = math.ceil(0.95 * counts[-1])
    return math.exp(_STEP * next(name for name, count in zip(names, counts, strict=True) if count >= wanted))
