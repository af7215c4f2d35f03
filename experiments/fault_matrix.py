"""What is planted in the runs of `bottleneck`: fourteen faults, how hard and when by seed, pairs of them, and nothing.

All draws hang on the names and the seed alone, so the same seed plants the same again. Pure.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

USERS, RAMP_UP_S, HOLD_S = 10, 5, 40
HEALTHY_USERS = (10, 8, 12, 9, 11)
"""In turn; the first healthy run has as many as the faulty ones, which are compared with it."""
HEALTHY_A_SEED = 4
FULL_SEEDS = 5
FROM_S, TO_S = 11.0, 16.0
"""An odd seed's faults begin between these, a third of the hold after its begin; an even seed's before the load."""


@dataclass(frozen=True)
class Strength:
    """`switches` of the target's admin page, put again so many seconds after the first time; or a generator that is
    held back: by so many busy processes on its core, or stopped for a share of the time."""

    switches: Mapping[str, Any] = field(default_factory=dict)
    again_after_s: tuple[float, ...] = ()
    hogs: int = 0
    stopped_share: float = 0.0

    def document(self) -> dict[str, Any]:
        """What is not empty."""
        return {name: value for name, value in vars(self).items() if value}


Draw = Callable[[random.Random, bool], Strength]
"""The strength of one run; the flag says whether it is planted during the hold."""


def _always(**switches: Any) -> Draw:
    def same(_draw: random.Random, _during: bool) -> Strength:
        return Strength(switches)

    return same


def _between(switch: str, low: float, high: float, digits: int = 0) -> Draw:
    def drawn(draw: random.Random, _during: bool) -> Strength:
        value = round(draw.uniform(low, high), digits)
        return Strength({switch: value if digits else int(value)})

    return drawn


def _flushes(draw: random.Random, _during: bool) -> Strength:
    return Strength({"cache_flush": True}, tuple(6.0 * number for number in range(1, draw.randint(1, 3))))


def _held_row(draw: random.Random, during: bool) -> Strength:
    """Planted before the load it has to outlast the generator's start and the ramp."""
    return Strength({"row_lock_s": round(draw.uniform(10, 25) if during else draw.uniform(28, 40), 1)})


def _blocking_call(draw: random.Random, _during: bool) -> Strength:
    endpoint = draw.choice(("tax_calculate", "legal_search", "chat_stream"))
    return Strength({"loop_blocking_ms": {endpoint: round(draw.uniform(300, 700))}})


def _held_back(draw: random.Random, during: bool) -> Strength:
    return Strength(hogs=draw.randint(4, 6)) if during else Strength(stopped_share=round(draw.uniform(0.5, 0.7), 2))


@dataclass(frozen=True)
class Fault:
    """One row of the matrix: the cause that has to be named, and how hard a seed plants it.

    `during_only`: it happens once, so before the load it would happen to nobody.
    """

    name: str
    title: str
    cause: str
    strength: Draw
    during_only: bool = False


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("pool_of_2", "pool of 2", "database_connections", _always(pool_size=2)),
        Fault("row_lock", "row lock", "locks", _held_row),
        Fault("missing_index", "missing index", "slow_queries", _always(missing_index=True)),
        Fault("growing_data", "growing data", "growing_data", _between("growing_rows_per_s", 8000, 15000)),
        Fault("redis_slow", "Redis slow", "cache_slow", _between("cache_busy_share", 0.6, 0.9, digits=2)),
        Fault("cache_flushed", "cache flushed", "cache_misses", _flushes, during_only=True),
        Fault("evictions", "evictions", "cache_evictions", _between("cache_room_kb", 16, 128)),
        Fault("cpu_burn", "CPU burn", "cpu", _between("cpu_burn", 0.8, 0.93, digits=2)),
        Fault("blocked_loop", "blocked event loop", "event_loop", _blocking_call),
        Fault("leak", "leak", "memory_leak", _between("leak_mb_per_min", 200, 900)),
        Fault("llm_slow", "LLM slow", "llm_slow", _between("llm_first_token_ms", 1800, 4000)),
        Fault("llm_429", "LLM 429", "llm_errors", _between("llm_refused_share", 0.3, 0.9, digits=2)),
        Fault("rate_limiter", "rate limiter", "rate_limiter", _always(rate_limits=True)),
        Fault("starved_generator", "starved generator", "generator", _held_back),
    )
}
"""By name. The ranges are what harms ten users and still happens in service; `docs/diagnosis.md` tells them."""

