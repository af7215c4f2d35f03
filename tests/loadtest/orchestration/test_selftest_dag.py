"""The DAG of the alarm self-test: its tasks, when it runs, and what each does with what it finds."""

import importlib.util
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from include.loadtest.orchestration import selftest_dag, settings
from include.loadtest.orchestration.selftest import outcome
from include.loadtest.orchestration.selftest.links import AFTER, BrokenLinkError, Link
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.orchestration.selftest_dag import task_id_of
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[3]
LINKS = ["recording", "validation", "change_test", "verdict", "outbox", "slack", "issue", "closing"]
SLACK_ALONE = Services(SlackSettings.checked(webhook_url="https://hooks.slack.com/services/T0/B0/X"))


@pytest.fixture(scope="module")
def dag() -> Any:
    path = ROOT / "dags" / "load_test_alarm_selftest.py"
    specification = importlib.util.spec_from_file_location("alarm_selftest", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.dag


class Instance:
    """What a task instance keeps for the others."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.task_id = ""

    def xcom_push(self, key: str, value: Any) -> None:
        self.kept[f"{self.task_id}/{key}"] = value

    def xcom_pull(self, task_ids: str, key: str) -> Any:
        return self.kept.get(f"{task_ids}/{key}")


@pytest.fixture
def instance() -> Instance:
    return Instance()


@pytest.fixture
def run_task(
    dag: Any, instance: Instance, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[[str], str]:
    """Runs one task's function as in a DAG run, where each link's check holds unless a test says otherwise."""
    monkeypatch.setattr(settings, "history_url", lambda: "postgresql://nobody@127.0.0.1:1/history")
    monkeypatch.setattr(settings, "services", lambda: SLACK_ALONE)
    monkeypatch.setattr(outcome, "CHECKS", dict.fromkeys(Link, lambda _trial: "fine"))
    monkeypatch.setattr(outcome, "tell", lambda *_: None)
    caplog.set_level(logging.INFO, "loadtest")
    dag_run = SimpleNamespace(
        dag_id="load_test_alarm_selftest", run_id="scheduled__1", run_after=datetime(2026, 11, 30, 6, tzinfo=UTC)
    )
    monkeypatch.setattr(selftest_dag, "get_current_context", lambda: {"dag_run": dag_run, "ti": instance})

    def run(task_id: str) -> str:
        instance.task_id = task_id
        dag.get_task(task_id).python_callable()
        return caplog.text

    return run


def broken(name: Link) -> Callable[[Trial], str]:
    def check(_trial: Trial) -> str:
        raise BrokenLinkError(name, "it is loose", "tighten it")

    return check


def test_a_task_a_link_and_a_gate(dag: Any) -> None:
    """Each waits only for what it cannot be tested without; the gate for all, whatever became of them."""
    assert dag.dag_id == "load_test_alarm_selftest"
    assert sorted(task.task_id for task in dag.tasks) == sorted([*LINKS, "gate"])
    for name in Link:
        before = {task_id_of(AFTER[name])} if name in AFTER else set()
        assert dag.get_task(task_id_of(name)).upstream_task_ids == before
    assert dag.get_task("gate").upstream_task_ids == set(LINKS)
    assert dag.get_task("gate").trigger_rule == "all_done"
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["gate"]


def test_servers_are_asked_once_more_and_recordings_are_not(dag: Any) -> None:
    """A hiccup on Monday morning is no broken chain; a changed limit is changed still."""
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert {name for name, count in retries.items() if count == 1} == {"outbox", "slack", "issue", "closing", "gate"}
    assert {name for name, count in retries.items() if count == 0} == {
        "recording",
        "validation",
        "change_test",
        "verdict",
    }
    assert all(task.execution_timeout <= timedelta(minutes=3) for task in dag.tasks)


def test_it_runs_on_mondays_at_six(dag: Any) -> None:
    """The next slots after a Wednesday; nothing is caught up."""
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction

    timetable, slots, last = coerce_to_core_timetable(dag.timetable), [], None
    for _ in range(2):
        restriction = TimeRestriction(datetime(2026, 11, 25, 12, tzinfo=UTC), None, catchup=True)
        found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        slots.append(f"{found.run_after:%a %Y-%m-%d %H:%M}")
        last = DataInterval.exact(found.run_after)
    assert slots == ["Mon 2026-11-30 06:00", "Mon 2026-12-07 06:00"]
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_a_link_that_holds_is_green_and_says_so(run_task: Callable[[str], str], instance: Instance) -> None:
    """The line stands in the log, and goes to the gate."""
    assert "verdict holds: fine" in run_task("verdict")
    assert instance.kept == {"verdict/outcome": {"state": "ok", "text": "fine"}}


def test_a_broken_link_is_red_and_the_gate_names_it(
    run_task: Callable[[str], str], instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What asks a server is tried again, what judges a recording is not."""
    monkeypatch.setattr(outcome, "CHECKS", {name: broken(name) for name in Link})
    with pytest.raises(AirflowFailException, match=r"broken link: change test\. it is loose"):
        run_task("change_test")
    with pytest.raises(AirflowException, match=r"broken link: Slack\. it is loose") as caught:
        run_task("slack")
    assert not isinstance(caught.value, AirflowFailException)
    assert set(instance.kept) == {"change_test/outcome", "slack/outcome"}
    with pytest.raises(AirflowFailException) as red:
        run_task("gate")
    assert "broken link: change test. it is loose. What to do: tighten it" in str(red.value)
    assert "Not tested, or without a result: recording" in str(red.value)


def test_a_service_that_is_not_set_up_is_skipped(run_task: Callable[[str], str]) -> None:
    """Not green: nothing was looked at. The gate names it, and is green all the same."""
    for name in LINKS:
        if name in ("issue", "closing"):
            with pytest.raises(AirflowSkipException, match="there is no connection loadtest_github"):
                run_task(name)
        else:
            run_task(name)
    log = run_task("gate")
    assert "alarm self-test passed: every link that was tested holds. issue is not tested" in log


def test_nothing_set_up_makes_the_gate_red(run_task: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Though no link is broken."""
    monkeypatch.setattr(settings, "services", Services)
    for name in LINKS:
        if name in ("slack", "issue", "closing"):
            with pytest.raises(AirflowSkipException):
                run_task(name)
        else:
            run_task(name)
    with pytest.raises(AirflowFailException, match="no alarm would reach anybody"):
        run_task("gate")
