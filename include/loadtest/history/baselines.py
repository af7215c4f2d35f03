"""Baselines: pinned sets of valid runs of one comparability key, and marks where an intended change starts anew.

A set is proposed (by the program or a person), pinned by an operator with a reason, and retired by the next pinned one
of its key or by an operator. Nothing is ever deleted: who, when and why stay.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, Select, func, insert, or_, select, text, update

from include.loadtest.errors import ConfigError, nearest, printable
from include.loadtest.history.comparability import differing_fields
from include.loadtest.history.comparison import PHASE
from include.loadtest.history.database import transaction
from include.loadtest.history.runs import NEWEST_FIRST, runs_with_metrics
from include.loadtest.history.schema import BASELINE, BASELINE_RUN, INTENDED_CHANGE, RUN
from include.loadtest.verdict import GREEN, Verdict

MIN_PROPOSED_RUNS = 8
"""So many runs a proposal has, unless its caller knows better: fewer say little about how runs differ by themselves."""
MAX_TEXT = 500
_MAX_NAME = 100
_SEARCHED = 1000
_CAN_BE_PINNED = frozenset({*GREEN, Verdict.REGRESSION})
_SET = BASELINE.c
_CHANGE = INTENDED_CHANGE.c


def propose_baseline(
    engine: Engine, key: str, run_ids: Sequence[str], by: str, reason: str, *, least: int = MIN_PROPOSED_RUNS
) -> int:
    """Propose a set of runs; returns its id. The same open proposal again is the same proposal.

    Raises ConfigError: fewer than `least` runs, an unknown one, one of another key, or one that is not PASS or WARN.
    """
    with _writing(engine) as connection:
        runs = _checked(connection, key, run_ids, least, accept_regression=False)
        wanted = {run["run_id"] for run in runs}
        for row in connection.execute(select(_SET.id).where(_SET.comparability_key == key, _SET.status == "proposed")):
            if set(_run_ids(connection, row.id)) == wanted:
                return int(row.id)
        return _insert(connection, runs, "proposed", by, reason)


def propose_latest(engine: Engine, key: str, n: int, by: str, reason: str, *, suite: str | None = None) -> int:
    """Propose the latest `n` runs of the key that are PASS or WARN and later than the last intended change.

    `suite`: of that suite only; None: wherever they come from. Raises ConfigError where there are not so many.
    """
    since = _last_change_of(engine, key)
    conditions = [RUN.c.comparability_key == key, RUN.c.verdict.in_(sorted(GREEN)), *_not_before(since)]
    conditions += [] if suite is None else [RUN.c.suite == suite]
    statement = select(RUN.c.run_id).where(*conditions).order_by(*NEWEST_FIRST).limit(n)
    with transaction(engine) as connection:
        run_ids = list(connection.scalars(statement))
    return propose_baseline(engine, key, run_ids, by, reason, least=n)


def pin_baseline(
    engine: Engine,
    key: str,
    run_ids: Sequence[str],
    by: str,
    reason: str,
    *,
    least: int,
    accept_regression: bool = False,
) -> int:
    """Pin these runs as the baseline of their key; the one that was pinned is retired. Returns the new one's id.

    `least`: the fewest runs that the change test works with. `accept_regression`: the operator accepts the level of
    runs that ended REGRESSION. Raises ConfigError as `propose_baseline` does.
    """
    with _writing(engine) as connection:
        runs = _checked(connection, key, run_ids, least, accept_regression=accept_regression)
        _retire_pinned(connection, key, by)
        return _insert(connection, runs, "pinned", by, reason)


def pin_proposal(
    engine: Engine, baseline_id: int, by: str, reason: str, *, least: int, accept_regression: bool = False
) -> int:
    """Pin a proposal, whose runs are checked again; the one that was pinned is retired. Returns its id.

    Raises ConfigError: no such open proposal, or as `propose_baseline` does.
    """
    with _writing(engine) as connection:
        found = _found(connection, baseline_id, {"proposed"})
        run_ids = _run_ids(connection, baseline_id)
        _checked(connection, found["comparability_key"], run_ids, least, accept_regression=accept_regression)
        _retire_pinned(connection, found["comparability_key"], by)
        connection.execute(
            update(BASELINE).where(_SET.id == baseline_id).values(status="pinned", **_step("pinned", by, reason))
        )
        return baseline_id


def retire_baseline(engine: Engine, baseline_id: int, by: str, reason: str) -> None:
    """End a pinned set, or refuse a proposal. Raises ConfigError where there is none with that id."""
    with _writing(engine) as connection:
        _found(connection, baseline_id, {"proposed", "pinned"})
        _retire(connection, _SET.id == baseline_id, by, reason)


def pinned_runs(engine: Engine, key: str, *, since: datetime | None = None, phase: str = PHASE) -> list[dict[str, Any]]:
    """The pinned runs of a key with their metrics, newest first, as `last_comparable_runs` gives them.

    Empty where nothing is pinned. A run whose verdict has since become one that may not be pinned is left out, and so
    is one that started before `since`.
    """
    pinned = (
        select(BASELINE_RUN.c.run_id)
        .join(BASELINE, _SET.id == BASELINE_RUN.c.baseline_id)
        .where(_SET.comparability_key == key, _SET.status == "pinned")
    )
    valid = (RUN.c.run_id.in_(pinned), RUN.c.verdict.in_(sorted(_CAN_BE_PINNED)))
    return runs_with_metrics(engine, *valid, *_not_before(since), phase=phase)


def list_baselines(engine: Engine) -> list[dict[str, Any]]:
    """All sets ever proposed or pinned, newest first: the columns of the table, and `run_ids`, oldest first."""
    with transaction(engine) as connection:
        rows = connection.execute(select(BASELINE).order_by(_SET.id.desc())).mappings().all()
        return [{**row, "run_ids": _run_ids(connection, row["id"])} for row in rows]


def key_of_latest(engine: Engine, profile: str, target: str) -> str:
    """The comparability key of the latest run of that profile and target that may be pinned. Raises ConfigError."""
    own = (RUN.c.profile == profile, RUN.c.target == target, RUN.c.verdict.in_(sorted(_CAN_BE_PINNED)))
    with transaction(engine) as connection:
        key = connection.scalar(select(RUN.c.comparability_key).where(*own).order_by(*NEWEST_FIRST).limit(1))
    if key is None:
        names = f"{printable(profile, _MAX_NAME)} on {printable(target, _MAX_NAME)}"
        raise ConfigError(f"the history has no valid run of {names}: make one first, or name the runs")
    return str(key)


def find_run(engine: Engine, run_id: str) -> dict[str, Any]:
    """A run's columns. Raises ConfigError for one that is not in the history; it names the nearest."""
    with transaction(engine) as connection:
        return dict(_runs(connection, [run_id])[0])


