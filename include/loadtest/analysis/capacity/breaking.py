"""Where a stepped load breaks: between which steps, and by what. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.analysis.capacity.steps import Step, first_without_gain

Row = Mapping[str, Any]
_LIMIT, _NO_GAIN = "limit", "no_gain"
_WORDS = {
    _LIMIT: "a limit is broken",
    _NO_GAIN: "more users bring no more throughput",
}


def breaking_point(steps: Sequence[Step], metrics: Sequence[Row]) -> dict[str, Any]:
    """The first step that breaks a limit, or gains no throughput: `{"above_users", "at_users", "by", "text"}`.

    It lies above `above_users` (the last step before it; null where the first breaks) and at most at `at_users` (null:
    not reached). `by` is limit (the figure of metrics.json) or no_gain.
    """
    found = [(_value(metrics, "breaking_point_users"), _LIMIT)]
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


def saturated_from(steps: Sequence[Step]) -> int | None:
    """Users from which on the throughput is the target's and no longer the users'; None where not seen.

    Not the `saturation_users` of metrics.json: a user may get less since answers take longer, long before the
    throughput ends.
    """
    place = first_without_gain(steps)
    return None if place is None else steps[place].users
