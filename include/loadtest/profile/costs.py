"""What to buy where a resource is short, as data: triggers, parts, prices, and what their source hopes for."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from include.loadtest.errors import nearest
from include.loadtest.profile.loading import PROFILES_DIR
from include.loadtest.profile.shape import Finite, Frozen
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.profile.yaml_source import model_of, read_yaml

COSTS_FILE = PROFILES_DIR / "costs.yaml"
EXAMPLE = "include/profiles/costs.yaml"

Text = Annotated[str, Field(min_length=1, max_length=100)]
Degree = Literal["LOW", "MEDIUM", "HIGH"]


class Trigger(Frozen):
    """Crossed where the mean of `metric` over the hold is above `above`, in the metric's unit."""

    metric: str
    above: Annotated[Finite, Field(gt=0)]

    @field_validator("metric")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in METRICS:
            raise ValueError(f"unknown metric; {nearest(name, METRICS)}")
        return name

    @property
    def unit(self) -> str:
        """The metric's unit."""
        return METRICS[self.metric].unit


class Range(Frozen):
    """From `low` to `high`, both included."""

    low: Annotated[int, Field(ge=1)]
    high: Annotated[int, Field(ge=1)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low is {self.low}, more than high ({self.high}): swap them")
        return self


class Planned(Frozen):
    """The concurrent users that the business plans with, and for which goal."""

    users: Range
    goal: Text


class Scaling(Frozen):
    """One thing to buy, once any of its triggers is crossed.

    `documents_assumption` is the gain that the load-testing document hopes for: never measured, never a prediction.
    """

    component: Text
    triggers: Annotated[tuple[Trigger, ...], Field(min_length=1)]
    current: Text
    recommended: Text
    priority: Degree
    cost_eur_a_month: Range
    effort: Degree
    documents_assumption: Text


class Costs(Frozen):
    """The content of costs.yaml."""

    planned: Planned
    scaling: Annotated[tuple[Scaling, ...], Field(min_length=1)]


_PARTS: dict[str, type[Frozen]] = {
    "planned": Planned,
    "planned.users": Range,
    "scaling": Scaling,
    "scaling.triggers": Trigger,
    "scaling.cost_eur_a_month": Range,
}


def load_costs(path: Path = COSTS_FILE) -> Costs:
    """Read and check a cost file. Raises ConfigError with `file:line` of what is wrong in it."""
    return model_of(read_yaml(path), Costs, _PARTS, EXAMPLE)
