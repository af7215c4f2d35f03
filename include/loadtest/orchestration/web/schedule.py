"""When each suite starts next: the calendar's slot, and what Airflow knows of its DAG."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from include.loadtest.calendar import load_calendar, scheduled_skip
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration import settings
from include.loadtest.profile.suites import Suite, load_suite, suite_names
from include.loadtest.target.settings import load_target_file


@dataclass(frozen=True)
class NextRun:
    """The next start of a suite by itself, UTC. `paused` None: Airflow does not know its DAG, or did not answer.

    `note`: why this start sends no load, or lies on another night than planned; None: neither.
    """

    suite: str
    dag_id: str
    profiles: tuple[str, ...]
    at: datetime
    paused: bool | None
    note: str | None


def next_runs(now: datetime) -> list[NextRun]:
    """Of each suite that has a schedule, the earliest first; a suite whose file is wrong is left out.

    Raises ConfigError where the calendar's file is wrong.
    """
    suites = [suite for suite in _suites() if suite.schedule is not None]
    known = _known_dags([_dag_id(suite) for suite in suites])
    return sorted((_next_run(suite, known, now) for suite in suites), key=lambda run: run.at)


def _suites() -> list[Suite]:
    suites = []
    for name in suite_names():
        try:
            suites.append(load_suite(name))
        except ConfigError:  # the DAG's own import error says what is wrong with it
            continue
    return suites


def _dag_id(suite: Suite) -> str:
    return f"load_test_{suite.name}"


def _next_run(suite: Suite, known: dict[str, tuple[bool, datetime | None]], now: datetime) -> NextRun:
    assert suite.schedule is not None  # noqa: S101 - the caller chose those that have one
    calendar, cadence = load_calendar(), suite.schedule.cadence
    slot = calendar.next_slot(cadence, now.astimezone(UTC).date() - timedelta(days=1))
    if slot.start <= now:
        slot = calendar.next_slot(cadence, slot.night)
    paused, planned = known.get(_dag_id(suite), (None, None))
    at = planned if planned is not None and planned > now else slot.start
    has_blackouts = load_target_file(settings.default_target()).blackouts
    skipped = scheduled_skip(calendar, has_blackouts, cadence, at.astimezone(UTC).date())
    return NextRun(
        suite.name, _dag_id(suite), tuple(entry.profile for entry in suite.runs), at, paused, skipped or slot.reason
    )


def _known_dags(dag_ids: list[str]) -> dict[str, tuple[bool, datetime | None]]:
    """Whether each DAG is paused, and when Airflow starts it next."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    columns = (DagModel.dag_id, DagModel.is_paused, DagModel.next_dagrun_create_after)
    try:
        with create_session() as session:
            rows = session.execute(select(*columns).where(DagModel.dag_id.in_(dag_ids), DagModel.is_stale.is_(False)))
            return {dag_id: (paused, planned) for dag_id, paused, planned in rows}
    except SQLAlchemyError:
        return {}
