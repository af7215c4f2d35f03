"""What the rooms of the target share."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request

from include.demo_target.cache import AnswerCache
from include.demo_target.counting import RequestCounter
from include.demo_target.database import POOL_SIZE, Database
from include.demo_target.document_slots import DocumentSlots
from include.demo_target.event_loop_watch import EventLoopWatch
from include.demo_target.fault_switch import FaultSwitch
from include.demo_target.inner_metrics import InnerMetrics
from include.demo_target.llm_client import LlmClient
from include.demo_target.metrics import Metrics
from include.demo_target.parts import Parts
from include.demo_target.ratelimit import RateLimiter
from include.demo_target.siblings import Siblings
from include.demo_target.worker_threads import THREADS, WorkerThreads


@dataclass(frozen=True)
class Settings:
    """How one process of the target is set up: its servers, and the sizes that a start option gives."""

    database_url: str
    redis_url: str
    llm_url: str
    own_stub: bool
    directory: Path
    rate_limits: bool = False
    pool_size: int = POOL_SIZE
    threads: int = THREADS
    cpu_ms_per_request: float = 0.0
    worker: int = 0
    """Its number among the processes of a target that has several; `worker_urls` are their own addresses."""
    worker_urls: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values, for another process."""
        return {**asdict(self), "directory": str(self.directory)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Settings":
        """The settings that `as_json` gave."""
        return cls(**{**values, "directory": Path(values["directory"]), "worker_urls": tuple(values["worker_urls"])})


@dataclass(frozen=True)
class Services:
    """Servers, switches and counters of one process of the target; `threads` are for hashing and PDF reading."""

    settings: Settings
    database: Database
    cache: AnswerCache
    llm: LlmClient
    faults: FaultSwitch
    limiter: RateLimiter
    counter: RequestCounter
    metrics: Metrics
    inner_metrics: InnerMetrics
    event_loop: EventLoopWatch
    threads: WorkerThreads
    document_slots: DocumentSlots
    siblings: Siblings

    def public_page(self) -> bytes:
        """This process' part of `/metrics`."""
        inner = b"" if self.faults.current.bare_metrics else self.inner_metrics.page()
        return self.metrics.public_page() + inner


def build_services(settings: Settings) -> Services:
    """Services that are not connected yet."""
    inner = InnerMetrics()
    parts = Parts(
        database=Database(settings.database_url, inner, settings.pool_size),
        cache=AnswerCache(settings.redis_url),
        llm=LlmClient(settings.llm_url, inner, own_stub=settings.own_stub),
        document_slots=DocumentSlots(),
        threads=WorkerThreads(settings.threads),
        directory=settings.directory,
    )
    event_loop, siblings = EventLoopWatch(), Siblings(settings.worker, settings.worker_urls)
    _expose(inner, parts, event_loop)
    return Services(
        settings=settings,
        database=parts.database,
        cache=parts.cache,
        llm=parts.llm,
        faults=FaultSwitch(parts, siblings, rate_limits=settings.rate_limits),
        limiter=RateLimiter(),
        counter=RequestCounter(),
        metrics=Metrics(),
        inner_metrics=inner,
        event_loop=event_loop,
        threads=parts.threads,
        document_slots=parts.document_slots,
        siblings=siblings,
    )


def _expose(inner: InnerMetrics, parts: Parts, event_loop: EventLoopWatch) -> None:
    threads, slots = parts.threads, parts.document_slots
    inner.watch("event_loop_lag_seconds", "Longest standstill since the last reading.", event_loop.longest_s)
    inner.watch("thread_pool_size", "Threads for blocking work.", lambda: threads.size)
    inner.watch("thread_pool_busy", "Threads at work.", lambda: threads.busy)
    inner.watch("thread_pool_queue_size", "Jobs that wait for a thread.", lambda: threads.queued)
    inner.watch("document_queue_size", "Documents that wait for a place.", lambda: slots.waiting)


def _of_request(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Shared = Annotated[Services, Depends(_of_request)]
