"""All that a detector may look at: readings, requests, what was judged, and the spans of the load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from include.loadtest.analysis.bottleneck.model import Evidence, Span, clock
from include.loadtest.analysis.bottleneck.onset import Shift, latency_shift
from include.loadtest.analysis.bottleneck.requests import Requests
from include.loadtest.analysis.bottleneck.series import Readings, Run, Series
from include.loadtest.profile import Profile

_NO_ANSWER = ("no answer", "timeout", "timed out", "a reading took")
"""Words of a gap whose source let the monitoring wait: it is slow. One that refuses it answers at once."""
_OF_THE_MACHINE = frozenset({"host", "generator", "process"})
_LEAST_BEFORE_S = 8.0
"""A shorter stretch says nothing of the time before."""


@dataclass(frozen=True)
class Silence:
    """A time in which a source gave no readings, and why."""

    source: str
    span: Span
    reason: str


@dataclass(frozen=True)
class Case:
    """One run under diagnosis. `load`: the stretch that is looked at; `whole`: all of the load, with its ramp."""

    profile: Profile
    readings: Readings
    requests: Requests
    load: Span
    whole: Span
    manifest: Mapping[str, Any] = field(default_factory=dict)
    verdict: Mapping[str, Any] = field(default_factory=dict)
    reference: Mapping[str, float] = field(default_factory=dict)
    observations: tuple[Mapping[str, Any], ...] = ()
    silences: tuple[Silence, ...] = ()

    @cached_property
    def shift(self) -> Shift | None:
        """The rise of latencies within the load."""
        return latency_shift(self.requests, self.load)

    @cached_property
    def before(self) -> Span | None:
        """The load before latencies rose; None where they did not."""
        if self.shift is None or self.shift.at_s - self.load.start_s < _LEAST_BEFORE_S:
            return None
        return Span(self.load.start_s, self.shift.at_s)

    @cached_property
    def window(self) -> Span:
        """The part of the load that is judged: since latencies rose, else all of it."""
        return self.load if self.shift is None else Span(self.shift.at_s, self.load.end_s)

    @property
    def reasons(self) -> Sequence[Mapping[str, Any]]:
        """Why the verdict is what it is."""
        return list(self.verdict.get("reasons") or ())

    @property
    def shares_host(self) -> bool:
        """Whether the target's machine is the generator's too."""
        return bool((self.manifest.get("target") or {}).get("shares_host"))

    @cached_property
    def in_flight(self) -> float:
        """Requests that users wait for at a time in the window."""
        return self.requests.in_flight(self.window)

    @cached_property
    def per_s(self) -> float:
        """Requests that ended a second in the window."""
        return self.requests.ended(self.window) / self.window.seconds if self.window.seconds > 0 else 0.0

    def share_of_waiting(self, concurrent: float, span: Span | None = None) -> float:
        """What share of the requests in flight so many at a time are: the share of their time (Little's law)."""
        in_flight = self.in_flight if span is None else self.requests.in_flight(span)
        return min(1.0, concurrent / in_flight) if in_flight > 0 else 0.0

    def mean(self, series: Series | None, span: Span | None) -> float | None:
        """Mean of a series in a span; None where either is missing."""
        return None if series is None or span is None else series.within(span).mean

    def rate_of(self, source: str, metric: str, span: Span) -> float | None:
        """A counter's growth a second in a span; None without two readings."""
        series = self.readings.get(source, metric)
        return None if series is None else self.mean(series.rate(), span)

    def growth_of(self, source: str, metric: str, span: Span) -> float | None:
        """How much a counter grew in a span, with the interval that leads into it; None without two readings."""
        series = self.readings.get(source, metric)
        if series is None or len(series.values) < 2:
            return None
        rate = series.rate()
        inside = (rate.at_s > span.start_s) & (rate.at_s <= span.end_s + _interval_s(series))
        if not inside.any():
            return None
        seconds = [at_s - series.at_s[series.at_s < at_s][-1] for at_s in rate.at_s[inside]]
        return float(sum(value * length for value, length in zip(rate.values[inside], seconds, strict=True)))

    def unanswered(self, source: str, *also: str) -> Silence | None:
        """The longest time within the load in which a source gave no answer, while the machine and `also` did.

        Where the collectors' own machine stood still, or another server too, this one is not to blame.
        """

        def meets(one: Silence, other: Silence) -> bool:
            return one.span.start_s < other.span.end_s and other.span.start_s < one.span.end_s

        own = [
            one
            for one in self.silences
            if one.source == source
            and one.span.end_s > self.load.start_s
            and any(word in one.reason.lower() for word in _NO_ANSWER)
        ]
        others = [one for one in self.silences if one.source in _OF_THE_MACHINE or one.source in also]
        kept = [one for one in own if not any(meets(one, other) for other in others)]
        return max(kept, key=lambda one: one.span.seconds, default=None)

    def since(self, silence: Silence) -> float | None:
        """When it began; None where that was about the beginning of the load."""
        return silence.span.start_s if silence.span.start_s > self.load.start_s + 1 else None

    def evidence(
        self,
        series: Series,
        run: Run | Span,
        value: float,
        text: str,
        *,
        unit: str | None = None,
        limit: float | None = None,
        against: str = "threshold",
    ) -> Evidence:
        """A figure as evidence, compared with a threshold (or what `against` says), else with the time before it.

        A figure of another unit than its readings' is computed from them, so their mean is nothing to compare it with.
        """
        span = run.span if isinstance(run, Run) else run
        before = None
        if limit is None and unit is None and span.start_s - self.load.start_s >= _LEAST_BEFORE_S:
            before = self.mean(series, Span(self.load.start_s, span.start_s))
        compared = limit if limit is not None else before
        comparison = "" if compared is None else (against if limit is not None else f"before {clock(span.start_s)}")
        shown_unit = series.unit if unit is None else unit
        return Evidence(
            series.source, series.instance, series.metric, value, shown_unit, span, text, compared, comparison
        )


def _interval_s(series: Series) -> float:
    return float(series.at_s[-1] - series.at_s[0]) / max(1, len(series.at_s) - 1)
