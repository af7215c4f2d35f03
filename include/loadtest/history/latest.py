"""The latest run of each profile on each target, and when each last came to a verdict, by suite."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, and_, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from include.loadtest.history.comparison import PHASE
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.history.store import NO_REPEAT
from include.loadtest.profile.vocabulary import SCOPE_ALL

_MOMENT = func.coalesce(RUN.c.ended, RUN.c.started)
"""A run that sent no load has no end; its start counts."""


@dataclass(frozen=True)
class LatestRun:
    """The last run of a profile on a target; `metrics`: the values of the hold over all requests, by name."""

    profile: str
    target: str
    verdict: str
    metrics: dict[str, float]


@dataclass(frozen=True)
class VerdictTime:
    """When the last run of a profile on a target ended that belonged to a suite ("": to none)."""

    profile: str
    target: str
    suite: str
    at: datetime


def latest_runs(engine: Engine) -> list[LatestRun]:
    """By profile and target, whatever their verdicts; repeats do not count. Raises InfrastructureError."""
    newest = (
        select(RUN.c.run_id, RUN.c.profile, RUN.c.target, RUN.c.verdict)
        .where(NO_REPEAT)
        .ext(distinct_on(RUN.c.profile, RUN.c.target))
        .order_by(RUN.c.profile, RUN.c.target, _MOMENT.desc(), RUN.c.run_id.desc())
        .subquery()
    )
    own = and_(METRIC.c.run_id == newest.c.run_id, METRIC.c.scope == SCOPE_ALL, METRIC.c.phase == PHASE)
    rows = select(newest, METRIC.c.metric, METRIC.c.value).join(METRIC, own, isouter=True)
    found: dict[str, LatestRun] = {}
    with transaction(engine) as connection:
        for row in connection.execute(rows):
            run = found.setdefault(row.run_id, LatestRun(row.profile, row.target, row.verdict, {}))
            if row.value is not None:
                run.metrics[row.metric] = row.value
    return list(found.values())


def verdict_times(engine: Engine) -> list[VerdictTime]:
    """By profile, target and suite. Raises InfrastructureError."""
    suite = func.coalesce(RUN.c.suite, "")
    last = select(RUN.c.profile, RUN.c.target, suite.label("suite"), func.max(_MOMENT).label("at"))
    grouped = last.where(NO_REPEAT).group_by(RUN.c.profile, RUN.c.target, suite)
    with transaction(engine) as connection:
        return [VerdictTime(*row) for row in connection.execute(grouped.order_by(RUN.c.profile, RUN.c.target, suite))]
