"""When suites start next: by Airflow where it knows, by the calendar else; a paused DAG says so."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from include.loadtest.orchestration.web.schedule import NextRun, next_runs
from include.loadtest.profile.suites import load_suite

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def _dags() -> Iterator[None]:
    """The weekly DAG is paused, the monthly has a next run that Airflow planned, the quarterly is not known."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    planned = datetime(2026, 12, 8, 2, tzinfo=UTC)
    common = {"bundle_name": "dags-folder", "fileloc": "x", "is_stale": False}
    with create_session() as session:
        session.add(DagModel(dag_id="load_test_weekly", is_paused=True, **common))
        session.add(DagModel(dag_id="load_test_monthly", is_paused=False, next_dagrun_create_after=planned, **common))
    yield
    with create_session() as session:
        session.query(DagModel).delete()


def _of(found: list[NextRun], suite: str) -> NextRun:
    return next(one for one in found if one.suite == suite)


@pytest.mark.usefixtures("tokens", "_dags")
def test_what_airflow_knows_counts_before_the_calendar() -> None:
    """Sorted by the moment; the profiles are the suite's."""
    found = next_runs(NOW)
    weekly, monthly, quarterly = (_of(found, name) for name in ("weekly", "monthly", "quarterly"))
    assert (weekly.paused, weekly.at) == (True, datetime(2026, 11, 29, 2, tzinfo=UTC))
    assert (monthly.paused, monthly.at) == (False, datetime(2026, 12, 8, 2, tzinfo=UTC))
    assert quarterly.paused is None
    assert weekly.profiles == tuple(entry.profile for entry in load_suite("weekly").runs)
    assert [one.at for one in found] == sorted(one.at for one in found)


@pytest.mark.usefixtures("tokens")
def test_without_airflows_answer_the_calendar_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slot that lies just ahead counts, one that has just begun does not; a blackout is told on a real target."""
    monkeypatch.setenv("LOADTEST_DEFAULT_TARGET", "pratikoai")
    slot = datetime(2026, 11, 29, 2, tzinfo=UTC)
    before, at = (_of(next_runs(moment), "weekly") for moment in (slot.replace(hour=1), slot))
    assert (before.at, before.paused) == (slot, None)
    assert before.note is not None
    assert "is skipped" in before.note
    assert at.at == datetime(2026, 12, 6, 2, tzinfo=UTC)
