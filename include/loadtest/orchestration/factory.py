"""Builds the DAGs. A DAG file names its form; graphs are the same for all runs and for all suites."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup

from include.loadtest.orchestration.params import suite_params
from include.loadtest.orchestration.tasks import (
    gate,
    stage_task,
    suite_confirm_task,
    suite_gate,
    suite_stage_task,
)
from include.loadtest.profile.suites import Suite, load_suite

TAG = "load-test"
START = datetime(2024, 12, 1, tzinfo=UTC)


def load_test_dag(dag_id: str, *, description: str, doc_md: str | None, params: dict[str, Param]) -> DAG:
    """A DAG that makes one run: preflight to gate, with the users' clean-up as its teardown."""
    with DAG(
        dag_id,
        description=description,
        doc_md=doc_md,
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=4,
        tags=[TAG],
        params=params,
        render_template_as_native_obj=True,
    ) as dag:
        build_run()
    return dag


def suite_dag(suite_name: str, *, doc_md: str | None) -> DAG:
    """A DAG that makes a suite's runs one after the other; its schedule is the suite's."""
    suite = load_suite(suite_name)
    schedule = suite.schedule
    with DAG(
        suite.dag_id,
        description=suite.purpose,
        doc_md=doc_md,
        schedule=CronTriggerTimetable(schedule.cron, timezone=schedule.timezone) if schedule else None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=[TAG, "suite"],
        params=suite_params(),
        render_template_as_native_obj=True,
    ) as dag:
        build_suite(suite)
    return dag


def build_run() -> Any:
    """The tasks of one run, in order; returns its gate.

    Preflight is no setup in Airflow's sense: after a failed setup Airflow runs none of the tasks that follow, whatever
    their trigger rule, and a refused run would have no report.
    """
    preflight, seed_users = stage_task("preflight"), stage_task("seed_users")
    warm_cache, publish = _measured_part(None, 0)
    cleanup_users = stage_task("cleanup_users").as_teardown()
    end = gate()
    preflight >> seed_users >> warm_cache
    publish >> cleanup_users >> end
    publish >> end
    return end


def build_suite(suite: Suite) -> Any:
    """Users for all runs, a task group for each run, the suite's verdict, clean-up; returns its gate."""
    preflight = suite_stage_task("preflight", suite)
    before = suite_stage_task("seed_users", suite)
    preflight >> before
    gates = []
    for index, entry in enumerate(suite.runs):
        with TaskGroup(entry.profile):
            first = stage_task("preflight", suite, index)
            warm_cache, publish = _measured_part(suite, index)
            first >> warm_cache
            run_gate = gate(suite, index)
            publish >> run_gate
        gates.append(run_gate)
        before >> first
        before = publish
    confirm = suite_confirm_task(suite)
    publish_suite = suite_stage_task("publish_suite", suite)
    cleanup_users = suite_stage_task("cleanup_users", suite).as_teardown()
    end = suite_gate(suite)
    before >> confirm >> publish_suite >> cleanup_users >> end
    confirm >> gates
    [publish_suite, *gates] >> end
    return end


def _measured_part(suite: Suite | None, index: int) -> tuple[Any, Any]:
    """From warming the cache to the reports: its first and its last task."""
    names = ["warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history", "confirm", "publish"]
    if suite is not None:
        names.remove("confirm")  # a suite's repeats come after all of its runs
    tasks = [stage_task(name, suite, index) for name in names]
    for earlier, later in pairwise(tasks):
        earlier >> later
    return tasks[0], tasks[-1]
