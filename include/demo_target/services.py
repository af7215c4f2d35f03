"""What the rooms of the target share."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from include.demo_target.cache import AnswerCache
from include.demo_target.counting import RequestCounter
from include.demo_target.database import Database
from include.demo_target.document_slots import DocumentSlots
from include.demo_target.fault_switch import FaultSwitch
from include.demo_target.llm_client import LlmClient
from include.demo_target.metrics import Metrics
from include.demo_target.ratelimit import RateLimiter


@dataclass(frozen=True)
class Services:
    """Servers, switches and counters of one target; `workers` are the threads for hashing and PDF reading."""

    database: Database
    cache: AnswerCache
    llm: LlmClient
    faults: FaultSwitch
    limiter: RateLimiter
    counter: RequestCounter
    metrics: Metrics
    workers: ThreadPoolExecutor
    document_slots: DocumentSlots


def build_services(database_url: str, redis_url: str, llm_url: str, *, own_stub: bool, rate_limits: bool) -> Services:
    """Services that are not connected yet."""
    database, cache, slots = Database(database_url), AnswerCache(redis_url), DocumentSlots()
    llm = LlmClient(llm_url, own_stub=own_stub)
    return Services(
        database=database,
        cache=cache,
        llm=llm,
        faults=FaultSwitch(database, cache, llm, slots, rate_limits=rate_limits),
        limiter=RateLimiter(),
        counter=RequestCounter(),
        metrics=Metrics(),
        workers=ThreadPoolExecutor(max_workers=2, thread_name_prefix="worker"),
        document_slots=slots,
    )


def _of_request(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Shared = Annotated[Services, Depends(_of_request)]
