"""The highest throughput that the target sustains: measured where a step saturated it, else predicted, or refused."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.analysis.capacity.law import Line, fitted
from include.loadtest.analysis.capacity.steps import Step
from include.loadtest.analysis.capacity.usage import Use, Used
from include.loadtest.profile import MAX_USERS

REACH = 1.5
"""Nothing is said of more than this many times the tested load, of throughput or of users."""
USED_UP_SHARE = 0.8
"""Of a resource, above which it is what holds a saturated step: work waits for it four times as long as it takes."""
LEAST_BUSY_SHARE = 0.05
"""A resource that is used less in the highest step is far from a limit, and its line is mostly noise."""

Row = Mapping[str, Any]


def resource_rows(used: Sequence[Used], *, below_users: int | None) -> list[dict[str, Any]]:
    """A row of each resource, the one that ends first in front.

    `demand_ms`: of one ok answer, by the slope of the steps below `below_users` (the saturated ones); `max_rpm`: where
    none of it is left, null where it does not rise with the load or nobody knows how many servers there are.
    """
    rows = [_resource_row(one, below_users) for one in used]
    return sorted(rows, key=lambda row: math.inf if row["max_rpm"] is None else row["max_rpm"])


def _resource_row(used: Used, below_users: int | None) -> dict[str, Any]:
    uses = [use for use in used.uses if below_users is None or use.users < below_users]
    top = max(used.uses, key=lambda use: use.users)
    line, free = _line(used, uses)
    low = high = maximum = None
    busiest = max((use.busy for use in uses), default=0.0)
    is_used = bool(used.servers) and busiest >= LEAST_BUSY_SHARE * (used.servers or 0.0)
    if line is not None and free is not None and line.follows_load and is_used:
        maximum = line.throughput_at(free) * 60
        low, high = (None, None) if (ends := line.interval_at(free)) is None else [end * 60 for end in ends]
    return {
        "resource": used.resource.name,
        "title": used.resource.title,
        "unit": used.resource.unit,
        "servers": used.servers,
        "busy_at_top": top.busy,
        "busy_share_at_top": top.busy / used.servers if used.servers else None,
        **_demand(line),
        "max_rpm": maximum,
        "max_low_rpm": low,
        "max_high_rpm": high,
    }


def _line(used: Used, uses: Sequence[Use]) -> tuple[Line | None, float | None]:
    """The line of what the load uses, and how many servers there are for it.

    Other work on a machine comes and goes while the steps rise, and would bend the line: where the load's own use is
    told apart, it makes the line, and what others use on average is taken off the servers.
    """
    own = [use.own_busy for use in uses if use.own_busy is not None]
    if used.servers is None or not own or len(own) < len(uses):
        return fitted([(use.throughput, use.busy) for use in uses], with_idle=used.resource.idle), used.servers
    points = [(use.throughput, busy) for use, busy in zip(uses, own, strict=True)]
    others = sum(max(0.0, use.busy - busy) for use, busy in zip(uses, own, strict=True)) / len(uses)
    return fitted(points, with_idle=used.resource.idle), used.servers - others


def _demand(line: Line | None) -> dict[str, Any]:
    ends: tuple[float | None, ...] = (None, None, None)
    if line is not None:
        ends = (line.demand_s, *(line.demand_interval_s or (None, None)))
    names = ("demand_ms", "demand_low_ms", "demand_high_ms")
    values = dict(zip(names, (None if end is None else 1000 * end for end in ends), strict=True))
    return {**values, "steps": 0 if line is None else line.points}


def within_reach(rows: Sequence[Row], tested_rpm: float | None) -> list[dict[str, Any]]:
    """The rows without what lies beyond 1.5 times the tested throughput; `beyond_reach` says that it is there."""
    names, reach = ("max_rpm", "max_low_rpm", "max_high_rpm"), REACH * (tested_rpm or 0.0)
    return [
        {
            **row,
            **{name: row[name] if row[name] is not None and row[name] <= reach else None for name in names},
            "beyond_reach": row["max_rpm"] is not None and row["max_rpm"] > reach,
        }
        for row in rows
    ]


def maximum_of(steps: Sequence[Step], resources: Sequence[Row], saturated_users: int | None) -> dict[str, Any]:
    """The highest throughput with its interval, the users that bring it, what ends then, and a text.

    `{"state", "text", "rpm", "low_rpm", "high_rpm", "users", "users_low", "users_high", "resource",
    "test_up_to_users"}`.
    `state`: measured (a step was saturated), predicted, not_predicted (more than 1.5 times what was tested) or
    not_known. `users` are those that just bring so much: at the top step's time between two requests, by Little's law.
    An end of an interval beyond 1.5 times the tested load is null.
    """
    known = [step for step in steps if step.throughput_rpm]
    first = next((row for row in resources if row["max_rpm"] is not None), None)
    if not known:
        return _maximum("not_known", "not known: no step ran to its end")
    if saturated_users is not None:
        return _measured(max(known, key=lambda step: step.throughput_rpm or 0.0), saturated_users, resources)
    if first is None:
        return _maximum("not_known", "not known: no resource was read whose use rises with the load")
    return _predicted(known[-1], first)


def _measured(best: Step, saturated_users: int, resources: Sequence[Row]) -> dict[str, Any]:
    """`resource` is the one that was used most, if it was nearly used up: else what ended was not measured."""
    low, high = best.throughput_interval_rpm or (None, None)
    rpm = best.throughput_rpm or 0.0
    text = f"measured: {rpm:,.0f} req/min; from {saturated_users} users on it gains too little"
    used_up = [row for row in resources if (row["busy_share_at_top"] or 0.0) >= USED_UP_SHARE]
    name = max(used_up, key=lambda row: row["busy_share_at_top"])["resource"] if used_up else None
    return _maximum("measured", text, rpm=rpm, low_rpm=low, high_rpm=high, users=saturated_users, resource=name)


def _predicted(top: Step, first: Row) -> dict[str, Any]:
    tested_rpm = top.throughput_rpm or 0.0
    share = first["max_rpm"] / tested_rpm
    if share > REACH:
        up_to = min(MAX_USERS, math.ceil(REACH * top.users))
        text = f"not predicted: more than {REACH:g} x what was tested; test up to {up_to} users"
        return _maximum("not_predicted", text, resource=first["resource"], test_up_to_users=up_to)
    ends = [_within_reach(first[name], tested_rpm) for name in ("max_low_rpm", "max_high_rpm")]
    rpm = max(first["max_rpm"], tested_rpm)
    users = [None if end is None else top.users * end / tested_rpm for end in (rpm, *ends)]
    span = " to ".join("…" if end is None else f"{end:,.0f}" for end in ends)
    load = f"{rpm:,.0f} req/min (95 % {span}) with about {users[0]:.0f} users"
    text = f"predicted: {load}; what ends then: {first['title']}"
    return _maximum(
        "predicted",
        text,
        rpm=rpm,
        low_rpm=ends[0],
        high_rpm=ends[1],
        users=users[0],
        users_low=users[1],
        users_high=users[2],
        resource=first["resource"],
    )


def _within_reach(end: float | None, tested_rpm: float) -> float | None:
    """What was served is no prediction: an end below it is it; one that is out of reach is none."""
    return None if end is None or end > REACH * tested_rpm else max(end, tested_rpm)


def _maximum(state: str, text: str, **figures: Any) -> dict[str, Any]:
    names = ("rpm", "low_rpm", "high_rpm", "users", "users_low", "users_high", "resource", "test_up_to_users")
    return {"state": state, "text": text, **dict.fromkeys(names), **figures}
