"""One figure of a profile on a target, run by run, with what people noted about its level."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from include.loadtest.history.database import transaction
from include.loadtest.history.runs import NEWEST_FIRST
from include.loadtest.history.schema import BASELINE, BASELINE_RUN, INTENDED_CHANGE, METRIC, RUN
from include.loadtest.history.store import NO_REPEAT

SEARCHED_RUNS = 50
"""Which figures a profile has is read from so many of its latest runs: an aborted one may have none."""


@dataclass(frozen=True)
class Question:
    """Which figure is asked for."""

    profile: str
    target: str
    metric: str
    scope: str
    phase: str


@dataclass(frozen=True)
class Point:
    """The figure of one run; `value` None where the run has none, an interval of None where that is not known."""

    run_id: str
    verdict: str
    started: datetime
    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int | None


@dataclass(frozen=True)
class Series:
    """Comparable runs, the oldest first. `load`: what makes them comparable, see `history.comparability`."""

    key: str
    load: dict[str, Any]
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Subject:
    """A profile on a target that the history has runs of, and when the latest of them began."""

    profile: str
    target: str
    latest: datetime


@dataclass(frozen=True)
class Figure:
    """A figure that runs have."""

    metric: str
    scope: str
    phase: str
    unit: str
    direction: str


@dataclass(frozen=True)
class Baseline:
    """A set of runs that was proposed or pinned; its steps are (what, when, who, why), the first one first."""

    number: int
    key: str
    status: str
    steps: tuple[tuple[str, datetime, str, str], ...]
    run_ids: tuple[str, ...]

    def step(self, name: str) -> datetime | None:
        """When it was proposed, pinned or retired; None: it was not."""
        return next((at for what, at, _, _ in self.steps if what == name), None)


@dataclass(frozen=True)
class IntendedChange:
    """A mark of a person; `profile` None: for all profiles of the target."""

    number: int
    profile: str | None
    since: datetime
    marked_at: datetime
    marked_by: str
    reason: str


def read_series(engine: Engine, asked: Question) -> list[Series]:
    """The runs of the profile on the target by comparability key, the key with the newest run first; no repeats.

    All runs are there, whatever their verdict and whether they have the figure. Raises InfrastructureError where the
    database does not answer, ConfigError where it has not our tables.
    """
    keys: dict[str, list[Row[Any]]] = {}
    with transaction(engine) as connection:
        for row in connection.execute(_points(asked)):
            keys.setdefault(row.comparability_key, []).append(row)
    return [_series(key, rows) for key, rows in keys.items()]


def _points(asked: Question) -> Select[Any]:
    """A row a run, the newest first; only the newest of a key has the content of the key, which is long."""
    own = and_(
        METRIC.c.run_id == RUN.c.run_id,
        METRIC.c.metric == asked.metric,
        METRIC.c.scope == asked.scope,
        METRIC.c.phase == asked.phase,
    )
    place = func.row_number().over(partition_by=RUN.c.comparability_key, order_by=NEWEST_FIRST)
    runs = (
        select(
            *(RUN.c.run_id, RUN.c.verdict, RUN.c.started, RUN.c.comparability_key),
            *(METRIC.c.value, METRIC.c.ci_low, METRIC.c.ci_high, METRIC.c.n),
            place.label("place"),
        )
        .select_from(RUN.outerjoin(METRIC, own))
        .where(RUN.c.profile == asked.profile, RUN.c.target == asked.target, NO_REPEAT)
        .subquery("point")
    )
    again = RUN.alias("again")
    load = select(again.c.comparability).where(again.c.run_id == runs.c.run_id).scalar_subquery()
    return select(runs, case((runs.c.place == 1, load)).label("load")).order_by(
        runs.c.started.desc(), runs.c.run_id.desc()
    )


def _series(key: str, newest_first: Sequence[Row[Any]]) -> Series:
    points = tuple(
        Point(row.run_id, row.verdict, row.started, row.value, row.ci_low, row.ci_high, row.n)
        for row in reversed(newest_first)
    )
    return Series(key, newest_first[0].load, points)


def read_subjects(engine: Engine) -> list[Subject]:
    """What trends there are, by profile and target. Raises as `read_series` does."""
    latest = func.max(RUN.c.started).label("latest")
    statement = select(RUN.c.profile, RUN.c.target, latest).where(NO_REPEAT).group_by(RUN.c.profile, RUN.c.target)
    with transaction(engine) as connection:
        return [Subject(*row) for row in connection.execute(statement.order_by(RUN.c.profile, RUN.c.target))]


def read_figures(engine: Engine, profile: str, target: str) -> list[Figure]:
    """The figures that the latest runs of a profile on a target have, by name. Raises as `read_series` does."""
    own = (RUN.c.profile == profile, RUN.c.target == target, NO_REPEAT)
    has_some = select(METRIC.c.run_id).where(METRIC.c.run_id == RUN.c.run_id).exists()
    latest = select(RUN.c.run_id).where(*own, has_some).order_by(*NEWEST_FIRST).limit(SEARCHED_RUNS)
    columns = (METRIC.c.metric, METRIC.c.scope, METRIC.c.phase, METRIC.c.unit, METRIC.c.direction)
    statement = select(*columns).distinct().where(METRIC.c.run_id.in_(latest))
    with transaction(engine) as connection:
        return [Figure(*row) for row in connection.execute(statement.order_by(*columns))]


def read_baselines(engine: Engine, profile: str, target: str) -> list[Baseline]:
    """All sets of a profile on a target, the newest first. Raises as `read_series` does."""
    run_ids = func.array_agg(aggregate_order_by(RUN.c.run_id, RUN.c.started, RUN.c.run_id))
    members = (
        select(run_ids)
        .select_from(BASELINE_RUN.join(RUN, RUN.c.run_id == BASELINE_RUN.c.run_id))
        .where(BASELINE_RUN.c.baseline_id == BASELINE.c.id)
        .correlate(BASELINE)
        .scalar_subquery()
    )
    statement = select(BASELINE, members.label("run_ids")).where(
        BASELINE.c.profile == profile, BASELINE.c.target == target
    )
    with transaction(engine) as connection:
        return [_baseline(row) for row in connection.execute(statement.order_by(BASELINE.c.id.desc()))]


def _baseline(row: Row[Any]) -> Baseline:
    content = row._mapping
    steps = tuple(
        (step, content[f"{step}_at"], content[f"{step}_by"], content[f"{step}_reason"])
        for step in ("proposed", "pinned", "retired")
        if content[f"{step}_at"] is not None
    )
    return Baseline(row.id, row.comparability_key, row.status, steps, tuple(row.run_ids or ()))


def read_changes(engine: Engine, profile: str, target: str) -> list[IntendedChange]:
    """The intended changes of a profile on a target, the earliest first. Raises as `read_series` does."""
    change = INTENDED_CHANGE.c
    concerned: ColumnElement[bool] = or_(change.profile.is_(None), change.profile == profile)
    columns = (change.id, change.profile, change.since, change.marked_at, change.marked_by, change.reason)
    statement = select(*columns).where(change.target == target, concerned).order_by(change.since, change.id)
    with transaction(engine) as connection:
        return [IntendedChange(*row) for row in connection.execute(statement)]