def mark_intended_change(
    engine: Engine, target: str, profile: str | None, since: datetime, *, by: str, reason: str
) -> int:
    """Note that the target is meant to behave differently from `since` on: comparisons start anew there.

    `profile`: for that profile only; None: for all of the target. Returns the mark's id. Raises ConfigError where the
    history has no run of it: the mark would change nothing, and is mostly a slip of the pen.
    """
    if since.tzinfo is None:
        raise ConfigError(f"since: {since.isoformat()} has no time zone; write 2026-03-01T09:00:00Z")
    with transaction(engine) as connection:
        _known(connection, "target", target, select(RUN.c.target).distinct())
        if profile is not None:
            _known(connection, "profile", profile, select(RUN.c.profile).distinct().where(RUN.c.target == target))
        values = {"target": target, "profile": profile, "since": since, **_who("marked", by), "reason": _why(reason)}
        return int(connection.execute(insert(INTENDED_CHANGE).values(values).returning(_CHANGE.id)).scalar_one())


def list_intended_changes(engine: Engine) -> list[dict[str, Any]]:
    """All marks, the latest change first: the columns of the table."""
    with transaction(engine) as connection:
        statement = select(INTENDED_CHANGE).order_by(_CHANGE.since.desc(), _CHANGE.id.desc())
        return [dict(row) for row in connection.execute(statement).mappings()]


def last_intended_change(engine: Engine, target: str, profile: str, before: datetime) -> datetime | None:
    """When the last intended change of a profile on a target happened, at `before` or earlier; None: never."""
    own = (_CHANGE.target == target, or_(_CHANGE.profile.is_(None), _CHANGE.profile == profile))
    with transaction(engine) as connection:
        latest: datetime | None = connection.scalar(
            select(func.max(_CHANGE.since)).where(*own, _CHANGE.since <= before)
        )
    return latest


@contextmanager
def _writing(engine: Engine) -> Iterator[Connection]:
    """A transaction in which nobody else changes baselines: of two pins at once one retires the other's."""
    with transaction(engine) as connection:
        connection.execute(text(f"LOCK TABLE {BASELINE.fullname} IN SHARE ROW EXCLUSIVE MODE"))
        yield connection


def _checked(
    connection: Connection, key: str, run_ids: Sequence[str], least: int, *, accept_regression: bool
) -> list[RowMapping]:
    """The runs, if they may be a baseline of that key."""
    runs = _runs(connection, list(dict.fromkeys(run_ids)))
    allowed = _CAN_BE_PINNED if accept_regression else GREEN
    for run in runs:
        if run["verdict"] not in allowed:
            accepted = "; accept_regression takes it" if run["verdict"] == Verdict.REGRESSION else ""
            raise ConfigError(
                f"run {run['run_id']} ended {run['verdict']}: only PASS and WARN can be a baseline{accepted}"
            )
    for run in runs:
        if run["comparability_key"] != key:
            raise ConfigError(
                f"run {run['run_id']} is not comparable with the others{_difference(connection, key, run)}"
            )
    if len(runs) < least:
        raise ConfigError(f"a baseline needs at least {least} runs, these are {len(runs)}")
    return runs


