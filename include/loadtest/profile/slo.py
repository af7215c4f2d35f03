"""One limit of a profile, with the checks that need nothing else of it."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from include.loadtest.errors import nearest
from include.loadtest.profile.shape import Finite, Frozen
from include.loadtest.profile.vocabulary import (
    GROWTH_METRICS,
    METRICS,
    SCOPE_ALL,
    UNSCOPED_METRICS,
    Comparator,
    Level,
    PhaseName,
)


class Slo(Frozen):
    """One limit on one metric. `required`: without a judgement of it the run is INCONCLUSIVE."""

    metric: str
    comparator: Comparator
    limit: Annotated[Finite, Field(ge=0)]
    scope: str = SCOPE_ALL
    phase: PhaseName = "hold"
    level: Level = "critical"
    required: bool = True

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        metric = METRICS.get(self.metric)
        if metric is None:
            raise ValueError(f"metric is unknown: {self.metric!r}; {nearest(self.metric, METRICS)}")
        if metric.direction == "none":
            raise ValueError(f"{self.metric} is shown, not judged; remove the limit (the key llm caps calls and cost)")
        if (metric.direction == "lower") != (self.comparator in ("<", "<=")):
            wanted = "< or <=" if metric.direction == "lower" else "> or >="
            raise ValueError(f"comparator of {self.metric} is {wanted}: {metric.direction} is better")
        if metric.unit == "ratio" and self.limit >= 1:
            raise ValueError(f"limit of {self.metric} is a ratio below 1, not per cent: write {self.limit / 100:g}")
        if metric.unit == "ms" and 0 < self.limit < 50:
            raise ValueError(
                f"limit of {self.metric} is in milliseconds: {self.limit:g} looks like seconds, "
                f"write {self.limit * 1000:g}"
            )
        if self.metric in GROWTH_METRICS and self.phase != "hold":
            raise ValueError(f"{self.metric} is measured in the hold only, not in {self.phase}")
        self._check_scope()
        return self

    def _check_scope(self) -> None:
        if self.scope == SCOPE_ALL:
            return
        kind, _, name = self.scope.partition(":")
        if kind != "scenario" or not name:
            raise ValueError(f"scope is unknown: {self.scope!r}; write all or scenario:<name>")
        if self.metric in UNSCOPED_METRICS:
            raise ValueError(f"{self.metric} is measured for scope all only")

    @property
    def is_required(self) -> bool:
        """Whether a run without a judgement of this limit is INCONCLUSIVE."""
        return self.level == "critical" and self.required

    @property
    def key(self) -> str:
        """Unique name of the judged figure within a profile."""
        return f"{self.metric}|{self.scope}|{self.phase}"
