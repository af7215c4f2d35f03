"""The run's own requests as columns: latencies, failures and how many wait at a time. Pure arithmetic."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.loadtest.analysis.bottleneck.model import Span

Array = NDArray[np.float64]
Names = NDArray[np.str_]
Flags = NDArray[np.bool_]
ASKING = ("simple_query", "complex_query")
"""Scenarios whose answers the LLM gives, where an engine does not tell a stream from another answer."""


@dataclass(frozen=True)
class Requests:
    """Columns of the samples, times in seconds; `each` is how many requests a row stands for (long runs are thinned).

    `streamed`: the answer came as a stream. `status` 0 where there was no answer.
    """

    start_s: Array
    latency_s: Array
    scenario: Names
    endpoint: Names
    outcome: Names
    status: NDArray[np.int64]
    streamed: Flags
    each: int = 1

    def __len__(self) -> int:
        return len(self.start_s)

    def chosen(self, which: "Flags | NDArray[np.int64]") -> "Requests":
        """Some of the rows, by flags or by number."""
        return Requests(
            self.start_s[which],
            self.latency_s[which],
            self.scenario[which],
            self.endpoint[which],
            self.outcome[which],
            self.status[which],
            self.streamed[which],
            self.each,
        )

    def within(self, span: Span) -> "Requests":
        """Requests that were meant to start in a span."""
        return self.chosen((self.start_s >= span.start_s) & (self.start_s < span.end_s))

    def of(self, endpoint: str) -> "Requests":
        """Requests of one endpoint."""
        return self.chosen(self.endpoint == endpoint)

    @property
    def endpoints(self) -> list[str]:
        """Endpoints that were called, by name."""
        return [str(name) for name in np.unique(self.endpoint)]

    @property
    def failed(self) -> Flags:
        """Rows that are errors; a cut request is neither that nor an answer."""
        return np.asarray((self.outcome != "ok") & (self.outcome != "censored"))

    @property
    def asks_llm(self) -> Flags:
        """Rows of endpoints that stream, or else of the scenarios that ask questions."""
        streaming = np.unique(self.endpoint[self.streamed])
        if len(streaming):
            return np.asarray(np.isin(self.endpoint, streaming))
        return np.asarray(np.isin(self.scenario, ASKING))

    @property
    def span(self) -> Span | None:
        """From the first request's begin to the last one's end; None without any."""
        if not len(self):
            return None
        return Span(float(self.start_s.min()), float((self.start_s + self.latency_s).max()))

    def share_failed(self) -> float:
        """Share of errors."""
        return float(self.failed.mean()) if len(self) else 0.0

    def waiting_s(self, span: Span) -> float:
        """Seconds that requests waited within a span, all together: the span's length times those in flight."""
        ends = np.minimum(self.start_s + self.latency_s, span.end_s)
        return float(np.maximum(0.0, ends - np.maximum(self.start_s, span.start_s)).sum()) * self.each

    def in_flight(self, span: Span) -> float:
        """Requests that users waited for at a time, on average (Little 1961: rate times time)."""
        return self.waiting_s(span) / span.seconds if span.seconds > 0 else 0.0

    def above(self, level: float, span: Span) -> tuple[float, float]:
        """By how many the requests in flight exceed a level on average, and for which share of a span they do."""
        starts, ends = self.start_s, self.start_s + self.latency_s
        inside = (ends > span.start_s) & (starts < span.end_s)
        times = np.concatenate([np.maximum(starts[inside], span.start_s), np.minimum(ends[inside], span.end_s)])
        steps = np.repeat([float(self.each), -float(self.each)], int(inside.sum()))
        order = np.argsort(times, kind="stable")
        lengths = np.diff(np.append(times[order], span.end_s))
        excess = np.maximum(0.0, np.cumsum(steps[order]) - level)
        if span.seconds <= 0:
            return 0.0, 0.0
        return float((excess * lengths).sum()) / span.seconds, float(lengths[excess > 0].sum()) / span.seconds

    def most_at_once(self, span: Span) -> int:
        """How many requests were in flight at once at most."""
        starts, ends = self.start_s, self.start_s + self.latency_s
        inside = (ends > span.start_s) & (starts < span.end_s)
        times = np.concatenate([starts[inside], ends[inside]])
        steps = np.repeat([self.each, -self.each], int(inside.sum()))
        return int(np.cumsum(steps[np.argsort(times, kind="stable")]).max(initial=0))

    def ended(self, span: Span) -> int:
        """Requests that ended in a span."""
        ends = self.start_s + self.latency_s
        return int(((ends >= span.start_s) & (ends < span.end_s)).sum()) * self.each

    def mean_ms(self) -> float:
        """Mean latency."""
        return 1000 * float(self.latency_s.mean()) if len(self) else 0.0

    def quantile_ms(self, share: float) -> float:
        """A percentile of the latencies."""
        return 1000 * float(np.quantile(self.latency_s, share)) if len(self) else 0.0
