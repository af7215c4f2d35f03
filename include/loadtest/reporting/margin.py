"""How far a figure is from its limit. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]


def margin_pct(slo: Row) -> float | None:
    """Room to the limit in % of it: positive within, negative beyond; None without a figure, and for a limit of 0."""
    observed, limit = slo["observed"], slo["limit"]
    if observed is None or not limit:
        return None
    room = limit - observed if slo["comparator"].startswith("<") else observed - limit
    return float(100 * room / abs(limit))


def closest(slos: Iterable[Row]) -> tuple[Row, float] | None:
    """The judged limit with the least room, and its room in %; critical limits come before warning ones."""
    judged = [(slo, margin_pct(slo)) for slo in slos if slo["outcome"] in ("met", "near")]
    known = [(slo, room) for slo, room in judged if room is not None]
    return min(known, key=lambda one: (one[0]["level"] != "critical", one[1]), default=None)
