"""Builds the DAGs. A DAG file names its form; graphs are the same for all runs and for all suites."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronTriggerTimetable, Param, TaskGroup
from airflow.sdk.definitions.param import ParamsDict

from include.loadtest.orchestration.choice import GROUP, SuiteOf, choose, run_group, suite_of_form
from include.loadtest.orchestration.form_text import manual_doc
from include.loadtest.orchestration.params import (
    common_params,
    manual_params,
    pre_release_params,
    pull_request_params,
)
from include.loadtest.orchestration.suite_tasks import suite_confirm_task, suite_gate, suite_stage_task
from include.loadtest.orchestration.tasks import gate, generators_task, stage_task, warm_task
from include.loadtest.profile.suites import Suite, load_suite, most_runs

if TYPE_CHECKING:
    from include.loadtest.orchestration.timetables import CadenceTimetable

TAG = "load-test"
START = datetime(2024, 12, 1, tzinfo=UTC)
_AT_ONCE = 4
"""Runs of one DAG that may be under way; they wait for their target without a worker."""


def manual_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG that makes one run, or a suite's: what was not asked for is skipped."""
    text = manual_doc(doc_md)
    with _dag(dag_id, "One load test or a suite, started by a person", text, manual_params()) as dag:
        first = choose()
        preflight, _ = build_run()
        with TaskGroup(GROUP, tooltip="A suite's runs, one after the other"):
            suite_preflight, _ = build_suite(suite_of_form, [run_group(number + 1) for number in range(most_runs())])
        first >> [preflight, suite_preflight]
    return dag


def pull_request_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG that makes the pull-request check: one run, never repeated, since minutes count and it judges no change."""
    with _dag(dag_id, "The check of a pull request", doc_md, pull_request_params()) as dag:
        build_run(repeats=False)
    return dag


def pre_release_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG that makes a release candidate's run, in turns with the current release; a WARN waits for a person."""
    with _dag(dag_id, "A release candidate against its limits and the current release", doc_md,
              pre_release_params()) as dag:  # fmt: skip
        build_run(asks=True)
    return dag


def suite_dag(suite_name: str, *, doc_md: str | None) -> DAG:
    """A DAG that makes a suite's runs one after the other; its schedule is the suite's."""
    from include.loadtest.orchestration.timetables import CadenceTimetable  # the calendar: other DAGs do without it

    suite = load_suite(suite_name)
    schedule = CadenceTimetable(suite.schedule.cadence) if suite.schedule else None
    dag_id = f"load_test_{suite.name}"
    with _dag(dag_id, suite.purpose, doc_md, common_params(), schedule=schedule, max_active_runs=1) as dag:
        build_suite(lambda: suite, [entry.profile for entry in suite.runs], suite)
    return dag


def upkeep_dag(
    dag_id: str, description: str, *, doc_md: str | None, cron: str, params: dict[str, Param] | None = None
) -> DAG:
    """An empty DAG that sends no load, never twice at once, at the times of `cron` (UTC)."""
    return DAG(
        dag_id,
        description=description,
        doc_md=doc_md,
        schedule=CronTriggerTimetable(cron, timezone="UTC"),
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=[TAG, "upkeep"],
        params=params,
        render_template_as_native_obj=True,
    )


@contextmanager
def _dag(
    dag_id: str,
    description: str,
    doc_md: str | None,
    params: dict[str, Param],
    *,
    schedule: "CadenceTimetable | None" = None,
    max_active_runs: int = _AT_ONCE,
) -> Iterator[DAG]:
    """A DAG to make tasks in. It gets its form last: Airflow copies into each new task all fields that there are, four
    times, and 100 tasks need none of the copies."""
    with DAG(
        dag_id,
        description=description,
        doc_md=doc_md,
        schedule=schedule,
        start_date=START,
        catchup=False,
        max_active_runs=max_active_runs,
        tags=[TAG],
        render_template_as_native_obj=True,
    ) as dag:
        yield dag
    dag.params = ParamsDict(params)


