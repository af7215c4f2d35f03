"""What a task refuses before it looks at its run."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.loadtest.orchestration import tasks
from include.loadtest.orchestration.tasks import refuse_if_long_over, refuse_if_ordered_long_ago
from include.loadtest.profile.suites import load_suite

pytestmark = pytest.mark.unit
WEEKLY = load_suite("weekly")
SLOT = datetime(2027, 1, 10, 2, tzinfo=UTC)


def test_a_suite_that_went_on_days_later_sends_nothing_more() -> None:
    """Its DAG was paused in the middle; late, after a wait and with a slow target it may still go on."""
    run = SimpleNamespace(run_type="scheduled", run_after=SLOT)
    refuse_if_long_over(WEEKLY, run, SLOT + timedelta(hours=5))
    with pytest.raises(AirflowFailException, match=r"56\.0 h after the suite's slot"):
        refuse_if_long_over(WEEKLY, run, SLOT + timedelta(hours=56))
    refuse_if_long_over(WEEKLY, SimpleNamespace(run_type="manual", run_after=SLOT), SLOT + timedelta(hours=56))


def test_what_was_ordered_long_ago_does_not_begin() -> None:
    """Airflow was away, or the DAG paused: a load in the middle of another day would surprise everybody."""
    run = SimpleNamespace(run_type="manual", run_after=SLOT)
    refuse_if_ordered_long_ago(run, SLOT + timedelta(hours=2))
    with pytest.raises(AirflowFailException, match=r"not begun: it was ordered 9\.5 h ago, more than 2 h"):
        refuse_if_ordered_long_ago(run, SLOT + timedelta(hours=9.5))


@pytest.mark.parametrize(
    ("suite_of", "index", "said"),
    [(None, 0, "is a suite's"), (lambda: WEEKLY, 6, "has no run number 7")],
)
def test_a_task_that_was_not_ordered_is_skipped_when_cleared(monkeypatch, suite_of, index: int, said: str) -> None:
    """A person cleared it in the manual DAG: the same DAG run must not send a second load."""
    monkeypatch.setattr(tasks, "get_current_context", lambda: {"params": {"suite": "weekly"}})
    with pytest.raises(AirflowSkipException, match=said):
        tasks._run_stage("preflight", suite_of, index)
