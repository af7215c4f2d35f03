"""Runs and their metrics in the history, and the last run that this one may be compared with."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, delete, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.history.comparability import comparability, comparability_key
from include.loadtest.history.comparison import PHASE, compare, compared, nearest_difference, not_compared
from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.runs import METRIC_COLUMNS, NEWEST_FIRST, runs_with_metrics
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.profile import Profile
from include.loadtest.verdict import GREEN, Verdict

__all__ = [
    "RunRecord",
    "connect",
    "last_comparable_run",
    "last_comparable_runs",
    "latest_run",
    "record_and_compare",
    "record_of",
    "record_run",
    "runs_of_suite",
    "store_bundle",
    "upgrade",
]

LONGEST_TEXT = 1000
REPEAT = "-(repeat|current)[0-9]+$"
"""How the ids of repeats end, as a regular expression of PostgreSQL."""
NO_REPEAT = RUN.c.run_id.op("!~")(REPEAT)
"""Keeps repeats out, so that one night is no more than one run."""


@dataclass(frozen=True)
class RunRecord:
    """One run as the history keeps it; times carry their zone."""

    run_id: str
    profile: str
    engine: str
    target: str
    verdict: str
    started: datetime
    ended: datetime | None
    comparability: Mapping[str, Any]
    environment: Mapping[str, Any]
    bundle_uri: str
    suite: str | None = None
    suite_run_id: str | None = None

    @property
    def key(self) -> str:
        """Equal for comparable runs."""
        return comparability_key(self.comparability)


def record_run(engine: Engine, record: RunRecord, metrics: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace a run with its metrics (rows as in metrics.json), in one transaction."""
    values = asdict(record) | {"comparability_key": record.key}
    statement = upsert(RUN).values(values)
    replaced = {name: statement.excluded[name] for name in values if name != "run_id"} | {"updated_at": func.now()}
    rows = [{"run_id": record.run_id, **{name: row[name] for name in METRIC_COLUMNS}} for row in metrics]
    with transaction(engine) as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[RUN.c.run_id], set_=replaced))
        connection.execute(delete(METRIC).where(METRIC.c.run_id == record.run_id))
        if rows:
            connection.execute(insert(METRIC), rows)


def last_comparable_runs(
    engine: Engine,
    key: str,
    before: datetime,
    *,
    limit: int,
    since: datetime | None = None,
    exclude_run_id: str | None = None,
    verdicts: Collection[str] = GREEN,
    phase: str = PHASE,
) -> list[dict[str, Any]]:
    """The latest `limit` runs with this comparability key that started earlier, newest first, in one statement.

    Each has the columns of its run, and `metrics`: its rows of one phase, as in metrics.json. Only runs that ended with
    one of `verdicts` count, by default PASS and WARN: a breach, an aborted or an invalid run is no measure for another.
    Repeats do not count, so that one night is no more than one run. `since`: only runs that started then or later,
    after an intended change.
    """
    conditions = [RUN.c.comparability_key == key, RUN.c.verdict.in_(sorted(verdicts)), RUN.c.started < before]
    conditions += [NO_REPEAT]
    conditions += [] if since is None else [RUN.c.started >= since]
    return runs_with_metrics(engine, *conditions, *_others(exclude_run_id), phase=phase, limit=limit)


def last_comparable_run(
    engine: Engine, key: str, before: datetime, exclude_run_id: str, phase: str = PHASE
) -> dict[str, Any] | None:
    """The latest of `last_comparable_runs` that ended normally; None: there is none."""
    found = last_comparable_runs(engine, key, before, limit=1, exclude_run_id=exclude_run_id, phase=phase)
    return found[0] if found else None


def latest_run(engine: Engine, profile: str, before: datetime, exclude_run_id: str) -> dict[str, Any] | None:
    """The latest earlier run of a profile that sent a load, whatever its verdict and conditions."""
    sent = (RUN.c.started < before, RUN.c.ended.is_not(None))
    conditions = (RUN.c.profile == profile, *sent, *_others(exclude_run_id))
    with transaction(engine) as connection:
        statement = select(RUN).where(*conditions).order_by(*NEWEST_FIRST).limit(1)
        row = connection.execute(statement).mappings().first()
    return None if row is None else dict(row)


def runs_of_suite(engine: Engine, suite_run_id: str) -> list[dict[str, Any]]:
    """The runs of one run of a suite that are in the history, in the order in which they started."""
    statement = select(RUN).where(RUN.c.suite_run_id == suite_run_id).order_by(RUN.c.started, RUN.c.run_id)
    with transaction(engine) as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def _others(run_id: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if run_id is None else (RUN.c.run_id != run_id,)


def record_and_compare(url: str, bundle: Bundle, profile: Profile, bundle_uri: str | None = None) -> dict[str, Any]:
    """Put a concluded run into the history, write comparison.json and return its content.

    `bundle_uri` is where the bundle is kept; None: where it is now. Repeating it changes nothing. Raises
    FileNotFoundError without manifest.json or verdict.json, InfrastructureError where the database does not answer.
    """
    record = store_bundle(url, bundle, profile, bundle_uri)
    document = _comparison(connect(url), record, _metrics(bundle))
    bundle.write(run.COMPARISON, document)
    return document


def store_bundle(url: str, bundle: Bundle, profile: Profile, bundle_uri: str | None = None) -> RunRecord:
    """Put a concluded run into the history, or what it says now in place of what it said. Raises as above."""
    record = record_of(bundle, profile, bundle_uri)
    upgrade(url)
    record_run(connect(url), record, _metrics(bundle)["metrics"])
    return record


def _metrics(bundle: Bundle) -> Mapping[str, Any]:
    return bundle.read(run.METRICS) if bundle.has(run.METRICS) else {"metrics": []}


def record_of(bundle: Bundle, profile: Profile, bundle_uri: str | None = None) -> RunRecord:
    """A concluded run as the history keeps it."""
    manifest = bundle.read(run.MANIFEST)
    ends = [phase["end"] for phase in manifest.get("phases") or [] if phase.get("end")]
    return RunRecord(
        run_id=bundle.run_id,
        profile=profile.name,
        engine=profile.engine,
        target=manifest["target"]["name"],
        verdict=bundle.read(run.VERDICT)["verdict"],
        started=datetime.fromisoformat(manifest["started"]),
        ended=datetime.fromisoformat(max(ends)) if ends else None,
        comparability=_storable(comparability(profile, manifest)),
        environment=_storable(manifest.get("environment") or {}),
        bundle_uri=bundle_uri or bundle.path.absolute().as_uri(),
        suite=manifest.get("suite"),
        suite_run_id=manifest.get("suite_run_id"),
    )


def _storable(value: Any) -> Any:
    """The value with texts bounded and without NUL, which PostgreSQL's JSON refuses: servers tell their own version."""
    if isinstance(value, str):
        return value[:LONGEST_TEXT].replace("\x00", "")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(part) for part in value]
    return value


def _comparison(engine: Engine, record: RunRecord, metrics: Mapping[str, Any]) -> dict[str, Any]:
    if record.verdict in (Verdict.INCONCLUSIVE, Verdict.ABORTED):
        return not_compared(record.run_id, f"Not compared: the test was not valid ({record.verdict}).")
    previous = last_comparable_run(engine, record.key, record.started, record.run_id)
    if previous is not None:
        shown = previous | {"started": run.utc_text(previous["started"].astimezone(UTC))}
        return compared(record.run_id, shown, compare(metrics, previous["metrics"]))
    latest = latest_run(engine, record.profile, record.started, record.run_id)
    return not_compared(record.run_id, *nearest_difference(record.profile, record.comparability, latest))
