"""What goes on inside the target, for `/metrics`: calls of the LLM, the pool, the event loop, the threads, the queue.

The real application exposes none of it at its revision; the fault `bare_metrics` leaves it out here too.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

LLM_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 30, 60, 120)
POOL_BUCKETS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class InnerMetrics:
    """Counters and histograms that the parts of the target fill, and gauges that are read when they are asked for."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._llm_requests = Counter(
            "llm_requests", "Attempts to call the LLM by what became of them.", ["status"], registry=self._registry
        )
        self._llm_duration = Histogram(
            "llm_request_duration_seconds",
            "Time spent waiting for the LLM in one attempt, to the end of its answer.",
            buckets=LLM_BUCKETS_S,
            registry=self._registry,
        )
        self.llm_retries = Counter("llm_retries", "Second attempts to call the LLM.", registry=self._registry)
        self.pool_wait = self._pool_histogram("db_pool_wait_seconds", "Time that a request waited for a connection.")
        self.pool_held = self._pool_histogram("db_pool_held_seconds", "Time that a request held a connection.")
        self._breakers = Gauge(
            "circuit_breaker_state", "0 closed, 1 open: calls fail at once.", ["name"], registry=self._registry
        )

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Expose a gauge whose value `read` gives."""
        Gauge(name, meaning, registry=self._registry).set_function(read)

    def watch_breaker(self, name: str, is_open: Callable[[], bool]) -> None:
        """Expose the state of a circuit breaker."""
        self._breakers.labels(name).set_function(lambda: float(is_open()))

    def llm_attempt(self, status: str, waited_s: float) -> None:
        """One attempt is over: the status of its answer, or `error`, and the time spent waiting for the LLM."""
        self._llm_requests.labels(status).inc()
        self._llm_duration.observe(waited_s)

    def page(self) -> bytes:
        """All of it as text."""
        return generate_latest(self._registry)

    def _pool_histogram(self, name: str, meaning: str) -> Histogram:
        return Histogram(name, meaning, buckets=POOL_BUCKETS_S, registry=self._registry)
