"""Faults that are switched at run time, so that what a load test claims to find can be shown to be found."""

import difflib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from include.demo_target.database import POOL_SIZE
from include.demo_target.document_slots import SLOTS
from include.demo_target.endpoints import NAMES
from include.demo_target.worker_threads import MOST_THREADS

ALL = "all"  # stands for every endpoint that has no value of its own
KINDS = (
    "tax_iva",
    "tax_irpef",
    "document_small",
    "document_medium",
    "document_large",
    "search_simple",
    "search_complex",
    "search_full_text",
)
"""Kinds of work that share an endpoint: taxes by name, documents by size, searches by what is asked."""


class UnknownNameError(ValueError):
    """A fault or an endpoint that does not exist; the message names the nearest one that does."""


def _known(by_endpoint: dict[str, float]) -> dict[str, float]:
    _check(by_endpoint, (*NAMES, ALL), "endpoint")
    return by_endpoint


def _known_kinds(by_kind: dict[str, float]) -> dict[str, float]:
    _check(by_kind, KINDS, "kind of work")
    return by_kind


def _known_names(names: list[str]) -> list[str]:
    _check(names, NAMES, "endpoint")
    return names


def _check(names: Iterable[str], known: tuple[str, ...], what: str) -> None:
    for name in names:
        if name not in known:
            raise UnknownNameError(f"unknown {what} '{name}'{_nearest(name, known)}")


def _nearest(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    return f": did you mean '{close[0]}'?" if close else f": one of {', '.join(known)}"


Factor = Annotated[float, Field(ge=1, le=100)]
Milliseconds = Annotated[float, Field(ge=0, le=300_000)]
Share = Annotated[float, Field(ge=0, le=1)]
Known = AfterValidator(_known)


class Faults(BaseModel):
    """The faults in force; `docs/target-contract.md` says what each does.

    `freeze_s`, `row_lock_s` and `cache_flush` happen once, when they are set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    latency_factor: Annotated[dict[str, Factor], Known] = Field(default_factory=dict)
    latency_added_ms: Annotated[dict[str, Milliseconds], Known] = Field(default_factory=dict)
    error_share: Annotated[dict[str, Share], Known] = Field(default_factory=dict)
    kind_added_ms: Annotated[dict[str, Milliseconds], AfterValidator(_known_kinds)] = Field(default_factory=dict)
    hidden: Annotated[list[str], AfterValidator(_known_names)] = Field(default_factory=list)
    document_slots: int | None = Field(None, ge=1, le=SLOTS)
    refuse_queued: bool = False
    lose_queued: bool = False
    index_stopped: bool = False
    erase_ignored: bool = False
    audit_stopped: bool = False
    search_empty: bool = False
    llm_down: bool = False
    llm_first_token_ms: float | None = Field(None, ge=0, le=120_000)
    llm_per_token_ms: float | None = Field(None, ge=0, le=10_000)
    freeze_s: float = Field(0, ge=0, le=120)
    pool_size: int | None = Field(None, ge=1, le=POOL_SIZE)
    query_added_ms: float = Field(0, ge=0, le=60_000)
    row_lock_s: float = Field(0, ge=0, le=600)
    missing_index: bool = False
    cache_flush: bool = False
    cache_miss_share: float = Field(0, ge=0, le=1)
    cpu_burn: float = Field(0, ge=0, le=0.95)
    leak_mb_per_min: float = Field(0, ge=0, le=2000)
    bare_metrics: bool = False
    growing_rows_per_s: float = Field(0, ge=0, le=20_000)
    leaked_connections: int = Field(0, ge=0, le=500)
    cache_busy_share: float = Field(0, ge=0, le=0.95)
    cache_room_kb: int | None = Field(None, ge=16, le=65_536)
    loop_blocking_ms: Annotated[dict[str, Milliseconds], Known] = Field(default_factory=dict)
    llm_refused_share: float = Field(0, ge=0, le=1)
    thread_pool_size: int | None = Field(None, ge=1, le=MOST_THREADS)
    disk_written_mb_per_s: float = Field(0, ge=0, le=10_000)
    rate_limits: bool = False

    def changed(self, changes: dict[str, Any]) -> "Faults":
        """These faults with some replaced. Raises `UnknownNameError` or pydantic's error for values out of range."""
        for name in changes:
            if name not in Faults.model_fields:
                raise UnknownNameError(f"unknown fault '{name}'{_nearest(name, tuple(Faults.model_fields))}")
        return Faults.model_validate({**self.model_dump(), **changes})


def of_endpoint(by_endpoint: dict[str, float], endpoint: str, default: float) -> float:
    """The value for an endpoint: its own, else that for all, else the default."""
    return by_endpoint.get(endpoint, by_endpoint.get(ALL, default))


def added_delay_s(faults: Faults, endpoint: str, elapsed_s: float) -> float:
    """How long to wait on top of what an answer took by itself."""
    factor = of_endpoint(faults.latency_factor, endpoint, 1)
    return elapsed_s * (factor - 1) + of_endpoint(faults.latency_added_ms, endpoint, 0) / 1000
