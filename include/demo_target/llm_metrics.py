"""What the LLM stub exposes of itself at `/metrics`, in Prometheus' text format."""

import time
from collections.abc import AsyncIterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from include.demo_target.inner_metrics import LLM_BUCKETS_S

disable_created_metrics()  # type: ignore[no-untyped-call]


class LlmMetrics:
    """Calls by status, how long they took, and those in work."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("llm_requests", "Calls by status.", ["status"], registry=self._registry)
        self._duration = Histogram(
            "llm_request_duration_seconds",
            "Time from a call to the end of its answer.",
            buckets=LLM_BUCKETS_S,
            registry=self._registry,
        )
        self._in_progress = Gauge("llm_requests_in_progress", "Calls in work.", registry=self._registry)

    def refused(self, status: int) -> None:
        """A call got an error instead of an answer."""
        self._requests.labels(str(status)).inc()
        self._duration.observe(0)

    async def counted(self, answer: AsyncIterator[str]) -> AsyncIterator[str]:
        """The pieces of an answer; it counts when the last one is taken, or its reader has gone."""
        begin_s = time.perf_counter()
        self._in_progress.inc()
        try:
            async for piece in answer:
                yield piece
        finally:
            self._in_progress.dec()
            self._requests.labels("200").inc()
            self._duration.observe(time.perf_counter() - begin_s)

    def page(self) -> bytes:
        """All of it as text."""
        return generate_latest(self._registry)
