"""The tasks of a suite around its runs. Heavy imports happen inside them, never at parse time."""

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.loadtest.orchestration.choice import SuiteOf
from include.loadtest.orchestration.notifier import NoVerdictError
from include.loadtest.orchestration.task_policy import (
    NO_SUITE,
    NO_USERS,
    NOT_BEGUN,
    STAGE_OPTIONS,
    as_airflow_errors,
    conclude,
    within_time,
)
from include.loadtest.orchestration.tasks import NOT_SUSPECTED, refuse_if_ordered_long_ago
from include.loadtest.orchestration.waiting import WhenTargetIsFree
from include.loadtest.profile.suites import Suite

LOG = logging.getLogger("loadtest")
STALE_TEXT = "the start of %s is %.0f min late, more than the suite's grace of %.0f min: nothing is sent"


def suite_stage_task(name: str, suite_of: SuiteOf) -> Any:
    """A task that runs a stage of the suite itself."""
    if name == "preflight":
        return WhenTargetIsFree(task_id=name, work=lambda: _run_suite_stage(name, suite_of), **STAGE_OPTIONS[name])

    @task(task_id=name, **STAGE_OPTIONS[name])
    def run_stage() -> None:
        _run_suite_stage(name, suite_of)

    return run_stage()


def _run_suite_stage(name: str, suite_of: SuiteOf) -> None:
    from include.loadtest.orchestration.airflow_context import document_of, suite_context, suite_entries
    from include.loadtest.orchestration.pipeline import may_have_users
    from include.loadtest.orchestration.suite import began, run_suite_stage

    with as_airflow_errors():
        suite = suite_of()
        with suite_context(suite) as context:
            if name == "preflight":
                if not began(context):  # else it was due, and has waited for its target
                    skip_if_not_due(suite, context.has_blackouts)
            elif not began(context):
                raise AirflowSkipException(NO_SUITE)
            elif name == "cleanup_users" and not may_have_users(context):
                raise AirflowSkipException(NO_USERS)
            elif name == "review" and suite.review_days is None:
                raise AirflowSkipException(f"{suite.name} has no review")
            with within_time(context, name):
                run_suite_stage(context, name, lambda: suite_entries(suite), document_of)


def skip_if_not_due(suite: Suite, has_blackouts: bool) -> None:
    """Skip a scheduled start whose slot is long gone, or that the calendar takes away from it.

    Airflow starts the last slot when a DAG is unpaused: that never becomes a surprise load. A person's start is refused
    where it was ordered long ago.
    """
    from include.loadtest.calendar import load_calendar, scheduled_skip

    dag_run = get_current_context()["dag_run"]
    if suite.schedule is None or dag_run.run_type == "manual":
        refuse_if_ordered_long_ago(dag_run, datetime.now(UTC))
        return
    late_s = (datetime.now(UTC) - dag_run.run_after).total_seconds()
    if late_s > suite.schedule.grace_s:
        raise AirflowSkipException(STALE_TEXT % (dag_run.run_after, late_s / 60, suite.schedule.grace_s / 60))
    calendar, night = load_calendar(), dag_run.run_after.date()
    text = scheduled_skip(calendar, has_blackouts, suite.schedule.cadence, night)
    if text:
        raise AirflowSkipException(text)
    for slot in calendar.slots(suite.schedule.cadence, night, night):
        if slot.reason:
            LOG.info("%s", slot.reason)


def suite_confirm_task(suite_of: SuiteOf) -> Any:
    """A task that repeats the suspected runs of a suite, after all of them and outside the suite's time."""

    @task(task_id="confirm", **STAGE_OPTIONS["confirm"])
    def confirm_runs() -> None:
        from include.loadtest.orchestration import pipeline
        from include.loadtest.orchestration.airflow_context import run_context
        from include.loadtest.orchestration.confirm import needs_repeats

        suspected, failed = 0, []
        suite = suite_of()
        for index, entry in enumerate(suite.runs):
            with run_context(suite, index) as context:
                if not needs_repeats(context):
                    continue
                suspected += 1
                try:
                    with within_time(context, "confirm"):
                        pipeline.run_stage(context, "confirm")
                except Exception as error:  # noqa: BLE001 - whatever one run's repeats raise, the next run's are due
                    failed.append(f"{entry.profile}: {error}")
                pipeline.settled_verdict(context)
                pipeline.run_stage(context, "publish")
        if failed:
            raise AirflowFailException("; ".join(failed))
        if not suspected:
            raise AirflowSkipException(NOT_SUSPECTED)

    return confirm_runs()


def suite_gate(suite_of: SuiteOf) -> Any:
    """The last task of a suite."""

    @task(task_id="gate", **STAGE_OPTIONS["gate"])
    def close_suite() -> None:
        """Red for every verdict of the suite but PASS and WARN."""
        from include.loadtest.orchestration.airflow_context import suite_context, suite_entries
        from include.loadtest.orchestration.suite import began, close

        with as_airflow_errors():
            suite = suite_of()
            with suite_context(suite) as context:
                if not began(context):
                    skip_if_not_due(suite, context.has_blackouts)
                    raise NoVerdictError(f"no verdict: {NOT_BEGUN}")
                with within_time(context, "gate"):
                    conclude(lambda: close(context, lambda: suite_entries(suite))["verdict"], context.bundle_uri)

    return close_suite()
