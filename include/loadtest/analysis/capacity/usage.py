"""How busy each resource was in each step, and the answers that the target gave meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from include.loadtest.analysis.capacity.steps import Step
from include.loadtest.analysis.readings import Answers, Kind, Readings, Series

LEAST_READINGS = 3
"""In a step, beside the first: it may tell of the time before."""
MAX_ERROR_SHARE = 0.05
"""A request that fails uses something else than one that succeeds: a step with more of them says nothing here."""
ONE_CORE = 1.05
"""A process that uses more than this (a reading's rounding included) is not held by one core."""


@dataclass(frozen=True)
class Resource:
    """Something of which there are `servers`: cores, connections, threads.

    `busy` are kinds of readings that are added up, each a number of servers (`per_cent_of_servers`: of them all); the
    first list that is there counts. `counted`: they are counters of busy seconds, whose growth a second is meant.
    `idle`: some may be busy without any load, by other work or since they were never given back. `own`: what of it the
    load itself uses, each kind with the number that makes servers of it; of several those that were read.
    """

    name: str
    title: str
    unit: str
    busy: tuple[tuple[Kind, ...], ...]
    servers: Kind | float | None
    counted: bool = False
    idle: bool = True
    per_cent_of_servers: bool = False
    own: tuple[tuple[Kind, float], ...] = ()


_OF_THE_LOAD = (
    *((("process", f"{part}_cpu_cores"), 1.0) for part in ("app", "postgres", "redis")),
    (("generator", "cpu_pct"), 0.01),
)
"""The target's parts, and the generator beside them, in cores."""
RESOURCES: tuple[Resource, ...] = (
    Resource(
        "application_process",
        "the application's busiest process (an event loop has one core)",
        "cores",
        ((("process", "app_busiest_process_cpu_cores"),),),
        1.0,
    ),
    Resource(
        "container_cpu",
        "the container's CPU limit",
        "cores",
        ((("process", "app_cpu_cores"),),),
        ("container", "container_cpu_limit_cores"),
    ),
    *(
        Resource(
            "host_cpu",
            "the CPU of the target's machine, with all that runs on it",
            "cores",
            (((source, "cpu_pct"),),),
            (source, "cores"),
            per_cent_of_servers=True,
            own=_OF_THE_LOAD,
        )
        for source in ("host", "prometheus")
    ),
    Resource(
        "database_pool",
        "the application's database connections",
        "connections",
        ((("app", "db_pool_held_seconds_sum"),),),
        ("app", "db_pool_size"),
        counted=True,
        idle=False,
    ),
    Resource(
        "database_pool",
        "the application's database connections",
        "connections",
        ((("app", "db_pool_used"),),),
        ("app", "db_pool_size"),
    ),
    Resource(
        "database_server",
        "the database server's connections that work or wait within a transaction",
        "connections",
        ((("postgres", "connections_active"), ("postgres", "connections_idle_in_transaction")),),
        ("postgres", "max_connections"),
    ),
    Resource(
        "thread_pool",
        "the application's worker threads",
        "threads",
        ((("app", "thread_pool_busy"),),),
        ("app", "thread_pool_size"),
    ),
    Resource(
        "llm",
        "calls of the LLM in progress",
        "calls",
        ((("llm", "llm_wait_seconds_sum"),), (("app", "llm_wait_seconds_sum"),)),
        None,
        counted=True,
        idle=False,
    ),
)
"""Of two with one name the first that was read counts. Of the LLM nobody knows how many calls it takes at once."""


def kinds() -> set[Kind]:
    """All readings that resources are made of."""
    busy = {kind for resource in RESOURCES for group in resource.busy for kind in group}
    busy |= {kind for resource in RESOURCES for kind, _ in resource.own}
    return busy | {resource.servers for resource in RESOURCES if isinstance(resource.servers, tuple)}


@dataclass(frozen=True)
class Use:
    """A resource in a step: ok answers a second, and how many of its servers were busy on average.

    `own_busy`: by the load itself; None where that is not told apart.
    """

    users: int
    throughput: float
    busy: float
    own_busy: float | None = None


@dataclass(frozen=True)
class Used:
    """A resource with its use in each step that tells; `servers` None where nobody knows how many there are."""

    resource: Resource
    servers: float | None
    uses: tuple[Use, ...]


def used_resources(steps: Sequence[Step], readings: Readings, answers: Answers) -> Iterator[Used]:
    """Each resource that was read in at least one step, once."""
    seen: set[str] = set()
    for resource in RESOURCES:
        if resource.name in seen:
            continue
        uses = tuple(use for step in steps if (use := _use(resource, step, readings, answers)) is not None)
        servers = _servers(resource, steps, readings)
        is_limit = not (resource.servers == 1.0 and any(use.busy > ONE_CORE for use in uses))
        if uses and is_limit and (servers is not None or resource.servers is None):
            seen.add(resource.name)
            yield Used(resource, servers, uses)


def _servers(resource: Resource, steps: Sequence[Step], readings: Readings) -> float | None:
    """The number of servers; None where it is unknown, or changed meanwhile."""
    if not isinstance(resource.servers, tuple):
        return resource.servers
    if not steps:
        return None
    values = {value for _, value in readings.between(resource.servers, steps[0].start_us, steps[-1].end_us)}
    return values.pop() if len(values) == 1 else None


def _use(resource: Resource, step: Step, readings: Readings, answers: Answers) -> Use | None:
    error_rate = step.figures["error_rate"]
    if error_rate is None or error_rate > MAX_ERROR_SHARE:
        return None
    group = next((own for own in resource.busy if all(readings.has(kind) for kind in own)), ())
    parts = [readings.between(kind, step.start_us, step.end_us) for kind in group]
    if not parts or any(len(part) <= LEAST_READINGS for part in parts):
        return None
    start_us, end_us = parts[0][0][0], parts[0][-1][0]
    ended = answers.count(start_us, end_us)
    busy = [one for part in parts if (one := _growth(part) if resource.counted else _mean(part)) is not None]
    factor = _factor(resource, step, readings)
    if not ended or len(busy) < len(parts) or factor is None:
        return None
    own = _own_busy(resource, step, readings)
    return Use(step.users, ended * 1e6 / (end_us - start_us), sum(busy) * factor, own)


def _own_busy(resource: Resource, step: Step, readings: Readings) -> float | None:
    """None unless the application itself was read: what is left of the load is not it."""
    parts = [
        (readings.between(kind, step.start_us, step.end_us), factor)
        for kind, factor in resource.own
        if readings.has(kind)
    ]
    is_told = bool(parts) and readings.has(resource.own[0][0]) and all(len(part) > 1 for part, _ in parts)
    return sum(factor * _mean(part) for part, factor in parts) if is_told else None


def _factor(resource: Resource, step: Step, readings: Readings) -> float | None:
    if not resource.per_cent_of_servers:
        return 1.0
    servers = _servers(resource, [step], readings)
    return None if servers is None else servers / 100


def _mean(part: Series) -> float:
    """Without the first reading, which may be a mean over a time before the step."""
    return sum(value for _, value in part[1:]) / (len(part) - 1)


def _growth(part: Series) -> float | None:
    """Busy seconds a second; None where the counter fell (the server restarted)."""
    values = [value for _, value in part]
    if any(after < before for before, after in pairwise(values)):
        return None
    return (values[-1] - values[0]) * 1e6 / (part[-1][0] - part[0][0])
