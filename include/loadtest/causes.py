"""What may be saturated, or broken, behind a slow or failing target: the words of a diagnosis."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A kind of bottleneck: what people call it, the component that it belongs to, and what it means."""

    cause: str
    title: str
    component: str
    meaning: str


CAUSES: dict[str, Cause] = {
    cause.cause: cause
    for cause in (
        Cause("cpu", "CPU", "CPU", "The application, or its machine, has no CPU time left."),
        Cause("memory", "memory", "Memory", "The machine, or the container, is short of memory."),
        Cause("memory_leak", "memory leak", "Memory", "The application's memory grows and does not come back."),
        Cause(
            "database_connections",
            "database connections",
            "Database",
            "Requests wait for a connection to the database: its pool, or the server's own limit, is used up.",
        ),
        Cause("slow_queries", "slow queries", "Database", "A statement takes long by itself, by a missing index say."),
        Cause("growing_data", "growing data", "Database", "A statement gets slower as its table grows."),
        Cause("locks", "locks", "Database", "Statements wait for a lock that a transaction holds."),
        Cause("disk", "disk", "Disk", "Reads or writes wait for the disk."),
        Cause("cache_misses", "cache misses", "Cache", "Answers are not found in the cache, or it was emptied."),
        Cause("cache_evictions", "cache evictions", "Cache", "The cache has no room and throws away what is needed."),
        Cause("cache_slow", "slow cache", "Cache", "The cache's server answers late."),
        Cause("event_loop", "event loop", "Application", "A blocking call stops the application's event loop."),
        Cause(
            "thread_pool", "thread pool", "Application", "Requests wait for a thread or a worker of the application."
        ),
        Cause("llm_slow", "slow LLM", "LLM", "The LLM behind the application answers late."),
        Cause("llm_errors", "LLM refusals", "LLM", "The LLM behind the application refuses or fails."),
        Cause("rate_limiter", "rate limiter", "Application", "A limiter refuses requests of the test's own address."),
        Cause("network", "network", "Network", "Packets are lost or the link is full."),
        Cause(
            "generator", "load generator", "Load generator", "The generator was held back: the target is not at fault."
        ),
    )
}
"""By name; a diagnosis names no other."""
