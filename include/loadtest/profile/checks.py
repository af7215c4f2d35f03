"""Requirements that are checked one by one with a single user: how often each is tried, and with what. Pure."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from include.loadtest.errors import ConfigError
from include.loadtest.profile.shape import Finite, Frozen
from include.loadtest.profile.slo import Slo
from include.loadtest.profile.vocabulary import SCENARIOS, SCOPE_ALL, TIMED_REQUIREMENTS, TimedRequirement

MOST_EXPORTS = 4
"""The target takes five requests of data subjects an hour. Every other export is one, so two runs an hour fit."""


class DocumentBytes(Frozen):
    """Sizes of the uploaded PDFs. Each is below or above its bounds however one counts a megabyte."""

    small: Annotated[int, Field(ge=100_000, le=980_000)]
    medium: Annotated[int, Field(ge=1_100_000, le=4_900_000)]
    large: Annotated[int, Field(ge=5_500_000, le=9_800_000)]


class Checks(Frozen):
    """How the requirements are checked; their limits are the profile's SLOs.

    `repeats`: attempts of each requirement, 1 where it is not named; `scenario_repeats`: iterations of each built-in
    scenario. `index_wait_s`: how long a new document is looked for, `poll_s`: the pause between two looks.
    """

    repeats: dict[TimedRequirement, Annotated[int, Field(ge=1, le=1000)]]
    scenario_repeats: Annotated[int, Field(ge=1, le=1000)]
    bulk_items: Annotated[int, Field(ge=1, le=1000)]
    documents_at_once: Annotated[int, Field(ge=1, le=100)]
    document_bytes: DocumentBytes
    index_wait_s: Annotated[int, Field(ge=1, le=1800)]
    poll_s: Annotated[Finite, Field(ge=0.05, le=60)]

    @model_validator(mode="after")
    def _modest(self) -> Self:
        exports = self.repeats_of("gdpr_export")
        if exports > MOST_EXPORTS:
            raise ValueError(
                f"repeats.gdpr_export is {exports}, at most {MOST_EXPORTS}: the target takes five requests of data "
                "subjects an hour"
            )
        return self

    @property
    def users(self) -> int:
        """All who upload at once, with the one for whom no place is free."""
        return self.documents_at_once + 1

    def repeats_of(self, requirement: str) -> int:
        """Attempts of a requirement."""
        return next((count for name, count in self.repeats.items() if name == requirement), 1)

    def patience_s(self, requirement: str, limit_s: float) -> float:
        """How long one attempt may take: twice its limit, or as long as a new document is looked for."""
        return float(self.index_wait_s) if requirement == "index_update" else 2 * limit_s

    def budget_s(self, requirement: str, limit_s: float) -> float:
        """No further attempt begins after so many seconds: as long as all take that keep the limit."""
        return (self.repeats_of(requirement) - 1) * limit_s


def planned_longest_s(checks: Checks, slos: Iterable[Slo], pause_s: float) -> float:
    """How long all of it can take if every answer is late, with a pause between two attempts.

    A requirement ends with its budget and the patience of one attempt more. The documents at once take as long as a
    large one, and as long again to be looked for afterwards. Before their own time begins, an index has its upload, and
    a deletion a client that is made and looked at.
    """
    limits = {(slo.metric, slo.scope): slo.limit for slo in slos}
    total_s = 4 * limits["large_document_s", SCOPE_ALL]
    for name in ("small_document", "gdpr_deletion", "gdpr_deletion"):
        total_s += checks.patience_s(name, limits[f"{name}_s", SCOPE_ALL])
    for name in TIMED_REQUIREMENTS:
        limit_s = limits[f"{name}_s", SCOPE_ALL]
        total_s += checks.budget_s(name, limit_s) + checks.patience_s(name, limit_s) + checks.repeats_of(name) * pause_s
    for name in SCENARIOS:
        limit_s = limits.get(("latency_p95_ms", f"scenario:{name}"), 0) / 1000
        total_s += checks.scenario_repeats * (limit_s + pause_s) + limit_s
    return total_s


def slowest_requirement_s(slos: Iterable[Slo]) -> float:
    """The longest time that a requirement allows one answer."""
    return max(slo.limit for slo in slos if slo.metric in {f"{name}_s" for name in TIMED_REQUIREMENTS})


def refuse_overrides(profile_name: str, checks: Checks | None, changed: Mapping[str, object]) -> None:
    """Raise ConfigError: checks have the users that they need, and end when they are done."""
    for name in ("users", "duration_s"):
        if checks is not None and name in changed:
            text = f"{profile_name} checks requirements one by one and takes no {name} ({changed[name]})"
            raise ConfigError(f"{name}: {text}")
