"""Where a stepped load breaks: between which steps, and by what. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.analysis.capacity.steps import Step, first_without_gain

Row = Mapping[str, Any]
_LIMIT, _SATURATION, _NO_GAIN = "limit", "saturation", "no_gain"
_WORDS = {
    _LIMIT: "a limit is broken",
    _SATURATION: "a user gets too little of the first step's throughput",
    _NO_GAIN: "more users bring no more throughput",
}


def breaking_point(steps: Sequence[Step], metrics: Sequence[Row]) -> dict[str, Any]:
    """The first step that breaks a limit, or gains no throughput: `{"above_users", "at_users", "by", "text"}`.

    It lies above `above_users` (the last step before it; null where the first breaks) and at most at `at_users` (null:
    not reached). `by` is limit, saturation or no_gain. The first two are the figures of metrics.json.
    """
    found = [(_value(metrics, "breaking_point_users"), _LIMIT), (_value(metrics, "saturation_users"), _SATURATION)]
    place = first_without_gain(steps)
    found.append((None if place is None else steps[place].users, _NO_GAIN))
    known = [(users, by) for users, by in found if users is not None]
    if not known:
        last = steps[-1].users if steps else None
        text = "not known" if last is None else f"not reached up to {last} users"
        return {"above_users": last, "at_users": None, "by": None, "text": text}
    at_users, by = min(known, key=lambda one: one[0])
    above = max((step.users for step in steps if step.users < at_users), default=None)
    span = f"up to {at_users} users" if above is None else f"between {above} and {at_users} users"
    return {"above_users": above, "at_users": at_users, "by": by, "text": f"{span}: {_WORDS[by]}"}


def _value(metrics: Sequence[Row], metric: str) -> int | None:
    value = next((row["value"] for row in metrics if row["metric"] == metric and row["scope"] == "all"), None)
    return None if value is None else int(value)


def saturated_from(steps: Sequence[Step], metrics: Sequence[Row]) -> int | None:
    """Users from which on the throughput is the target's and no longer the users'; None where not seen."""
    place = first_without_gain(steps)
    known = [_value(metrics, "saturation_users"), None if place is None else steps[place].users]
    return min((users for users in known if users is not None), default=None)
