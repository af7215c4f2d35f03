"""How the figures of comparable runs moved from one window of days to the next. Shown, never judged."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Engine, RowMapping, Select, func, select

from include.loadtest import run
from include.loadtest.history.comparison import PHASE
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.history.store import NO_REPEAT
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.verdict import Verdict

TREND_METRICS = (
    *("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm"),
    *("cache_hit_rate", "host_cpu_pct", "host_memory_pct"),
)
"""The metrics that are followed, in the order in which they are shown."""
POINT_METRICS = ("latency_p95_ms", "throughput_rpm")
"""The metrics whose single runs are drawn."""
MOST_POINTS = 200
LEAST_RUNS = 2
"""With fewer in either window no change is told: one run says nothing about how runs differ by themselves."""
TOO_FEW = "too few runs"
_NOT_VALID = sorted((Verdict.ABORTED, Verdict.INCONCLUSIVE))


def read_trends(engine: Engine, target: str, now: datetime, days: int) -> dict[str, Any]:
    """The target's trends: for each profile and comparability key the medians of two windows of `days` days.

    `last` ends now, `before` ends where `last` begins. Of each metric (scope all, the hold) a window has the median of
    its runs and their number; `change` is last ÷ before - 1, null where the one before is 0 or either window has fewer
    than two runs (`note` says so). Runs that were aborted or invalid do not count, nor do repeats. Raises
    InfrastructureError where the database does not answer, ConfigError where it has not our tables.
    """
    middle, begin = now - timedelta(days=days), now - timedelta(days=2 * days)
    with transaction(engine) as connection:
        rows = connection.execute(_medians(target, begin, middle, now)).mappings().all()
    return {
        "target": target,
        "days": days,
        "last": {"from": run.utc_text(middle), "to": run.utc_text(now)},
        "before": {"from": run.utc_text(begin), "to": run.utc_text(middle)},
        "series": [_series(list(own)) for _, own in groupby(rows, key=lambda row: row["comparability_key"])],
    }


def read_points(engine: Engine, target: str, now: datetime, days: int) -> list[dict[str, Any]]:
    """The single runs behind the trends, oldest first: a series for each key and each of `POINT_METRICS`.

    The same runs as in `read_trends`, at most the latest `MOST_POINTS` a series. Raises as that does.
    """
    begin = now - timedelta(days=2 * days)
    of_run = (RUN.c.profile, RUN.c.comparability_key, RUN.c.comparability, RUN.c.run_id, RUN.c.started, RUN.c.verdict)
    statement = (
        select(*of_run, METRIC.c.metric, METRIC.c.unit, METRIC.c.value)
        .join(METRIC, METRIC.c.run_id == RUN.c.run_id)
        .where(*_counted(target, begin, now), METRIC.c.metric.in_(POINT_METRICS), METRIC.c.value.is_not(None))
        .order_by(RUN.c.profile, RUN.c.comparability_key, METRIC.c.metric, RUN.c.started, RUN.c.run_id)
    )
    with transaction(engine) as connection:
        rows = connection.execute(statement).mappings().all()
    keys = groupby(rows, key=lambda row: (row["profile"], row["comparability_key"], row["metric"], row["unit"]))
    return [_points(profile, key, metric, unit, list(own)) for (profile, key, metric, unit), own in keys]


def _points(profile: str, key: str, metric: str, unit: str, rows: Sequence[RowMapping]) -> dict[str, Any]:
    points = [
        {"run_id": row["run_id"], "at": run.utc_text(row["started"]), "verdict": row["verdict"], "value": row["value"]}
        for row in rows[-MOST_POINTS:]
    ]
    users = rows[0]["comparability"].get("users")
    return {
        "profile": profile,
        "comparability_key": key,
        "users": users,
        "metric": metric,
        "unit": unit,
        "points": points,
    }


def _counted(target: str, begin: datetime, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Metrics of the hold over all requests, of valid runs that are no repeats."""
    return (
        *(RUN.c.target == target, RUN.c.started >= begin, RUN.c.started <= now),
        *(RUN.c.verdict.not_in(_NOT_VALID), NO_REPEAT),
        *(METRIC.c.scope == SCOPE_ALL, METRIC.c.phase == PHASE),
    )


def _medians(target: str, begin: datetime, middle: datetime, now: datetime) -> Select[Any]:
    """A row for each key and metric, the rows of a key one after the other."""
    last, before = RUN.c.started >= middle, RUN.c.started < middle
    key = (RUN.c.profile, RUN.c.comparability_key)
    of_metric = (METRIC.c.metric, METRIC.c.unit, METRIC.c.direction)
    return (
        select(
            *(*key, RUN.c.comparability, *of_metric),
            *(_median(last).label("last_median"), _count(last).label("last_n")),
            *(_median(before).label("before_median"), _count(before).label("before_n")),
        )
        .join(METRIC, METRIC.c.run_id == RUN.c.run_id)
        .where(*_counted(target, begin, now), METRIC.c.metric.in_(TREND_METRICS))
        .group_by(*key, RUN.c.comparability, *of_metric)
        .order_by(*key, METRIC.c.metric)
    )


def _median(within: ColumnElement[bool]) -> ColumnElement[Any]:
    """Of the runs of a window that have a value: percentile_cont leaves null out."""
    return func.percentile_cont(0.5).within_group(METRIC.c.value).filter(within)


def _count(within: ColumnElement[bool]) -> ColumnElement[Any]:
    return func.count(METRIC.c.value).filter(within)


def _series(rows: Sequence[RowMapping]) -> dict[str, Any]:
    """One comparability key; its load is what tells two keys of a profile apart."""
    first, by_metric = rows[0], {row["metric"]: row for row in rows}
    load: Mapping[str, Any] = first["comparability"]
    stages = load.get("stages") or [{}]
    return {
        "profile": first["profile"],
        "comparability_key": first["comparability_key"],
        "users": load.get("users"),
        "engine": load.get("engine"),
        "load_s": stages[-1].get("end_s"),
        "metrics": [_trend(by_metric[name]) for name in TREND_METRICS if name in by_metric],
    }


def _trend(row: RowMapping) -> dict[str, Any]:
    last, before = row["last_median"], row["before_median"]
    enough = min(row["last_n"], row["before_n"]) >= LEAST_RUNS
    return {
        "metric": row["metric"],
        "unit": row["unit"],
        "direction": row["direction"],
        "last": {"median": last, "n": row["last_n"]},
        "before": {"median": before, "n": row["before_n"]},
        "change": last / before - 1 if enough and before else None,
        "note": None if enough else TOO_FEW,
    }
