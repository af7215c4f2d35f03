"""What of a target waits for a person: unaccepted regressions, proposed baselines, open tickets. Reads only."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, exists, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from include.loadtest import run
from include.loadtest.history.baselines import list_baselines
from include.loadtest.history.database import transaction
from include.loadtest.history.runs import NEWEST_FIRST
from include.loadtest.history.schema import BASELINE, BASELINE_RUN, INTENDED_CHANGE, RUN, TICKET
from include.loadtest.history.store import NO_REPEAT
from include.loadtest.verdict import Verdict


def read_standing(engine: Engine, target: str, now: datetime) -> dict[str, Any]:
    """What is open of a target, as texts and numbers that JSON holds.

    `regressions`: the latest run of a comparability key ended REGRESSION, no pinned baseline holds it, and no intended
    change was marked since. `baselines`: the pinned and the proposed ones. `tickets`: the open ones. Raises
    InfrastructureError where the database does not answer, ConfigError where it has not our tables.
    """
    with transaction(engine) as connection:
        regressions, tickets = _regressions(connection, target), _tickets(connection, target)
    known = [one for one in list_baselines(engine) if one["target"] == target and one["status"] != "retired"]
    return {
        "target": target,
        "at": run.utc_text(now),
        "regressions": regressions,
        "baselines": [_baseline(one) for one in known],
        "tickets": tickets,
    }


def _regressions(connection: Connection, target: str) -> list[dict[str, Any]]:
    latest = (
        select(RUN)
        .where(RUN.c.target == target, NO_REPEAT)
        .ext(distinct_on(RUN.c.comparability_key))
        .order_by(RUN.c.comparability_key, *NEWEST_FIRST)
        .subquery()
    )
    pinned = select(BASELINE_RUN.c.run_id).join(BASELINE, BASELINE.c.id == BASELINE_RUN.c.baseline_id)
    of_profile = or_(INTENDED_CHANGE.c.profile.is_(None), INTENDED_CHANGE.c.profile == latest.c.profile)
    intended = exists().where(
        INTENDED_CHANGE.c.target == target, INTENDED_CHANGE.c.since >= latest.c.started, of_profile
    )
    statement = (
        select(latest)
        .where(latest.c.verdict == Verdict.REGRESSION, ~intended)
        .where(latest.c.run_id.not_in(pinned.where(BASELINE.c.status == "pinned")))
        .order_by(latest.c.profile, latest.c.started)
    )
    return [_regression(row) for row in connection.execute(statement).mappings()]


def _regression(row: RowMapping) -> dict[str, Any]:
    load: Mapping[str, Any] = row["comparability"]
    return {
        "run_id": row["run_id"],
        "profile": row["profile"],
        "users": load.get("users"),
        "started": run.utc_text(row["started"]),
    }


def _tickets(connection: Connection, target: str) -> list[dict[str, Any]]:
    shown = (TICKET.c.profile, TICKET.c.scope, TICKET.c.metric, TICKET.c.number, TICKET.c.repository)
    statement = select(*shown, TICKET.c.opened_at, TICKET.c.last_bad_run_id).where(
        TICKET.c.target == target, TICKET.c.state == "open"
    )
    rows = connection.execute(statement.order_by(TICKET.c.opened_at, TICKET.c.fingerprint)).mappings()
    return [{**row, "opened_at": run.utc_text(row["opened_at"])} for row in rows]


def _baseline(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The step it is in: when, by whom, why."""
    step = entry["status"]
    at = entry[f"{step}_at"]
    return {
        "id": entry["id"],
        "profile": entry["profile"],
        "comparability_key": entry["comparability_key"],
        "status": step,
        "runs": len(entry["run_ids"]),
        "at": None if at is None else run.utc_text(at),
        "by": entry[f"{step}_by"],
        "reason": entry[f"{step}_reason"],
    }
