"""The small parts of a profile: think time, questions, warm-up, words for the business, its plan."""

from typing import Annotated, Self

from pydantic import Discriminator, Field, Tag, model_validator

from include.loadtest.profile.shape import Finite, Frozen

MAX_POOL_SIZE = 150
"""Distinct questions that exist of each kind."""


class ThinkTime(Frozen):
    """Pause between two iterations of a user, drawn uniformly, in seconds."""

    min: Annotated[Finite, Field(ge=0, le=600)]
    max: Annotated[Finite, Field(ge=0, le=600)]

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max < self.min:
            raise ValueError(f"max ({self.max:g} s) is below min ({self.min:g} s); swap them")
        return self

    @property
    def mean_s(self) -> float:
        """Mean of the uniform distribution, in seconds."""
        return (self.min + self.max) / 2


class Questions(Frozen):
    """What users ask; size and popularity of the pool and the share of new questions set the cache hit rate.

    A new question was never asked before, in this run or an earlier one: it reaches the LLM whatever the cache holds.
    """

    pool_size: Annotated[int, Field(ge=3, le=MAX_POOL_SIZE)]
    zipf_exponent: Annotated[Finite, Field(ge=0, le=3)]
    new_share: Annotated[Finite, Field(ge=0, le=1)]


class WarmUp(Frozen):
    """Cache warming: rounds over the pool until the hit rate of two rounds differs by less than `settled_within`."""

    settled_within: Annotated[Finite, Field(gt=0, lt=1)]
    max_s: Annotated[int, Field(ge=1, le=3600)]


class Meaning(Frozen):
    """What a run of this profile says to the business, in words: its limits hold, or break, or nothing is known."""

    met: Annotated[str, Field(min_length=1, max_length=600)]
    missed: Annotated[str, Field(min_length=1, max_length=600)]
    unknown: Annotated[str, Field(min_length=1, max_length=600)]


Percent = Annotated[Finite, Field(gt=-50, le=100)]


class Growth(Frozen):
    """From `low` to `high` per cent more users a month, both included."""

    low: Percent
    high: Percent

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low is {self.low:g} %, more than high ({self.high:g} %); swap them")
        return self


def _growth_kind(value: object) -> str:
    """Which of both is meant, so that an error is told of that one."""
    return "range" if isinstance(value, dict | Growth) else "number"


NumberOrRange = Annotated[
    Annotated[Percent, Tag("number")] | Annotated[Growth, Tag("range")], Discriminator(_growth_kind)
]


class Plan(Frozen):
    """What the load is expected to become: `normal_users` at the same time now, `peak_factor` times as many at a peak.

    `growth_pct_a_month` is what the business expects, one number or a range; null: nobody has said so.
    """

    normal_users: Annotated[int, Field(ge=1)]
    peak_factor: Annotated[Finite, Field(ge=1, le=100)]
    growth_pct_a_month: NumberOrRange | None = None

    @property
    def growth_range_pct(self) -> tuple[float, float] | None:
        """Lowest and highest growth in per cent a month; None where none is stated."""
        growth = self.growth_pct_a_month
        if growth is None:
            return None
        return (growth.low, growth.high) if isinstance(growth, Growth) else (growth, growth)
