"""What a change brings, as a model predicts it with its interval; where no model does: "not estimated". Pure.

That a layer takes a share of a request's time bounds nothing: what waits for it, and what it keeps from others, is not
in that share, and what replaces it takes time too. So no figure is made of the time budget.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.analysis.capacity.maximum import REACH

NOT_ESTIMATED = "not estimated"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Improvement:
    """A text, and the 95 % interval of a figure's change in `unit` ("ratio": 0.2 is 20 %); None without an estimate."""

    text: str
    low: float | None = None
    high: float | None = None
    figure: str | None = None
    model: str | None = None
    unit: str = "ratio"

    def document(self) -> dict[str, Any] | None:
        """The part `improvement_range` of an entry."""
        if self.model is None:
            return None
        return {"figure": self.figure, "unit": self.unit, "low": self.low, "high": self.high, "model": self.model}


NONE = Improvement(NOT_ESTIMATED)


def layer_share(budget: Sequence[Row], layer: str) -> float | None:
    """Share of a request's time in a layer of the diagnosis' time budget; None where it was not measured."""
    return next((row["share"] for row in budget if row["layer"] == layer), None)


def shorter_wait(mean_ms: float, low_ms: float, high_ms: float) -> Improvement:
    """What a request waits less for a connection, by the M/M/n model of the pool."""
    text = (
        f"a request waits {mean_ms:.0f} ms less for a connection, on average (95 % {low_ms:.0f} to {high_ms:.0f}; "
        "M/M/n, if the database answers no slower)"
    )
    return Improvement(text, -high_ms, -low_ms, "wait of a request for a connection", "M/M/n", "ms")


def with_more(capacity: Row | None, resource: str, factor: float) -> Improvement:
    """What `factor` times as much of a resource does to the highest throughput, by the utilisation law.

    Predicted only where this resource ends first, all others are known, and what ends then (this one again, or the
    next) lies within 1.5 times the tested load and has an interval. The ends of the two intervals are combined, so the
    gain's is rather too wide.
    """
    maximum: Row = (capacity or {}).get("maximum") or {}
    if capacity is None or maximum.get("resource") != resource or capacity.get("not_measured"):
        return NONE
    rows: Sequence[Row] = capacity["resources"]
    ends = [_more_of(row, factor) if row["resource"] == resource else _as_it_is(row) for row in rows]
    title, *rates = min((end for end in ends if end[1] is not None), key=lambda end: end[1] or 0.0, default=_UNKNOWN)
    now = [maximum["rpm"], maximum["low_rpm"], maximum["high_rpm"]]
    rpm, low, high = rates
    if None in now or rpm is None or low is None or high is None or rpm > REACH * capacity["tested"]["rpm"]:
        return NONE
    gain, least, most = rpm / now[0] - 1, max(0.0, low / now[2] - 1), high / now[1] - 1
    text = (
        f"highest throughput {100 * gain:.0f} % higher (95 % {100 * least:.0f} to {100 * most:.0f}; utilisation law, "
        f"what ends then: {title})"
    )
    return Improvement(text, least, most, "highest throughput", "utilisation law")


End = tuple[str, float | None, float | None, float | None]
_UNKNOWN: End = ("", None, None, None)


def _as_it_is(row: Row) -> End:
    return row["title"], row["max_rpm"], row["max_low_rpm"], row["max_high_rpm"]


def _more_of(row: Row, factor: float) -> End:
    """X_max = (servers − idle)/D, so further servers add their number over D; its interval is that of D."""
    if row["max_rpm"] is None or not row["servers"] or not row["demand_ms"]:
        return _UNKNOWN
    further = (factor - 1) * row["servers"] * 60_000
    demands, ends = (row["demand_ms"], row["demand_high_ms"], row["demand_low_ms"]), _as_it_is(row)[1:]
    known = [end + further / demand if end and demand else None for end, demand in zip(ends, demands, strict=True)]
    return row["title"], known[0], known[1], known[2]
