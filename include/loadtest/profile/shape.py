"""Load shapes: how many users run when. Each kind turns a profile's users and seconds into stages."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from include.loadtest.profile.vocabulary import PhaseName

LEAST_SPIKE_S = 10
"""A shorter crowd is over before it is felt."""
LoadModel = Literal["closed", "open"]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Frozen(BaseModel):
    """Base of all models: immutable, no unknown key, no silent conversion between types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Stage(Frozen):
    """A stretch of the load shape: users go linearly from `users_from` to `users_to` between two offsets in seconds."""

    name: str
    phase: PhaseName
    start_s: float
    end_s: float
    users_from: int
    users_to: int


Planned = tuple[str, PhaseName, float, int, int]
"""A stage before it has its place in time: name, phase, seconds, users at its start, users at its end."""


class Arrival(Frozen):
    """An open load: arrivals at `rate_rpm` a minute, each served by whichever of `max_users` is free.

    One that finds nobody free within `patience_s` (null: the time-out of its request) is dropped.
    """

    rate_rpm: Annotated[Finite, Field(gt=0, le=60_000)]
    max_users: Annotated[int, Field(ge=1)]
    patience_s: Annotated[Finite, Field(gt=0, le=600)] | None = None


class Recovery(Frozen):
    """What counts as recovered: `windows` windows of `window_s` in a row, each with its P95 below `p95_limit_ms`.

    `duration_s` is how long the phase is watched.
    """

    duration_s: Annotated[int, Field(ge=30, le=1800)]
    window_s: Annotated[int, Field(ge=1, le=60)]
    windows: Annotated[int, Field(ge=1, le=20)]
    p95_limit_ms: Annotated[Finite, Field(gt=0)]


class BreakingPoint(Frozen):
    """Where a stepped load breaks: P95 at `p95_limit_ms` or above, or more failed requests than `error_rate_limit`.

    A step is saturated when its throughput a user falls below `least_user_throughput_share` of the first step's.
    """

    p95_limit_ms: Annotated[Finite, Field(gt=0)]
    error_rate_limit: Annotated[Finite, Field(gt=0, lt=1)]
    least_user_throughput_share: Annotated[Finite, Field(gt=0, le=1)]


class Steady(Frozen):
    """A linear ramp of `ramp_up_s`, then all users for `duration_s`."""

    kind: Literal["steady"] = "steady"

    def stages(self, users: int, ramp_up_s: int, duration_s: int) -> tuple[Stage, ...]:
        """The ramp, if there is one, and the hold."""
        planned: list[Planned] = [
            ("ramp_up", "ramp_up", ramp_up_s, 0, users),
            ("hold", "hold", duration_s, users, users),
        ]
        return tuple(_in_a_row(planned))


class Steps(Frozen):
    """Users rise in `steps` equal steps, the last of which is the hold; then a few users probe whether it recovers."""

    kind: Literal["steps"]
    steps: Annotated[int, Field(ge=2, le=20)]
    probe_users: Annotated[int, Field(ge=1, le=10)]
    breaking_point: BreakingPoint
    recovery: Recovery

    def stages(self, users: int, ramp_up_s: int, duration_s: int) -> tuple[Stage, ...]:
        """The steps before the hold share `ramp_up_s`. Raises ValueError where there are fewer users than steps."""
        if users < self.steps:
            raise ValueError(f"users is {users}, fewer than the {self.steps} steps of shape.steps: raise users")
        below = [round(users * step / self.steps) for step in range(1, self.steps)]
        each_s = ramp_up_s / len(below)
        planned: list[Planned] = [(f"step_{count}", "ramp_up", each_s, count, count) for count in below]
        planned += [("hold", "hold", duration_s, users, users)]
        planned += [("recovery", "recovery", self.recovery.duration_s, self.probe_users, self.probe_users)]
        return tuple(_in_a_row(planned))


class Spike(Frozen):
    """A few users, a sudden crowd, a few users again.

    `duration_s` is all of it: the spike gets what the other phases leave.
    """

    kind: Literal["spike"]
    base_users: Annotated[int, Field(ge=1, le=100)]
    base_s: Annotated[int, Field(ge=10, le=3600)]
    ramp_down_s: Annotated[int, Field(ge=1, le=3600)]
    recovery: Recovery

    def stages(self, users: int, ramp_up_s: int, duration_s: int) -> tuple[Stage, ...]:
        """Raises ValueError where there is no crowd, or too little time is left for it."""
        if users <= self.base_users:
            raise ValueError(
                f"users is {users}, not above the {self.base_users} of shape.base_users: that is no spike; raise users"
            )
        around_s = self.base_s + ramp_up_s + self.ramp_down_s + self.recovery.duration_s
        if duration_s < around_s + LEAST_SPIKE_S:
            raise ValueError(
                f"duration_s is {duration_s} s for all phases, but before and after the spike {around_s} s are planned "
                f"(shape.base_s, ramp_up_s, shape.ramp_down_s, shape.recovery.duration_s), and the spike needs "
                f"{LEAST_SPIKE_S} s: make it longer"
            )
        planned: list[Planned] = [
            ("hold", "hold", self.base_s, self.base_users, self.base_users),
            ("ramp_up", "ramp_up", ramp_up_s, self.base_users, users),
            ("spike", "spike", duration_s - around_s, users, users),
            ("ramp_down", "ramp_down", self.ramp_down_s, users, self.base_users),
            ("recovery", "recovery", self.recovery.duration_s, self.base_users, self.base_users),
        ]
        return tuple(_in_a_row(planned))


Shape = Annotated[Steady | Steps | Spike, Field(discriminator="kind")]


def _in_a_row(planned: list[Planned]) -> Iterator[Stage]:
    """Stages one after the other."""
    start_s: float = 0
    for name, phase, seconds, users_from, users_to in planned:
        if seconds > 0:
            yield Stage(
                name=name,
                phase=phase,
                start_s=start_s,
                end_s=start_s + seconds,
                users_from=users_from,
                users_to=users_to,
            )
            start_s += seconds
