"""When arrivals come in an open load: evenly spaced at a constant rate, closer and closer while the rate rises."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from include.loadtest.profile.model import Profile
from include.loadtest.profile.shape import Stage


@dataclass(frozen=True)
class _Part:
    """A stage of the schedule: `before` arrivals were due when it began; rates in arrivals a second."""

    stage: Stage
    before: float
    rate_from: float
    rate_to: float

    @property
    def seconds(self) -> float:
        return self.stage.end_s - self.stage.start_s

    @property
    def arrivals(self) -> float:
        return self.seconds * (self.rate_from + self.rate_to) / 2

    def offset_s(self, number: int) -> float:
        """Where the integral of the rate reaches the number: the root of a quadratic, without cancellation."""
        due = number - self.before
        slope = (self.rate_to - self.rate_from) / self.seconds
        root = math.sqrt(max(0.0, self.rate_from**2 + 2 * slope * due))
        return self.stage.start_s + (2 * due / (self.rate_from + root) if due > 0 else 0.0)


class ArrivalSchedule:
    """The due times of all arrivals of a profile, computed one by one: nothing grows with the load.

    The rate is `rate_rpm` where all users of the shape are planned, and in proportion where fewer are. Raises
    ValueError for a profile without arrivals.
    """

    def __init__(self, profile: Profile) -> None:
        if profile.arrival is None:
            raise ValueError(f"{profile.name} has no arrivals")
        per_user = profile.arrival.rate_rpm / 60 / profile.users
        self._parts = _parts(profile.stages(), per_user)
        last = self._parts[-1]
        # A time computed as floating point may lie a hair beyond the last whole arrival.
        self.planned = math.ceil(round(last.before + last.arrivals, 6))

    def due(self, number: int) -> tuple[float, Stage] | None:
        """Seconds from the load's start to an arrival (counted from 0), and its stage; None after the last one."""
        if number >= self.planned:
            return None
        part = next((part for part in reversed(self._parts) if number >= part.before), self._parts[0])
        return part.offset_s(number), part.stage


def _parts(stages: Sequence[Stage], per_user: float) -> list[_Part]:
    parts: list[_Part] = []
    before = 0.0
    for stage in stages:
        parts.append(_Part(stage, before, per_user * stage.users_from, per_user * stage.users_to))
        before = round(before + parts[-1].arrivals, 9)
    return parts
