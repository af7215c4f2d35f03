"""What to change where a bottleneck was found, as data: texts, priorities, efforts, and the evidence of each entry."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from include.loadtest.errors import nearest
from include.loadtest.profile.costs import Degree, Range, Text
from include.loadtest.profile.loading import PROFILES_DIR
from include.loadtest.profile.shape import Frozen
from include.loadtest.profile.yaml_source import model_of, read_yaml

OPTIMISATIONS_FILE = PROFILES_DIR / "optimisations.yaml"
EXAMPLE = "include/profiles/optimisations.yaml"
MANUAL_REVIEW = "manual_review"

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Source = Literal["code", "infrastructure", "bottleneck", "own"]
Condition = Literal[
    "sequential_scan",
    "no_sequential_scan",
    "plan_not_known",
    "server_full",
    "pool_full",
    "idle_in_transaction",
    "repeated_statement",
    "keys_expire",
    "cache_flushed",
    "keys_evicted",
    "misses_not_explained",
    "redis_cpu_used_up",
    "cores_left",
    "cores_used_up",
    "cause_not_known",
    "time_elsewhere",
    "memory_not_measured",
]


class Evidence(Frozen):
    """What has to be found: one of the diagnosis' `causes`, and (or) a measured `condition`."""

    causes: tuple[Name, ...] = ()
    condition: Condition | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.causes and self.condition is None:
            raise ValueError("causes and condition are missing; write one of them, or evidence: manual_review")
        return self


class Optimisation(Frozen):
    """One change. `cost_eur_a_month` null: nothing is bought, or (`cost_known` false) nobody knows for how much.

    `same_as`: told under that entry's id. `scaling`: the part of the cost file that it buys.
    """

    id: Name
    text: Text
    source: Source
    component: Text
    priority: Degree
    effort: Degree
    evidence: Evidence | Literal["manual_review"]
    cost_eur_a_month: Range | None = None
    cost_known: bool = True
    scaling: Text | None = None
    same_as: Name | None = None


class Optimisations(Frozen):
    """The content of optimisations.yaml, in its order."""

    entries: Annotated[tuple[Optimisation, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [entry.id for entry in self.entries]
        for name in ids:
            if ids.count(name) > 1:
                raise ValueError(f"the id {name} stands twice; keep one")
        for entry in self.entries:
            if entry.same_as is not None and (entry.same_as not in ids or entry.same_as == entry.id):
                raise ValueError(f"same_as of {entry.id} names no other entry; {nearest(entry.same_as, ids)}")
        return self

    @property
    def for_manual_review(self) -> tuple[str, ...]:
        """Texts of the entries that no load test can show."""
        return tuple(entry.text for entry in self.entries if entry.evidence == MANUAL_REVIEW)


_PARTS: dict[str, type[Frozen]] = {
    "entries": Optimisation,
    "entries.evidence": Evidence,
    "entries.cost_eur_a_month": Range,
}


def load_optimisations(path: Path = OPTIMISATIONS_FILE) -> Optimisations:
    """Read and check a file of optimisations. Raises ConfigError with `file:line` of what is wrong in it."""
    return model_of(read_yaml(path), Optimisations, _PARTS, EXAMPLE)
