"""The stages of the load shape: a figure of each, and where a stepped load saturates and breaks."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from include.loadtest.metrics.figures import SampleFigures, stage_cell
from include.loadtest.metrics.phases import MINUTE_US, Piece
from include.loadtest.metrics.rows import error_row, percentile_row, throughput_row, ungraceful_row, users_row
from include.loadtest.profile import Profile, Stage
from include.loadtest.profile.shape import BreakingPoint, Steps

LEAST_ROWS = 20
"""Fewer requests say nothing about a step: as few as give no P95."""
_TOLERANCE_S = 0.001  # times computed as floating point


@dataclass(frozen=True)
class StageRow:
    """An entry of `stages` in metrics.json; null is what was not measured.

    `users` are the planned users at its end, `seconds` its length as it ran, `n` the requests that were started in it.
    Latency and errors are those of these requests; `throughput_rpm` counts the ok answers that ended in it.
    `lower_bound`: the P95 is shown "≥". `latency_p95_at_most_ms`: the P95 is not above this, however long the requests
    really took whose latency is a lower bound; null where so many of them say nothing about it.
    """

    stage: str
    phase: str
    users: int | None
    seconds: float
    n: int
    latency_p95_ms: float | None
    lower_bound: bool
    latency_p95_at_most_ms: float | None
    error_rate: float | None
    ungraceful_error_rate: float | None
    throughput_rpm: float | None

    def entry(self) -> dict[str, Any]:
        """As metrics.json has it."""
        return asdict(self)


def stage_rows(profile: Profile, stages: Sequence[Piece], figures: SampleFigures) -> list[StageRow]:
    """One row for each stage that ran, in order of time."""
    users = {stage.name: stage.users_to for stage in profile.stages()}
    lengths_us: dict[tuple[str, str], int] = {}
    for piece in stages:
        key = (piece.phase, piece.stage)
        lengths_us[key] = lengths_us.get(key, 0) + piece.end_us - piece.start_us
    return [
        _stage_row(phase, stage, users.get(stage), length_us, figures)
        for (phase, stage), length_us in lengths_us.items()
    ]


def _stage_row(phase: str, stage: str, users: int | None, length_us: int, figures: SampleFigures) -> StageRow:
    cell = stage_cell(phase, stage)
    outcomes = figures.outcomes.get(cell, {})
    distribution = figures.distributions.get(("latency", cell))
    latency = percentile_row("latency_p95_ms", cell, distribution)
    at_most_us = None if distribution is None else distribution.percentiles["latency_p95_ms"].at_most_us
    return StageRow(
        stage=stage,
        phase=phase,
        users=users,
        seconds=length_us / 1_000_000,
        n=sum(outcomes.values()),
        latency_p95_ms=latency["value"],
        lower_bound=latency["value"] is not None and latency["lower_bound"],
        latency_p95_at_most_ms=None if at_most_us is None else at_most_us / 1000,
        error_rate=error_row(cell, outcomes)["value"],
        ungraceful_error_rate=ungraceful_row(cell, outcomes, figures.refused.get(cell, 0))["value"],
        throughput_rpm=throughput_row(cell, figures.answers.get(cell), outcomes, length_us / MINUTE_US)["value"],
    )


def step_rows(profile: Profile, rows: Sequence[StageRow]) -> list[dict[str, Any]]:
    """The rows of `saturation_users` and `breaking_point_users`; none for a load without steps.

    The breaking point is the first step, hold included, whose P95 reaches its limit or whose ungraceful errors pass
    theirs: a quick refusal is no break. Saturated is the first step whose ok throughput a user is below the wanted
    share of the first step's. A step that was cut, or of which too little is known, is not judged, nor is any after it:
    whatever is found there, the first of its kind might have been before.
    """
    if not isinstance(profile.shape, Steps):
        return []
    limits = profile.shape.breaking_point
    ran = {row.stage: row for row in rows}
    planned = [stage for stage in profile.stages() if stage.phase != "recovery"]
    steps = [_whole(stage, ran.get(stage.name)) for stage in planned]
    broken = [None if step is None else _broken(step, limits) for step in steps]
    saturated = [None if step is None else _saturated(step, steps[0], limits) for step in steps]
    users = [stage.users_to for stage in planned]
    return [
        _first_step("saturation_users", users, saturated),
        _first_step("breaking_point_users", users, broken),
    ]


def _whole(stage: Stage, row: StageRow | None) -> StageRow | None:
    """The row of a stage that ran to its planned end."""
    return row if row is not None and row.seconds + _TOLERANCE_S >= stage.end_s - stage.start_s else None


def _broken(step: StageRow, limits: BreakingPoint) -> bool | None:
    """None where neither limit is known to be missed and one may be."""
    is_slow: bool | None = None
    if step.latency_p95_ms is not None and step.latency_p95_ms >= limits.p95_limit_ms:
        is_slow = True
    elif step.latency_p95_at_most_ms is not None and step.latency_p95_at_most_ms < limits.p95_limit_ms:
        is_slow = False
    fails: bool | None = None
    if step.n >= LEAST_ROWS and step.ungraceful_error_rate is not None:
        fails = step.ungraceful_error_rate > limits.error_rate_limit
    if is_slow or fails:
        return True
    return None if is_slow is None or fails is None else False


def _saturated(step: StageRow, first: StageRow | None, limits: BreakingPoint) -> bool | None:
    if first is None or step.n < LEAST_ROWS or first.n < LEAST_ROWS:
        return None
    if not (step.users and first.users) or step.throughput_rpm is None or not first.throughput_rpm:
        return None
    # Multiplied out: a division would round.
    wanted = limits.least_user_throughput_share * first.throughput_rpm * step.users
    return step.throughput_rpm * first.users < wanted


def _first_step(metric: str, users: Sequence[int], shown: Sequence[bool | None]) -> dict[str, Any]:
    judged = shown.index(None) if None in shown else len(shown)
    found = next((count for count, one in zip(users, shown[:judged], strict=False) if one), None)
    return users_row(metric, found, judged, users[judged - 1] if judged else None)