def build_run(*, repeats: bool = True, asks: bool = False) -> tuple[Any, Any]:
    """The tasks of one run, in order; returns its first one and its gate.

    Preflight is no setup in Airflow's sense: after a failed setup Airflow runs none of the tasks that follow, whatever
    their trigger rule, and a refused run would have no report. `asks`: a WARN waits for a person, after the clean-up.
    """
    preflight, seed_users = stage_task("preflight"), stage_task("seed_users")
    warm_cache, publish = _measured_part(None, 0, repeats=repeats)
    cleanup_users = stage_task("cleanup_users").as_teardown()
    preflight >> seed_users >> warm_cache
    publish >> cleanup_users
    if asks:
        from include.loadtest.orchestration.approval import APPROVE, approval_tasks  # half a second of imports

        asking, waiting = approval_tasks()
        end = gate(approval=APPROVE)
        cleanup_users >> asking
        waiting >> end
    else:
        end = gate()
    [publish, cleanup_users] >> end
    return preflight, end


def build_suite(suite_of: SuiteOf, groups: Sequence[str], suite: Suite | None = None) -> tuple[Any, Any]:
    """Users for all runs, a task group for each, the suite's verdict, clean-up; returns its first task and its gate.

    `groups` names the task groups of its runs. `suite`: what it is, where that is known when the DAG file is read; it
    says whether a review and new baselines follow.
    """
    preflight = suite_stage_task("preflight", suite_of)
    before = suite_stage_task("seed_users", suite_of)
    preflight >> before
    publishes, gates = [], []
    for index, name in enumerate(groups):
        with TaskGroup(name):
            first = stage_task("preflight", suite_of, index)
            warm_cache, publish = _measured_part(suite_of, index, repeats=False)  # they come after all of its runs
            first >> warm_cache
            run_gate = gate(suite_of, index)
            publish >> run_gate
        gates.append(run_gate)
        publishes.append(publish)
        before >> first
        before = publish
    confirm, publish_suite = suite_confirm_task(suite_of), suite_stage_task("publish_suite", suite_of)
    # All of them, not only the last: in the manual DAG that one may be skipped from the start.
    # The gates say what the repeats left undecided, so the suite's verdict comes after them.
    publishes >> confirm >> gates
    gates >> publish_suite
    end = suite_gate(suite_of)
    [publish_suite, _after_the_runs(suite_of, suite, publish_suite)] >> end
    return preflight, end


def _after_the_runs(suite_of: SuiteOf, suite: Suite | None, publish_suite: Any) -> Any:
    """Review, clean-up, new baselines, as the suite has them; returns the clean-up."""
    last = publish_suite
    if suite is None or suite.review_days:
        last = suite_stage_task("review", suite_of)
        publish_suite >> last
    cleanup_users = suite_stage_task("cleanup_users", suite_of).as_teardown()
    last >> cleanup_users
    if suite is not None and suite.renews_baselines:
        from include.loadtest.orchestration.renewal import renewal_tasks  # half a second of imports

        proposing, _ = renewal_tasks(suite_of)
        cleanup_users >> proposing  # the target is free before anybody is waited for
    return cleanup_users


def _measured_part(suite_of: SuiteOf | None, index: int, *, repeats: bool) -> tuple[Any, Any]:
    """From warming the cache to the reports: its first and its last task.

    What follows the load waits for several generators too, whatever becomes of them: their samples are in the bundle
    then. They are no stage: the load's own account says what their ends mean.
    """
    names = ["run_profile", "collect_metrics", "validate_sla", "diff_history", "diagnose"]
    names += ["confirm", "publish"] if repeats else ["publish"]
    warm_cache = warm_task(suite_of, index)
    tasks = [warm_cache, *(stage_task(name, suite_of, index) for name in names)]
    for earlier, later in pairwise(tasks):
        earlier >> later
    generators_task(warm_cache, suite_of, index) >> tasks[2]
    return warm_cache, tasks[-1]
