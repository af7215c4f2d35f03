"""How many users each limit lets through: the last step within it, and the first beyond it. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from include.loadtest.analysis.capacity.steps import LEAST_REQUESTS, Step
from include.loadtest.profile import Profile
from include.loadtest.profile.reference import requirements
from include.loadtest.profile.shape import Steps
from include.loadtest.profile.vocabulary import METRICS, SCOPE_ALL

_STEP_METRICS = ("latency_p95_ms", "error_rate", "ungraceful_error_rate")


@dataclass(frozen=True)
class StepLimit:
    """A limit that a step can be held against: below it, or (`at_most`) at most as much."""

    metric: str
    limit: float
    at_most: bool
    of: str

    def broken_by(self, step: Step) -> bool | None:
        """None where the step does not tell."""
        value = step.figures[self.metric]
        if self.metric != "latency_p95_ms":
            if value is None or step.n < LEAST_REQUESTS:
                return None
            return bool(value > self.limit) if self.at_most else bool(value >= self.limit)
        at_most_ms = step.figures["latency_p95_at_most_ms"]
        if value is not None and value >= self.limit:
            return True
        return False if at_most_ms is not None and at_most_ms < self.limit else None


def limits_of(profile: Profile) -> list[StepLimit]:
    """The profile's own limits of all requests, those of its breaking point, and the rows of the shared table."""
    found: dict[tuple[str, float], StepLimit] = {}
    for limit in _all_limits(profile):
        found.setdefault((limit.metric, limit.limit), limit)
    return list(found.values())


def _all_limits(profile: Profile) -> Iterator[StepLimit]:
    for slo in profile.slos:
        if slo.metric in _STEP_METRICS and slo.scope == SCOPE_ALL and slo.phase == "hold":
            yield StepLimit(slo.metric, slo.limit, slo.comparator == "<=", "this profile")
    for row in requirements().by_users:
        yield StepLimit("latency_p95_ms", row.p95_ms, False, f"the row of {row.users} user{'s' * (row.users > 1)}")
        yield StepLimit("error_rate", row.error_rate, False, f"the row of {row.users} user{'s' * (row.users > 1)}")
    if isinstance(profile.shape, Steps):
        limits = profile.shape.breaking_point
        yield StepLimit("latency_p95_ms", limits.p95_limit_ms, False, "a step's breaking point")
        yield StepLimit("ungraceful_error_rate", limits.error_rate_limit, True, "a step's breaking point")


def users_within(limit: StepLimit, steps: Sequence[Step]) -> dict[str, Any]:
    """`{"metric", "limit", "unit", "of", "within_users", "beyond_users", "interpolated_users"}`.

    `within_users`: the last step before one that breaks the limit or does not tell; null where the first does.
    `beyond_users`: the first step that breaks it; null where none is known to. `interpolated_users` lies between two
    neighbouring steps, on the straight line through them, and only where the figure has risen from step to step.
    """
    broken = [limit.broken_by(step) for step in steps]
    first_open = next((place for place, one in enumerate(broken) if one is not False), len(steps))
    beyond = next((place for place, one in enumerate(broken) if one), None)
    return {
        "metric": limit.metric,
        "limit": limit.limit,
        "unit": METRICS[limit.metric].unit,
        "of": limit.of,
        "within_users": steps[first_open - 1].users if first_open else None,
        "beyond_users": None if beyond is None else steps[beyond].users,
        "interpolated_users": _interpolated(limit, steps, beyond) if beyond == first_open and beyond else None,
    }


def _interpolated(limit: StepLimit, steps: Sequence[Step], beyond: int) -> float | None:
    rows: list[Mapping[str, Any]] = [step.figures for step in steps[: beyond + 1]]
    values = [row[limit.metric] for row in rows]
    if any(value is None for value in values) or any(
        row["lower_bound"] for row in rows if limit.metric.startswith("latency")
    ):
        return None
    if any(after < before for before, after in pairwise(values)):
        return None
    low, high = values[-2:]
    share = (limit.limit - low) / (high - low)
    users: float = steps[beyond - 1].users + share * (steps[beyond].users - steps[beyond - 1].users)
    return users
