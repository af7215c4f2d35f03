"""What the target exposes: `/metrics` and `/api/v1/monitoring/metrics`, both in Prometheus' text format."""

import psutil
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from include.demo_target.endpoints import Endpoint

disable_created_metrics()  # type: ignore[no-untyped-call]  # the real target exposes none
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters behind both pages."""

    def __init__(self) -> None:
        public = CollectorRegistry()
        labels = ["method", "path_template"]
        self._requests = Counter("starlette_requests", "Requests by path.", labels, registry=public)
        self._responses = Counter(
            "starlette_responses", "Responses by path and status.", [*labels, "status_code"], registry=public
        )
        self._processing = Histogram(
            "starlette_requests_processing_time_seconds",
            "Time until the response starts.",
            labels,
            buckets=BUCKETS_S,
            registry=public,
        )
        self._in_progress = Gauge("starlette_requests_in_progress", "Requests in work.", labels, registry=public)
        self.llm_stream = Histogram(
            "llm_stream_duration_seconds", "Duration of a streamed answer.", buckets=BUCKETS_S, registry=public
        )
        ProcessCollector(registry=public)
        self._public = public

        monitoring = CollectorRegistry()
        self._duration = Histogram(
            "http_request_duration_seconds", "Request duration.", ["endpoint"], buckets=BUCKETS_S, registry=monitoring
        )
        self._cache_hit_ratio = Gauge("cache_hit_ratio", "Answers found in the cache, 0..1.", registry=monitoring)
        self._memory = Gauge("process_memory_bytes", "Resident memory.", registry=monitoring)
        self._cpu = Gauge("cpu_usage_percent", "CPU of the host since the last reading.", registry=monitoring)
        self._monitoring = monitoring

    def arrived(self, endpoint: Endpoint) -> None:
        """A request is there."""
        self._requests.labels(endpoint.method, endpoint.template).inc()
        self._in_progress.labels(endpoint.method, endpoint.template).inc()

    def answered(self, endpoint: Endpoint, status: int, to_start_s: float, in_all_s: float) -> None:
        """A request is done: its status, the time until its response started and until it ended."""
        self._in_progress.labels(endpoint.method, endpoint.template).dec()
        self._responses.labels(endpoint.method, endpoint.template, str(status)).inc()
        self._processing.labels(endpoint.method, endpoint.template).observe(to_start_s)
        self._duration.labels(endpoint.name).observe(in_all_s)

    def public_page(self) -> bytes:
        """The text of `/metrics`."""
        return generate_latest(self._public)

    def monitoring_page(self, hits: int, lookups: int) -> bytes:
        """The text of `/api/v1/monitoring/metrics`."""
        self._cache_hit_ratio.set(hits / lookups if lookups else 0)
        self._memory.set(psutil.Process().memory_info().rss)
        self._cpu.set(psutil.cpu_percent(interval=None))
        return generate_latest(self._monitoring)
