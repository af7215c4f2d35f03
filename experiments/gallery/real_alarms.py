"""Two messages that no bundle has: a task's failure and the self-test's alarm, each by the code that sends it."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

from airflow.sdk.exceptions import AirflowException

from include.loadtest.orchestration.notifier import fault_row
from include.loadtest.orchestration.selftest.judging import Bench
from include.loadtest.orchestration.selftest.recordings import BAD
from include.loadtest.orchestration.selftest.slack_arrival import alarm_message
from include.loadtest.orchestration.selftest.trial import Trial
from include.loadtest.orchestration.task_policy import as_airflow_errors
from include.loadtest.publishing.message import Message
from include.loadtest.publishing.services import Services
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.settings import Target, load_target_file

NOBODY_LISTENS = "postgresql://app:s3cret@127.0.0.1:5439/app"
DAG_RUN = SimpleNamespace(dag_id="load_test_weekly", run_id="scheduled__2026-11-22T01:00:00+00:00")
TEST_RUN = SimpleNamespace(dag_id="load_test_alarm_selftest", run_id="scheduled__2026-11-23T06:00:00+00:00")


def fault() -> Message:
    """What the failure callback makes of a clean-up whose database does not answer. Raises RuntimeError if it does."""
    target = Target.checked(load_target_file("demo"), "http://127.0.0.1:8000", NOBODY_LISTENS)
    try:
        with as_airflow_errors():
            cleanup_users(target, "smoke-20261122-010000-000000")
    except AirflowException as error:
        task = SimpleNamespace(task_id="cleanup_users", try_number=3)
        return Message.of(fault_row({"exception": error, "dag_run": DAG_RUN, "ti": task}).payload)
    raise RuntimeError(f"somebody listens at {NOBODY_LISTENS}")


def self_test(folder: Path) -> Message:
    """The alarm of the self-test's bad run; `folder` is for its bundle."""
    link = f"http://127.0.0.1:8080/dags/{TEST_RUN.dag_id}/runs/{TEST_RUN.run_id}"
    began = datetime(2026, 11, 23, 6, tzinfo=UTC)
    trial = Trial.of(Bench(folder), Services(), "", began=began, owner=TEST_RUN.run_id, link=link)
    return alarm_message(trial, BAD)
