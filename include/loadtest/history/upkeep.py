"""What the daily housekeeping asks of the history, and what it removes from it; runs and metrics stay for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Engine, delete, func, literal, select

from include.loadtest.errors import InfrastructureError
from include.loadtest.history.database import transaction
from include.loadtest.history.locks import WAITER_FORGOTTEN_S
from include.loadtest.history.schema import (
    BASELINE,
    BASELINE_RUN,
    INSTALLATION,
    RUN,
    TARGET_LOCK,
    TARGET_WAITER,
)
from include.loadtest.verdict import Verdict, worst


@dataclass(frozen=True)
class SuiteVerdict:
    """The last run of a suite that came to a verdict: the worst of its runs', and when the latest of them ended."""

    suite_run_id: str
    verdict: Verdict
    at: datetime


def pinned_run_ids(engine: Engine) -> frozenset[str]:
    """The runs of all pinned baselines."""
    pinned = select(BASELINE_RUN.c.run_id).join(BASELINE, BASELINE.c.id == BASELINE_RUN.c.baseline_id)
    with transaction(engine) as connection:
        return frozenset(connection.scalars(pinned.where(BASELINE.c.status == "pinned")))


def held_run_ids(engine: Engine) -> frozenset[str]:
    """The runs, or runs of suites, that hold a target now."""
    with transaction(engine) as connection:
        held = select(TARGET_LOCK.c.run_id).where(TARGET_LOCK.c.expires > func.clock_timestamp())
        return frozenset(connection.scalars(held))


def remove_dead_locks(engine: Engine, older_than_s: float) -> tuple[int, int]:
    """Remove locks that expired, and waiters that gave their last sign of life, so long ago; returns both numbers.

    Neither keeps anybody from a target. A lock that has only just expired stays: its run may take it up again.
    """
    forgotten_s = max(older_than_s, WAITER_FORGOTTEN_S)
    with transaction(engine) as connection:
        locks = connection.execute(delete(TARGET_LOCK).where(TARGET_LOCK.c.expires <= _ago(older_than_s))).rowcount
        waiters = connection.execute(delete(TARGET_WAITER).where(TARGET_WAITER.c.last_seen <= _ago(forgotten_s)))
        return locks, waiters.rowcount


def _ago(seconds: float) -> ColumnElement[datetime]:
    return func.clock_timestamp() - literal(timedelta(seconds=seconds))


def last_suite_verdict(engine: Engine, suite: str, target: str) -> SuiteVerdict | None:
    """The latest run of a suite on a target with a verdict: INCONCLUSIVE and ABORTED are verdicts too. None: no run.

    A run that sent no load has no end; its start counts.
    """
    moment = func.coalesce(RUN.c.ended, RUN.c.started)
    own = (RUN.c.suite == suite, RUN.c.target == target, RUN.c.suite_run_id.is_not(None))
    latest = select(RUN.c.suite_run_id, moment.label("at")).where(*own).order_by(moment.desc(), RUN.c.run_id).limit(1)
    with transaction(engine) as connection:
        row = connection.execute(latest).first()
        if row is None:
            return None
        verdicts = connection.scalars(select(RUN.c.verdict).where(RUN.c.suite_run_id == row.suite_run_id))
        return SuiteVerdict(row.suite_run_id, worst(Verdict(verdict) for verdict in verdicts), row.at)


def installed_at(engine: Engine) -> datetime:
    """Since when this history is kept. Raises InfrastructureError where it does not say: its row was removed."""
    with transaction(engine) as connection:
        moment: datetime | None = connection.scalar(select(func.min(INSTALLATION.c.installed_at)))
    if moment is None:
        raise InfrastructureError("the history does not say since when it is kept (table installation is empty)")
    return moment
