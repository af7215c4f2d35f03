"""What a change may bring, by a model, with its interval; where no model says so: "not estimated". Pure.

Amdahl 1967, "Validity of the single processor approach to achieving large scale computing capabilities": what takes a
share s of a request's time can make it at most s shorter, were it done in no time. So the interval begins at 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.analysis.capacity.maximum import REACH

NOT_ESTIMATED = "not estimated"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Improvement:
    """A text, and the ends of a relative change (0.2: 20 %) of the named figure; None without an estimate."""

    text: str
    low: float | None = None
    high: float | None = None
    figure: str | None = None
    model: str | None = None

    def document(self) -> dict[str, Any] | None:
        """The part `improvement_range` of an entry."""
        if self.model is None:
            return None
        return {"figure": self.figure, "low": self.low, "high": self.high, "model": self.model}


NONE = Improvement(NOT_ESTIMATED)


def shorter_by_at_most(share: float | None, what: str) -> Improvement:
    """The mean time of a request falls by 0 up to `share`: all that is spent in `what` (Amdahl's bound)."""
    if share is None or not 0 < share <= 1:
        return NONE
    text = f"mean time of a request 0 to {100 * share:.0f} % shorter, at most: all that is spent in {what} (Amdahl)"
    return Improvement(text, 0.0, share, "mean time of a request", "Amdahl")


def layer_share(budget: Sequence[Row], layer: str) -> float | None:
    """Share of a request's time in a layer of the diagnosis' time budget; None where it was not measured."""
    return next((row["share"] for row in budget if row["layer"] == layer), None)


def budget_ms(budget: Sequence[Row]) -> float | None:
    """Time of a request in all layers together; None where that is not known: without "elsewhere" some are missing."""
    if not any(row["layer"] == "elsewhere" for row in budget):
        return None
    return sum(row["ms_per_request"] for row in budget) or None


def with_twice(capacity: Row | None, resource: str) -> Improvement:
    """What twice as much of a resource does to the highest throughput, by the utilisation law.

    The highest throughput is that of the resource which ends first: twice as much of this one brings at most twice as
    much, and no more than where the next one ends.
    """
    rows = [row for row in (capacity or {}).get("resources") or () if row["max_rpm"]]
    if capacity is None or len(rows) < 1 or rows[0]["resource"] != resource:
        return NONE
    ends = {"": 2 * rows[0]["max_rpm"], **{f", then {row['title']} ends": row["max_rpm"] for row in rows[1:]}}
    if any(row["beyond_reach"] for row in capacity["resources"]):
        ends[f", nothing is said of more than {REACH:g} x what was tested"] = REACH * capacity["tested"]["rpm"]
    why, ceiling = min(ends.items(), key=lambda one: one[1])
    gain = ceiling / rows[0]["max_rpm"] - 1
    text = f"highest throughput 0 to {100 * gain:.0f} % more with twice as much (utilisation law{why})"
    return Improvement(text, 0.0, gain, "highest throughput", "utilisation law")
