"""The housekeeping DAG: its tasks, when it runs, its form, and what each task does with what it finds."""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from sqlalchemy import text

from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.outbox import Delivery, put
from include.loadtest.history.store import RunRecord, record_run
from include.loadtest.orchestration import housekeeping_dag, settings
from include.loadtest.orchestration.baseline_actions import ACTIONS
from include.loadtest.orchestration.deliveries import outbox_engine
from include.loadtest.orchestration.settings import default_target
from include.loadtest.publishing.message import notice
from include.loadtest.publishing.services import Services
from include.loadtest.publishing.slack import SlackSettings
from tests.helpers.slack_service import SlackService, slack_service

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
DAILY = ["remove_old_samples", "remove_orphans", "check_disk", "dead_mans_switch", "deliver"]


@pytest.fixture(scope="module")
def dag() -> Any:
    specification = importlib.util.spec_from_file_location("housekeeping", ROOT / "dags" / "load_test_housekeeping.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.dag


@pytest.fixture
def history(history_url: str) -> str:
    """An empty history that is kept for a year."""
    with transaction(connect(history_url)) as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS loadtest CASCADE"))
    upgrade(history_url)
    with transaction(connect(history_url)) as connection:
        connection.execute(text("UPDATE loadtest.installation SET installed_at = now() - interval '365 days'"))
    return history_url


@pytest.fixture
def run_task(
    dag: Any, history: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> Callable[..., str]:
    """Runs one task's function as in a DAG run with that form; returns the log."""
    monkeypatch.setattr(settings, "history_url", lambda: history)
    monkeypatch.setattr(settings, "results_uri", lambda: str(tmp_path / "results"))
    monkeypatch.setattr(settings, "work_root", lambda: tmp_path / "work")
    monkeypatch.setattr(settings, "is_configured", lambda _name: False)
    monkeypatch.setattr(settings, "services", Services)
    caplog.set_level(logging.INFO, "loadtest")

    def run(task_id: str, **params: Any) -> str:
        dag_run = SimpleNamespace(
            dag_id="load_test_housekeeping",
            run_id="manual__1",
            run_after=datetime(2026, 11, 26, 5, 30, tzinfo=UTC),
            triggering_user_name="anna",
        )
        form = {name: dag.params.get_param(name).value for name in dag.params} | {"target": "demo"} | params
        context = {"dag_run": dag_run, "params": form}
        monkeypatch.setattr(housekeeping_dag, "get_current_context", lambda: context)
        caplog.clear()
        dag.get_task(task_id).python_callable()
        return caplog.text

    return run


def test_six_tasks_that_do_not_depend_on_each_other(dag: Any) -> None:
    """One that fails stops no other; what a repeat could do twice is not repeated."""
    assert dag.dag_id == "load_test_housekeeping"
    assert sorted(task.task_id for task in dag.tasks) == sorted([*DAILY, "baseline_action"])
    assert all(not task.upstream_task_ids and not task.downstream_task_ids for task in dag.tasks)
    assert all(task.execution_timeout <= timedelta(hours=2) for task in dag.tasks)
    telling = {task.task_id for task in dag.tasks if task.on_failure_callback}
    assert telling == {"remove_old_samples", "remove_orphans", "check_disk", "deliver"}  # the switch tells by itself
    assert (dag.get_task("baseline_action").retries, dag.get_task("remove_orphans").retries) == (0, 2)


def test_orphans_are_removed_where_load_is_sent_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Private folders lie on the machine of the load queue; the other tasks go to the default one."""
    monkeypatch.setenv("LOADTEST_LOAD_QUEUE", "load")
    try:
        made = importlib.reload(housekeeping_dag).housekeeping_dag("load_test_housekeeping", doc_md=None)
    finally:
        monkeypatch.delenv("LOADTEST_LOAD_QUEUE")
        importlib.reload(housekeeping_dag)
    assert {task.task_id for task in made.tasks if task.queue == "load"} == {"remove_orphans"}


def test_it_runs_every_day_at_half_past_five(dag: Any) -> None:
    """The next slots after a Wednesday; nothing is caught up."""
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction

    timetable, slots, last = coerce_to_core_timetable(dag.timetable), [], None
    for _ in range(2):
        restriction = TimeRestriction(datetime(2026, 11, 25, 12, tzinfo=UTC), None, catchup=True)
        found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        slots.append(f"{found.run_after:%a %Y-%m-%d %H:%M}")
        last = DataInterval.exact(found.run_after)
    assert slots == ["Thu 2026-11-26 05:30", "Fri 2026-11-27 05:30"]
    assert (dag.catchup, dag.max_active_runs) == (False, 1)


def test_the_form_offers_every_action_and_none_by_default(dag: Any) -> None:
    """A careless click does the daily housekeeping; each field has a title and help."""
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert list(schemas) == [
        *("action", "profile", "target", "run_ids", "baseline_id", "reason", "accept_regression", "since"),
    ]
    assert schemas["action"]["enum"] == [None, *ACTIONS]
    assert dag.params.get_param("action").value is None
    assert all(schema["title"] and dag.params.get_param(name).description for name, schema in schemas.items())


def test_a_run_with_an_action_does_only_that(run_task: Callable[..., str]) -> None:
    """The other tasks are skipped; without one, only that task is. Bad input is one line."""
    for name in DAILY:
        with pytest.raises(AirflowSkipException, match="only what its form's field action asks for"):
            run_task(name, action="list")
    assert "baselines: 0" in run_task("baseline_action", action="list")
    with pytest.raises(AirflowSkipException, match="no action was chosen"):
        run_task("baseline_action")
    with pytest.raises(AirflowFailException, match="retire: give baseline_id"):
        run_task("baseline_action", action="retire", reason="old")


def test_a_quiet_day_says_what_each_task_looked_at(run_task: Callable[..., str]) -> None:
    """On an installation without results and targets."""
    assert "older than 90 days: 0 (0 files" in run_task("remove_old_samples")
    orphans = run_task("remove_orphans")
    assert "no target is configured" in orphans
    assert "history: 0 expired locks and 0 dead waiters removed" in orphans


def test_a_disk_of_another_machine_is_not_judged(run_task: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Skipped, not green: nothing was looked at."""
    monkeypatch.setattr(settings, "results_uri", lambda: "memory://results")
    with pytest.raises(AirflowSkipException, match="memory://, which is no disk of this machine"):
        run_task("check_disk")


def test_a_history_that_is_away_removes_nothing(
    run_task: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which runs are pinned or going on cannot be told then: the task is tried again, and red."""
    part = tmp_path / "results" / "smoke-1" / "samples" / "w0.parquet"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"x")
    (part.parents[1] / "manifest.json").write_text('{"started": "2020-01-01T00:00:00Z"}')
    monkeypatch.setattr(settings, "history_url", lambda: "postgresql://nobody@127.0.0.1:1/history")
    for name in ("remove_old_samples", "remove_orphans", "dead_mans_switch"):
        with pytest.raises(AirflowException, match="history database"):
            run_task(name)
    assert part.exists()


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackService]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with slack_service() as service:
        yield service


def test_a_silent_weekly_suite_is_red_and_told_in_slack(
    run_task: Callable[..., str], slack: SlackService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One message with the alarm's own line and the way to the run; without a connection one line in the log."""
    with pytest.raises(AirflowFailException, match="no weekly verdict for more than 8 days"):
        run_task("dead_mans_switch")
    assert "Slack message: not sent: there is no connection loadtest_slack" in caplog.text
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080/")
    monkeypatch.setattr(settings, "services", lambda: Services(SlackSettings.checked(webhook_url=slack.webhook_url)))
    with pytest.raises(AirflowFailException) as caught:
        run_task("dead_mans_switch")
    assert slack.faults == []
    (told,) = slack.messages
    assert told["text"].startswith("❌ Load tests: the weekly suite is silent. no weekly verdict for more than 8 days")
    assert "Look whether load_test_weekly is paused" in str(caught.value)
    assert (
        "<http://127.0.0.1:8080/dags/load_test_housekeeping/runs/manual__1|Open the run>"
        in told["blocks"][-1]["elements"][0]["text"]
    )


def test_what_waits_for_too_long_is_red(
    run_task: Callable[..., str], history: str, slack: SlackService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Slack that comes back gets it; what has waited for half a day, and what was given up, is named."""
    assert "deliveries older than 90 days: 0 forgotten" in run_task("deliver")
    key, message = "slack/run/smoke-1", notice("smoke", "it has ended", None)
    payload = {"text": message.text, "blocks": list(message.blocks), "issues_of": None, "final": True}
    put(outbox_engine(history), Delivery(key, "slack", "slack_message", key, "smoke-1", payload))
    assert "deliveries older" in run_task("deliver")
    with transaction(connect(history)) as connection:
        connection.execute(text("UPDATE loadtest.delivery SET updated = now() - interval '13 hours'"))
    with pytest.raises(AirflowFailException, match=r"1 deliveries wait for more than 12 h, 0 were given up.*smoke-1"):
        run_task("deliver")
    monkeypatch.setattr(settings, "services", lambda: Services(SlackSettings.checked(webhook_url=slack.webhook_url)))
    assert "delivered 1, 0 left" in run_task("deliver")
    assert len(slack.messages) == 1


def ran(history: str, suite: str) -> None:
    """A run of that suite has just come to a verdict."""
    ended = datetime.now(UTC)
    record = RunRecord(
        *(f"smoke-{suite}", "smoke", "locust", default_target(), "INCONCLUSIVE", ended - timedelta(minutes=1), ended),
        comparability={},
        environment={},
        bundle_uri=f"/results/smoke-{suite}",
        suite=suite,
        suite_run_id=f"{suite}-1",
    )
    record_run(connect(history), record, [])


def test_verdicts_of_all_suites_keep_the_switch_still(run_task: Callable[..., str], history: str) -> None:
    """The lines say which verdicts they were."""
    for suite in ("weekly", "monthly", "quarterly"):
        ran(history, suite)
    told = run_task("dead_mans_switch")
    for suite in ("weekly", "monthly", "quarterly"):
        assert f"the last {suite} verdict is INCONCLUSIVE of {suite}-1" in told


def test_a_lost_night_of_a_larger_suite_is_red(
    run_task: Callable[..., str], history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the weekly suite runs; the thresholds bear a silence of a year here, so that no day matters."""
    ran(history, "weekly")
    ran(history, "quarterly")
    thresholds = SimpleNamespace(silence_days=364)
    monkeypatch.setattr("include.loadtest.profile.thresholds.load_thresholds", lambda: thresholds)
    with pytest.raises(AirflowFailException, match=r"^the monthly suite that was due on .* has come to no verdict"):
        run_task("dead_mans_switch")
