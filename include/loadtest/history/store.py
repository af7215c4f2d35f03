"""Runs and their metrics in the history, and the last run that this one may be compared with."""

from collections.abc import Mapping, Sequence
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
from include.loadtest.history.schema import METRIC, RUN
from include.loadtest.profile import Profile
from include.loadtest.verdict import GREEN, Verdict

__all__ = ["RunRecord", "connect", "last_comparable_run", "latest_run", "record_and_compare", "record_run", "upgrade"]

METRIC_COLUMNS = tuple(column.name for column in METRIC.columns if column.name != "run_id")


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


def record_run(engine: Engine, record: RunRecord, metrics: Sequence[Mapping[str, Any]]) -> None:
    """Insert or replace a run with its metrics (rows as in metrics.json), in one transaction."""
    values = asdict(record) | {"comparability_key": comparability_key(record.comparability)}
    statement = upsert(RUN).values(values)
    replaced = {name: statement.excluded[name] for name in values if name != "run_id"} | {"updated_at": func.now()}
    rows = [{"run_id": record.run_id, **{name: row[name] for name in METRIC_COLUMNS}} for row in metrics]
    with transaction(engine) as connection:
        connection.execute(statement.on_conflict_do_update(index_elements=[RUN.c.run_id], set_=replaced))
        connection.execute(delete(METRIC).where(METRIC.c.run_id == record.run_id))
        if rows:
            connection.execute(insert(METRIC), rows)


def last_comparable_run(
    engine: Engine, key: str, before: datetime, exclude_run_id: str, phase: str = PHASE
) -> dict[str, Any] | None:
    """The latest normal run with this comparability key that started earlier, with `metrics` of one phase; None: none.

    Normal are PASS and WARN: a breach, an aborted or an invalid run is no measure for the next one.
    """
    normal = (RUN.c.comparability_key == key, RUN.c.verdict.in_(sorted(GREEN)))
    found = _latest(engine, before, exclude_run_id, *normal)
    if found is None:
        return None
    columns = [METRIC.c[name] for name in METRIC_COLUMNS]
    statement = select(*columns).where(METRIC.c.run_id == found["run_id"], METRIC.c.phase == phase)
    with transaction(engine) as connection:
        return found | {"metrics": [dict(row) for row in connection.execute(statement).mappings()]}


def latest_run(engine: Engine, profile: str, before: datetime, exclude_run_id: str) -> dict[str, Any] | None:
    """The latest earlier run of a profile, whatever its verdict and conditions."""
    return _latest(engine, before, exclude_run_id, RUN.c.profile == profile)


def _latest(
    engine: Engine, before: datetime, exclude_run_id: str, *conditions: ColumnElement[bool]
) -> dict[str, Any] | None:
    statement = (
        select(RUN)
        .where(RUN.c.started < before, RUN.c.run_id != exclude_run_id, *conditions)
        .order_by(RUN.c.started.desc(), RUN.c.run_id.desc())
        .limit(1)
    )
    with transaction(engine) as connection:
        row = connection.execute(statement).mappings().first()
    return None if row is None else dict(row)


def record_and_compare(url: str, bundle: Bundle, profile: Profile, bundle_uri: str | None = None) -> dict[str, Any]:
    """Put a concluded run into the history, write comparison.json and return its content.

    `bundle_uri` is where the bundle is kept; None: where it is now. Repeating it changes nothing. Raises
    FileNotFoundError without manifest.json or verdict.json, InfrastructureError where the database does not answer.
    """
    manifest = bundle.read(run.MANIFEST)
    record = _record(bundle, profile, manifest, bundle_uri or bundle.path.absolute().as_uri())
    metrics = bundle.read(run.METRICS) if bundle.has(run.METRICS) else {"metrics": []}
    upgrade(url)
    engine = connect(url)
    record_run(engine, record, metrics["metrics"])
    document = _comparison(engine, record, metrics)
    bundle.write(run.COMPARISON, document)
    return document


def _record(bundle: Bundle, profile: Profile, manifest: Mapping[str, Any], bundle_uri: str) -> RunRecord:
    ends = [phase["end"] for phase in manifest.get("phases") or [] if phase.get("end")]
    return RunRecord(
        run_id=bundle.run_id,
        profile=profile.name,
        engine=profile.engine,
        target=manifest["target"]["name"],
        verdict=bundle.read(run.VERDICT)["verdict"],
        started=datetime.fromisoformat(manifest["started"]),
        ended=datetime.fromisoformat(max(ends)) if ends else None,
        comparability=comparability(profile, manifest),
        environment=manifest.get("environment") or {},
        bundle_uri=bundle_uri,
        suite=manifest.get("suite"),
        suite_run_id=manifest.get("suite_run_id"),
    )


def _comparison(engine: Engine, record: RunRecord, metrics: Mapping[str, Any]) -> dict[str, Any]:
    if record.verdict == Verdict.INCONCLUSIVE:
        return not_compared(record.run_id, "Not compared: the test was not valid (INCONCLUSIVE).")
    key = comparability_key(record.comparability)
    previous = last_comparable_run(engine, key, record.started, record.run_id)
    if previous is not None:
        shown = previous | {"started": run.utc_text(previous["started"].astimezone(UTC))}
        return compared(record.run_id, shown, compare(metrics, previous["metrics"]))
    latest = latest_run(engine, record.profile, record.started, record.run_id)
    return not_compared(record.run_id, *nearest_difference(record.profile, record.comparability, latest))
