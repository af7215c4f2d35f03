"""Two runs side by side, with their metrics, and which runs there are to choose from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, ScalarSelect, or_, select

from include.loadtest.history.comparison import PHASE
from include.loadtest.history.database import transaction
from include.loadtest.history.runs import NEWEST_FIRST, runs_with_metrics
from include.loadtest.history.schema import RUN
from include.loadtest.history.store import REPEAT
from include.loadtest.verdict import GREEN

RECENT_RUNS = 200
"""So many are offered to choose from; any other may be named."""


@dataclass(frozen=True)
class RecentRun:
    """A run that may be chosen."""

    run_id: str
    profile: str
    target: str
    verdict: str
    started: datetime


def read_pair(engine: Engine, run_id: str, other_id: str | None = None) -> dict[str, dict[str, Any]]:
    """Both runs by their id, as `runs_with_metrics` gives them, of the hold; one that is unknown is not in it.

    `other_id` None: the last comparable run before the first, which ended PASS or WARN and is no repeat, as
    comparison.json takes it; where there is none, only the first is there. Raises InfrastructureError where the
    database does not answer, ConfigError where it has not our tables.
    """
    other = _previous(run_id) if other_id is None else other_id
    wanted = or_(RUN.c.run_id == run_id, RUN.c.run_id == other)
    return {row["run_id"]: row for row in runs_with_metrics(engine, wanted, phase=PHASE)}


def _previous(run_id: str) -> ScalarSelect[str]:
    own, earlier = RUN.alias("own"), RUN.alias("earlier")
    return (
        select(earlier.c.run_id)
        .join(own, own.c.comparability_key == earlier.c.comparability_key)
        .where(own.c.run_id == run_id, earlier.c.started < own.c.started)
        .where(earlier.c.verdict.in_(sorted(GREEN)), earlier.c.run_id.op("!~")(REPEAT))
        .order_by(earlier.c.started.desc(), earlier.c.run_id.desc())
        .limit(1)
        .scalar_subquery()
    )


def recent_runs(engine: Engine, limit: int = RECENT_RUNS) -> list[RecentRun]:
    """The latest runs, the newest first. Raises as `read_pair` does."""
    columns = (RUN.c.run_id, RUN.c.profile, RUN.c.target, RUN.c.verdict, RUN.c.started)
    with transaction(engine) as connection:
        rows = connection.execute(select(*columns).order_by(*NEWEST_FIRST).limit(limit))
        return [RecentRun(*row) for row in rows]