def _difference(connection: Connection, key: str, run: RowMapping) -> str:
    statement = select(RUN.c.comparability).where(RUN.c.comparability_key == key).order_by(*NEWEST_FIRST).limit(1)
    other = connection.scalar(statement)
    fields = differing_fields(run["comparability"], other) if other else []
    shown = "; ".join(f"{item['field']} is {item['current']}, theirs {item['other']}" for item in fields[:3])
    return f": {printable(shown, MAX_TEXT)}" if shown else ""


def _runs(connection: Connection, run_ids: Sequence[str]) -> list[RowMapping]:
    """The runs in the order in which they are named."""
    rows = connection.execute(select(RUN).where(RUN.c.run_id.in_(run_ids))).mappings()
    found = {row["run_id"]: row for row in rows}
    for run_id in run_ids:
        if run_id not in found:
            _known(connection, "run", run_id, select(RUN.c.run_id).order_by(*NEWEST_FIRST).limit(_SEARCHED))
    return [found[run_id] for run_id in run_ids]


def _known(connection: Connection, what: str, name: str, valid: Select[Any]) -> None:
    names: list[str] = list(connection.scalars(valid))
    if name not in names:
        hint = printable(nearest(name, names), 2 * _MAX_NAME) if names else "it has no runs yet"
        raise ConfigError(f"{what} {printable(name, _MAX_NAME)!r} is not in the history; {hint}")


def _found(connection: Connection, baseline_id: int, statuses: set[str]) -> RowMapping:
    row = connection.execute(select(BASELINE).where(_SET.id == baseline_id)).mappings().first()
    if row is None:
        ids = connection.scalars(select(_SET.id).where(_SET.status.in_(statuses)).order_by(_SET.id.desc()).limit(10))
        raise ConfigError(f"there is no baseline {baseline_id}; valid: {', '.join(map(str, ids)) or 'none'}")
    if row["status"] not in statuses:
        raise ConfigError(f"baseline {baseline_id} is {row['status']}, not {' or '.join(sorted(statuses))}")
    return row


def _run_ids(connection: Connection, baseline_id: int) -> list[str]:
    joined = select(RUN.c.run_id).join(BASELINE_RUN, BASELINE_RUN.c.run_id == RUN.c.run_id)
    statement = joined.where(BASELINE_RUN.c.baseline_id == baseline_id).order_by(RUN.c.started, RUN.c.run_id)
    return list(connection.scalars(statement))


def _insert(connection: Connection, runs: Sequence[RowMapping], status: str, by: str, reason: str) -> int:
    same = {name: runs[0][name] for name in ("comparability_key", "profile", "target")}
    values = {**same, "status": status, **_step(status, by, reason)}
    baseline_id = int(connection.execute(insert(BASELINE).values(values).returning(_SET.id)).scalar_one())
    rows = [{"baseline_id": baseline_id, "run_id": run["run_id"]} for run in runs]
    connection.execute(insert(BASELINE_RUN), rows)
    return baseline_id


def _retire_pinned(connection: Connection, key: str, by: str) -> None:
    pinned = (_SET.comparability_key == key) & (_SET.status == "pinned")
    _retire(connection, pinned, by, "another set of runs was pinned")


def _retire(connection: Connection, which: ColumnElement[bool], by: str, reason: str) -> None:
    connection.execute(update(BASELINE).where(which).values(status="retired", **_step("retired", by, reason)))


def _step(step: str, by: str, reason: str) -> dict[str, Any]:
    return {**_who(step, by), f"{step}_reason": _why(reason)}


def _who(step: str, by: str) -> dict[str, Any]:
    return {f"{step}_at": func.now(), f"{step}_by": printable(by.strip(), _MAX_NAME) or "unknown"}


def _why(reason: str) -> str:
    shown = printable(reason.strip(), MAX_TEXT)
    if not shown:
        raise ConfigError("reason: missing; say why, it is kept and listed")
    return shown


def _last_change_of(engine: Engine, key: str) -> datetime | None:
    own = select(RUN.c.target, RUN.c.profile).where(RUN.c.comparability_key == key).limit(1)
    with transaction(engine) as connection:
        row = connection.execute(own).first()
    return None if row is None else last_intended_change(engine, row.target, row.profile, datetime.now(UTC))


def _not_before(since: datetime | None) -> list[ColumnElement[bool]]:
    return [] if since is None else [RUN.c.started >= since]
