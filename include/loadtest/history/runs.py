"""Reading runs together with their metrics, in one statement."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Double, Engine, ScalarSelect, func, select
from sqlalchemy.dialects.postgresql import JSON, aggregate_order_by

from include.loadtest.history.database import transaction
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.verdict import GREEN

METRIC_COLUMNS = tuple(column.name for column in METRIC.columns if column.name != "run_id")
NEWEST_FIRST = (RUN.c.started.desc(), RUN.c.run_id.desc())
_FLOATS = frozenset(column.name for column in METRIC.columns if isinstance(column.type, Double))


def runs_with_metrics(
    engine: Engine, *conditions: ColumnElement[bool], phase: str, limit: int | None = None
) -> list[dict[str, Any]]:
    """The runs that meet all conditions, newest first, at most `limit` (None: all).

    Each has the columns of its run, and `metrics`: its rows of one phase, as in metrics.json.
    """
    chosen = select(RUN, _metrics_of(phase).label("metrics")).where(*conditions)
    with transaction(engine) as connection:
        rows = connection.execute(chosen.order_by(*NEWEST_FIRST).limit(limit)).mappings()
        return [dict(row) | {"metrics": [_measured(entry) for entry in row["metrics"] or ()]} for row in rows]


def keys_of_suite(engine: Engine, suite: str, target: str) -> dict[str, str]:
    """The comparability key of the latest PASS or WARN run of each profile of a suite, by profile."""
    own = (RUN.c.suite == suite, RUN.c.target == target, RUN.c.verdict.in_(sorted(GREEN)))
    statement = select(RUN.c.profile, RUN.c.comparability_key).where(*own).order_by(*NEWEST_FIRST)
    keys: dict[str, str] = {}
    with transaction(engine) as connection:
        for row in connection.execute(statement):
            keys.setdefault(row.profile, row.comparability_key)
    return keys


def _metrics_of(phase: str) -> ScalarSelect[Any]:
    """The metrics of the run of the outer statement, as one JSON value: runs and metrics are of the same moment."""
    entry = func.json_build_object(*(part for name in METRIC_COLUMNS for part in (name, METRIC.c[name])))
    rows = aggregate_order_by(entry, METRIC.c.metric, METRIC.c.scope)
    own = (METRIC.c.run_id == RUN.c.run_id, METRIC.c.phase == phase)
    return select(func.json_agg(rows, type_=JSON)).where(*own).correlate(RUN).scalar_subquery()


def _measured(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it was recorded: JSON makes a whole number of a float like 1200.0."""
    return {name: float(value) if name in _FLOATS and value is not None else value for name, value in entry.items()}
