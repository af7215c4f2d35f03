"""What the first page shows of the history: the last runs of each profile on each target, suites, who has a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, Row, Select, and_, func, literal, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from include.loadtest.history.comparison import PHASE
from include.loadtest.history.database import transaction
from include.loadtest.history.locks import WAITER_LIVE_S
from include.loadtest.history.runs import NEWEST_FIRST
from include.loadtest.history.schema import METRIC, RUN, TARGET_LOCK, TARGET_WAITER
from include.loadtest.history.store import NO_REPEAT
from include.loadtest.profile.vocabulary import SCOPE_ALL

RUNS_SHOWN = 30
"""As many of the last runs of a profile stand in its small picture."""
METRIC_SHOWN = "latency_p95_ms"


@dataclass(frozen=True)
class PastRun:
    """A concluded run; `p95_ms` is of the hold over all requests, None where it was not measured."""

    run_id: str
    verdict: str
    started: datetime
    ended: datetime | None
    p95_ms: float | None
    bundle_uri: str
    updated: datetime


@dataclass(frozen=True)
class ProfileRuns:
    """The last runs of a profile on a target, the newest first: at least one, at most RUNS_SHOWN; no repeats."""

    profile: str
    target: str
    runs: tuple[PastRun, ...]


@dataclass(frozen=True)
class SuiteVerdicts:
    """The last run of a suite on a target, with the verdicts of those of its runs that are in the history."""

    suite: str
    target: str
    suite_run_id: str
    started: datetime
    verdicts: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """A DAG run that waits for a target, in order of arrival."""

    owner: str
    run_id: str
    since: datetime


@dataclass(frozen=True)
class TargetUse:
    """A target that somebody has (`owner` None: nobody) or waits for; `waiting` only those that give signs of life."""

    target: str
    owner: str | None
    run_id: str | None
    since: datetime | None
    waiting: tuple[Waiting, ...]


@dataclass(frozen=True)
class Overview:
    """All of it, as of one moment."""

    profiles: tuple[ProfileRuns, ...]
    suites: tuple[SuiteVerdicts, ...]
    uses: tuple[TargetUse, ...]


def read_overview(engine: Engine) -> Overview:
    """All in one transaction. Raises InfrastructureError, or ConfigError where the database has not our tables."""
    with transaction(engine) as connection:
        return Overview(
            _profiles(connection.execute(last_runs()).all()),
            _suites(connection.execute(_last_suites()).all()),
            _uses(connection.execute(_locks()).all(), connection.execute(_waiters()).all()),
        )


def read_uses(engine: Engine) -> tuple[TargetUse, ...]:
    """Who has which target now, and who waits for it. Raises InfrastructureError."""
    with transaction(engine) as connection:
        return _uses(connection.execute(_locks()).all(), connection.execute(_waiters()).all())


def last_runs(shown: int = RUNS_SHOWN) -> Select[tuple[object, ...]]:
    """The last runs of each pair of profile and target: the pairs from one pass, their runs by index."""
    pair = select(RUN.c.profile, RUN.c.target).where(NO_REPEAT).distinct().subquery("pair")
    last = (
        select(RUN)
        .where(RUN.c.profile == pair.c.profile, RUN.c.target == pair.c.target, NO_REPEAT)
        .order_by(*NEWEST_FIRST)
        .limit(shown)
        .lateral("last")
    )
    p95 = and_(
        METRIC.c.run_id == last.c.run_id,
        METRIC.c.metric == METRIC_SHOWN,
        METRIC.c.scope == SCOPE_ALL,
        METRIC.c.phase == PHASE,
    )
    columns = ("run_id", "verdict", "started", "ended", "bundle_uri", "updated_at")
    return (
        select(pair.c.profile, pair.c.target, *(last.c[name] for name in columns), METRIC.c.value.label("p95_ms"))
        .select_from(pair.join(last, true()).outerjoin(METRIC, p95))
        .order_by(pair.c.profile, pair.c.target, last.c.started.desc(), last.c.run_id.desc())
    )


def _profiles(rows: Sequence[Row[tuple[object, ...]]]) -> tuple[ProfileRuns, ...]:
    found: dict[tuple[str, str], list[PastRun]] = {}
    for row in rows:
        past = PastRun(row.run_id, row.verdict, row.started, row.ended, row.p95_ms, row.bundle_uri, row.updated_at)
        found.setdefault((row.profile, row.target), []).append(past)
    return tuple(ProfileRuns(*pair, tuple(runs)) for pair, runs in found.items())


def _last_suites() -> Select[tuple[object, ...]]:
    last = (
        select(RUN.c.suite, RUN.c.target, RUN.c.suite_run_id)
        .where(RUN.c.suite.is_not(None), RUN.c.suite_run_id.is_not(None))
        .ext(distinct_on(RUN.c.suite, RUN.c.target))
        .order_by(RUN.c.suite, RUN.c.target, RUN.c.started.desc())
        .subquery("last")
    )
    own = and_(RUN.c.suite_run_id == last.c.suite_run_id, NO_REPEAT)
    return (
        select(
            *last.c,
            func.min(RUN.c.started).label("started"),
            func.array_agg(RUN.c.verdict).label("verdicts"),
        )
        .select_from(last.join(RUN, own))
        .group_by(*last.c)
        .order_by(func.min(RUN.c.started).desc())
    )


def _suites(rows: Sequence[Row[tuple[object, ...]]]) -> tuple[SuiteVerdicts, ...]:
    return tuple(
        SuiteVerdicts(row.suite, row.target, row.suite_run_id, row.started, tuple(row.verdicts)) for row in rows
    )


def _locks() -> Select[tuple[object, ...]]:
    valid = TARGET_LOCK.c.expires > func.clock_timestamp()
    return select(TARGET_LOCK).where(valid).order_by(TARGET_LOCK.c.target)


def _waiters() -> Select[tuple[object, ...]]:
    lives: ColumnElement[bool] = TARGET_WAITER.c.last_seen > func.clock_timestamp() - literal(
        timedelta(seconds=WAITER_LIVE_S)
    )
    return select(TARGET_WAITER).where(lives).order_by(TARGET_WAITER.c.ticket)


def _uses(
    locks: Sequence[Row[tuple[object, ...]]], waiters: Sequence[Row[tuple[object, ...]]]
) -> tuple[TargetUse, ...]:
    held = {row.target: row for row in locks}
    waiting: dict[str, list[Waiting]] = {}
    for row in waiters:
        waiting.setdefault(row.target, []).append(Waiting(row.owner, row.run_id, row.since))
    uses = []
    for target in sorted({*held, *waiting}):
        lock = held.get(target)
        owner, run_id, since = (None, None, None) if lock is None else (lock.owner, lock.run_id, lock.acquired)
        uses.append(TargetUse(target, owner, run_id, since, tuple(waiting.get(target, ()))))
    return tuple(uses)
