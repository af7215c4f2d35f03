"""What may be saturated, or broken, behind a slow or failing target: the words of a diagnosis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cause:
    """A kind of bottleneck: what people call it, its component, what it means, and its page below `docs/`."""

    cause: str
    title: str
    component: str
    meaning: str
    page: str


CAUSES: dict[str, Cause] = {
    cause.cause: cause
    for cause in (
        Cause("cpu", "CPU", "CPU", "The application, or its machine, has no CPU time left.", "runbooks/cpu.md"),
        Cause("memory", "memory", "Memory", "The machine, or the container, is short of memory.", "runbooks/memory.md"),
        Cause(
            "memory_leak",
            "memory leak",
            "Memory",
            "The application's memory grows and does not come back.",
            "runbooks/memory.md",
        ),
        Cause(
            "database_connections",
            "database connections",
            "Database",
            "Requests wait for a connection to the database: its pool, or the server's own limit, is used up.",
            "runbooks/database-connections.md",
        ),
        Cause(
            "slow_queries",
            "slow queries",
            "Database",
            "A statement takes long by itself, by a missing index say.",
            "runbooks/slow-statements.md",
        ),
        Cause(
            "growing_data",
            "growing data",
            "Database",
            "A statement gets slower as its table grows.",
            "runbooks/slow-statements.md",
        ),
        Cause(
            "locks",
            "locks",
            "Database",
            "Statements wait for a lock that a transaction holds.",
            "runbooks/slow-statements.md",
        ),
        Cause("disk", "disk", "Disk", "Reads or writes wait for the disk.", "runbooks/disk-and-network.md"),
        Cause(
            "cache_misses",
            "cache misses",
            "Cache",
            "Answers are not found in the cache, or it was emptied.",
            "runbooks/cache.md",
        ),
        Cause(
            "cache_evictions",
            "cache evictions",
            "Cache",
            "The cache has no room and throws away what is needed.",
            "runbooks/cache.md",
        ),
        Cause("cache_slow", "slow cache", "Cache", "The cache's server answers late.", "runbooks/cache.md"),
        Cause(
            "event_loop",
            "event loop",
            "Application",
            "A blocking call stops the application's event loop.",
            "runbooks/application.md",
        ),
        Cause(
            "thread_pool",
            "thread pool",
            "Application",
            "Requests wait for a thread or a worker of the application.",
            "runbooks/application.md",
        ),
        Cause("llm_slow", "slow LLM", "LLM", "The LLM behind the application answers late.", "runbooks/llm.md"),
        Cause(
            "llm_errors", "LLM refusals", "LLM", "The LLM behind the application refuses or fails.", "runbooks/llm.md"
        ),
        Cause(
            "rate_limiter",
            "rate limiter",
            "Application",
            "A limiter refuses requests of the test's own address.",
            "runbooks/rate-limiter.md",
        ),
        Cause("network", "network", "Network", "Packets are lost or the link is full.", "runbooks/disk-and-network.md"),
        Cause(
            "generator",
            "load generator",
            "Load generator",
            "The generator was held back: the target is not at fault.",
            "runbooks/generator.md",
        ),
    )
}
"""By name; a diagnosis names no other."""


def cause_page(diagnosis: Mapping[str, Any] | None) -> str | None:
    """The page of the first cause that a diagnosis.json found; None where it found none."""
    if not diagnosis or diagnosis.get("state") != "bottleneck":
        return None
    first = next(iter(diagnosis.get("causes") or ()), None)
    known = None if first is None else CAUSES.get(str(first["cause"]))
    return None if known is None else known.page