PAIRS: dict[int, tuple[tuple[str, str], ...]] = {
    1: (
        ("llm_slow", "row_lock"),
        ("cpu_burn", "leak"),
        ("missing_index", "llm_429"),
        ("redis_slow", "growing_data"),
    ),
    2: (("evictions", "blocked_loop"), ("leak", "llm_slow")),
    3: (("row_lock", "missing_index"), ("pool_of_2", "leak")),
    4: (("llm_429", "redis_slow"), ("growing_data", "leak")),
    5: (("blocked_loop", "llm_slow"), ("cache_flushed", "missing_index")),
}
"""Two faults at once, by seed; of no pair does one hide the other's effect altogether."""
HEALTHY, SINGLE, PAIR, BARE = "healthy", "single", "pair", "bare"


@dataclass(frozen=True)
class Plant:
    """A fault in one run: how hard, and how long after the hold's begin; None: before the load."""

    fault: str
    strength: Strength
    at_s: float | None


@dataclass(frozen=True)
class Case:
    """One run. `group`: healthy, single (one fault), pair, or bare (one fault, at a target that exposes little)."""

    name: str
    group: str
    seed: int
    users: int = USERS
    plants: tuple[Plant, ...] = ()

    def truth(self) -> dict[str, Any]:
        """What the scores are held to; the diagnosis never sees it."""
        return {
            "group": self.group,
            "seed": self.seed,
            "users": self.users,
            "faults": [plant.fault for plant in self.plants],
            "planted": [{"at_s": plant.at_s, **plant.strength.document()} for plant in self.plants],
        }


def cases(seeds: Sequence[int], *, with_bare: bool) -> Iterator[Case]:
    """All runs of the seeds. `with_bare`: those of the first seed once more, at a target that exposes little."""
    for seed in seeds:
        yield from _healthy(seed)
        yield from (_planted(f"{name}-{seed}", SINGLE, seed, (name,)) for name in FAULTS)
        yield from (_planted(f"{'-and-'.join(pair)}-{seed}", PAIR, seed, pair) for pair in PAIRS.get(seed, ()))
    if with_bare:
        yield from (_planted(f"bare-{name}-{seeds[0]}", BARE, seeds[0], (name,)) for name in FAULTS)


def _healthy(seed: int) -> Iterator[Case]:
    for number in range(HEALTHY_A_SEED * (seed - 1), HEALTHY_A_SEED * seed):
        yield Case(f"healthy-{number + 1}", HEALTHY, seed, HEALTHY_USERS[number % len(HEALTHY_USERS)])


def _planted(name: str, group: str, seed: int, faults: Sequence[str]) -> Case:
    return Case(name, group, seed, plants=tuple(_plant(FAULTS[fault], name, seed) for fault in faults))


def _plant(fault: Fault, run: str, seed: int) -> Plant:
    draw = random.Random(f"{run}/{fault.name}")  # noqa: S311 - no secret
    during = bool(seed % 2) or fault.during_only
    at_s = round(draw.uniform(FROM_S, TO_S), 1) if during else None
    return Plant(fault.name, fault.strength(draw, during), at_s)


def seeds_of(text: str) -> tuple[int, ...]:
    """`SEEDS`: how many (`5`), or which (`3-5`); nothing is one. Raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text.strip() or "1")
    low, high = (int(match[1]) if match[2] else 1, int(match[2] or match[1])) if match else (0, 0)
    if not 1 <= low <= high:
        raise ValueError(f"SEEDS: {text!r} is neither a number of seeds (5) nor a range of them (3-5)")
    return tuple(range(low, high + 1))
