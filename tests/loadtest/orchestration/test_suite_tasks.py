"""When a scheduled suite is skipped, with Airflow's context made by hand."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.loadtest.calendar import read_calendar
from include.loadtest.calendar.loading import CALENDAR_FILE
from include.loadtest.orchestration import suite_tasks
from include.loadtest.orchestration.suite_tasks import skip_if_not_due
from include.loadtest.profile.suites import load_suite

pytestmark = pytest.mark.unit
WEEKLY, MONTHLY, QUICK = (load_suite(name) for name in ("weekly", "monthly", "quick"))


@pytest.fixture
def slot(monkeypatch: pytest.MonkeyPatch):
    """Sets the DAG run's slot and how late it is now."""

    def set_to(night: date, late: timedelta = timedelta(minutes=1), run_type: str = "scheduled") -> None:
        start = datetime(night.year, night.month, night.day, 2, tzinfo=UTC)
        run = SimpleNamespace(run_after=start, run_type=run_type)
        monkeypatch.setattr(suite_tasks, "get_current_context", lambda: {"dag_run": run})
        clock = SimpleNamespace(now=lambda _zone: start + late)
        monkeypatch.setattr(suite_tasks, "datetime", clock)
        monkeypatch.setattr("include.loadtest.calendar.load_calendar", lambda: read_calendar(CALENDAR_FILE))

    return set_to


def skipped(suite, has_blackouts: bool = True) -> str | None:
    try:
        skip_if_not_due(suite, has_blackouts)
    except AirflowSkipException as error:
        return str(error)
    return None


def test_a_slot_in_time_is_due(slot) -> None:
    """An ordinary Sunday, at once and after an hour and three quarters."""
    for minutes in (0, 105):
        slot(date(2027, 1, 10), timedelta(minutes=minutes))
        assert skipped(WEEKLY) is None


def test_a_slot_older_than_its_grace_is_skipped(slot) -> None:
    """Two hours; the text says how late it is: unpausing never starts a surprise load."""
    slot(date(2027, 1, 10), timedelta(hours=2, minutes=5))
    assert "is 125 min late, more than the suite's grace of 120 min" in skipped(WEEKLY)


def test_a_night_before_a_deadline_is_skipped_where_people_work(slot) -> None:
    """Monday 18 January 2027 is an F24 day; a target that disturbs nobody has no blackouts."""
    slot(date(2027, 1, 17))
    assert "F24" in skipped(WEEKLY)
    assert skipped(WEEKLY, has_blackouts=False) is None


def test_the_weekly_gives_way_on_every_target(slot) -> None:
    """2028-12-31 is a Sunday and a quarter's end."""
    slot(date(2028, 12, 31))
    assert "quarterly" in skipped(WEEKLY, has_blackouts=False)


def test_a_moved_slot_says_from_where(slot, caplog) -> None:
    """The monthly of 2028-10-02, a deadline, runs on 4 October."""
    slot(date(2028, 10, 4))
    with caplog.at_level("INFO", logger="loadtest"):
        assert skipped(MONTHLY) is None
    assert "2028-10-02" in caplog.text


def test_a_persons_run_is_never_skipped(slot) -> None:
    """Whoever triggers a suite gets it, or a refusal with a verdict."""
    slot(date(2027, 1, 17), timedelta(minutes=115), run_type="manual")
    assert skipped(WEEKLY) is None
    assert skipped(QUICK) is None
    slot(date(2027, 1, 17), timedelta(hours=9), run_type="manual")
    for suite in (WEEKLY, QUICK):
        with pytest.raises(AirflowFailException, match=r"ordered 9\.0 h ago, more than 2 h; trigger it anew"):
            skip_if_not_due(suite, True)
