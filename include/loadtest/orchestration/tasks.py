"""The tasks of a run and of a suite: each calls one stage. Heavy imports happen inside them, never at parse time."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from include.loadtest.profile.suites import Suite

if TYPE_CHECKING:
    from include.loadtest.orchestration.context import Context

LOG = logging.getLogger("loadtest")

RETRY_DELAY = timedelta(seconds=10)
_RETRIED = {"retries": 2, "retry_delay": RETRY_DELAY}
"""An infrastructure fault may pass; wrong input and an invalid test do not (they raise AirflowFailException)."""
_ONCE_MORE = {"retries": 1, "retry_delay": RETRY_DELAY}
"""For a process that was killed: what it does is computed from the bundle, so a repeat gives the same result."""
_ONCE = {"retries": 0}
_ALWAYS = {"trigger_rule": TriggerRule.ALL_DONE}
"""Later stages run whatever happened before: they turn what is there into a verdict, a report and a clean target."""
STAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "preflight": _ONCE,
    "seed_users": _RETRIED,
    "warm_cache": _RETRIED,
    "run_profile": _ONCE,  # a repeat of a load is a new run
    "collect_metrics": _RETRIED | _ALWAYS,
    "validate_sla": _ONCE_MORE | _ALWAYS,
    "diff_history": _RETRIED | _ALWAYS,
    "confirm": _ONCE | _ALWAYS,  # repeats of a load are runs of their own
    "publish": _RETRIED | _ALWAYS,
    "publish_suite": _RETRIED | _ALWAYS,
    "cleanup_users": _RETRIED,
    "gate": _ONCE_MORE | _ALWAYS,
}
_NEEDS_A_LOAD = frozenset({"collect_metrics"})
_NO_USERS = "preflight did not let the target be used, so nothing of this run is on it"
_NOT_BEGUN = "preflight ended before it knew a valid profile: it refused, or was killed; see its log"
_NOT_SUSPECTED = "no run is suspected of being slower, so none is repeated"
_NO_SUITE = "the suite did not begin; see its preflight's log"
STALE_TEXT = "the start of %s is %.0f min late, more than the suite's grace of %.0f min: nothing is sent"


@contextmanager
def _within_time(context: "Context", name: str) -> Iterator[None]:
    """Bound a stage by its profile's time-out."""
    from include.loadtest.orchestration.deadline import time_limit
    from include.loadtest.orchestration.faults import note_fault
    from include.loadtest.orchestration.limits import stage_timeout_s

    with time_limit(name, stage_timeout_s(context, name), lambda text: note_fault(context, name, text)):
        yield


@contextmanager
def _as_airflow_errors() -> Iterator[None]:
    """Infrastructure faults are worth a retry, all other faults of ours are not."""
    from include.loadtest.errors import InfrastructureError, LoadTestError

    try:
        yield
    except InfrastructureError as error:
        raise AirflowException(str(error)) from error
    except LoadTestError as error:
        raise AirflowFailException(str(error)) from error


def _run_stage(name: str, suite: Suite | None, index: int) -> None:
    from include.loadtest.orchestration import pipeline
    from include.loadtest.orchestration import suite as suite_pipeline
    from include.loadtest.orchestration.airflow_context import run_context
    from include.loadtest.orchestration.confirm import is_suspected

    with _as_airflow_errors(), run_context(suite, index) as context:
        if context.suite and not suite_pipeline.began(context.suite):
            raise AirflowSkipException(_NO_SUITE)
        if name != "preflight" and not pipeline.began(context):
            raise AirflowSkipException(_NOT_BEGUN)
        if name in _NEEDS_A_LOAD and not pipeline.load_began(context):
            raise AirflowSkipException("no load was sent, so there is nothing to measure")
        if name == "cleanup_users" and not pipeline.may_have_users(context):
            raise AirflowSkipException(_NO_USERS)
        if name == "confirm" and not is_suspected(context):
            raise AirflowSkipException(_NOT_SUSPECTED)
        with _within_time(context, name):
            pipeline.run_stage(context, name)


def stage_task(name: str, suite: Suite | None = None, index: int = 0) -> Any:
    """A task that runs that stage of a run; within a suite, of the run with that index.

    Within a suite a run's preflight starts whatever became of the run before.
    """
    options = STAGE_OPTIONS[name] | (_ALWAYS if suite and name == "preflight" else {})

    @task(task_id=name, **options)
    def run_stage() -> None:
        _run_stage(name, suite, index)

    return run_stage()


def _run_suite_stage(name: str, suite: Suite) -> None:
    from include.loadtest.orchestration.airflow_context import suite_context, suite_entries
    from include.loadtest.orchestration.pipeline import may_have_users
    from include.loadtest.orchestration.suite import began, run_suite_stage

    with _as_airflow_errors(), suite_context(suite) as context:
        if name == "preflight":
            skip_if_stale(suite)
        elif not began(context):
            raise AirflowSkipException(_NO_SUITE)
        elif name == "cleanup_users" and not may_have_users(context):
            raise AirflowSkipException(_NO_USERS)
        with _within_time(context, name):
            run_suite_stage(context, name, lambda: suite_entries(suite))


def suite_stage_task(name: str, suite: Suite) -> Any:
    """A task that runs a stage of the suite itself."""

    @task(task_id=name, **STAGE_OPTIONS[name])
    def run_stage() -> None:
        _run_suite_stage(name, suite)

    return run_stage()


def skip_if_stale(suite: Suite) -> None:
    """Skip a scheduled start whose slot is long gone: Airflow starts the last slot when a DAG is unpaused."""
    dag_run = get_current_context()["dag_run"]
    if suite.schedule is None or dag_run.run_type != "scheduled":
        return
    late_s = (datetime.now(UTC) - dag_run.run_after).total_seconds()
    if late_s > suite.schedule.grace_s:
        raise AirflowSkipException(STALE_TEXT % (dag_run.run_after, late_s / 60, suite.schedule.grace_s / 60))


def suite_confirm_task(suite: Suite) -> Any:
    """A task that repeats the suspected runs of a suite, after all of them and outside the suite's time."""

    @task(task_id="confirm", **STAGE_OPTIONS["confirm"])
    def confirm_runs() -> None:
        from include.loadtest.orchestration import pipeline
        from include.loadtest.orchestration.airflow_context import run_context
        from include.loadtest.orchestration.confirm import is_suspected

        suspected, failed = 0, []
        for index, entry in enumerate(suite.runs):
            with run_context(suite, index) as context:
                if not is_suspected(context):
                    continue
                suspected += 1
                try:
                    with _within_time(context, "confirm"):
                        pipeline.run_stage(context, "confirm")
                except Exception as error:  # noqa: BLE001 - whatever one run's repeats raise, the next run's are due
                    failed.append(f"{entry.profile}: {error}")
                pipeline.run_stage(context, "publish")
        if failed:
            raise AirflowFailException("; ".join(failed))
        if not suspected:
            raise AirflowSkipException(_NOT_SUSPECTED)

    return confirm_runs()


def gate(suite: Suite | None = None, index: int = 0) -> Any:
    """The last task of a run; within a suite nothing waits for it, so that a red one stops no later run."""

    @task(task_id="gate", **STAGE_OPTIONS["gate"])
    def close_run() -> None:
        """Red for every verdict but PASS and WARN."""
        from include.loadtest.orchestration import pipeline
        from include.loadtest.orchestration import suite as suite_pipeline
        from include.loadtest.orchestration.airflow_context import run_context
        from include.loadtest.orchestration.target_use import leave_target

        with _as_airflow_errors(), run_context(suite, index) as context:
            if context.suite and not suite_pipeline.began(context.suite):
                raise AirflowSkipException(_NO_SUITE)
            if not pipeline.began(context):
                leave_target(context)
                raise AirflowFailException(f"no verdict: {_NOT_BEGUN}")
            with _within_time(context, "gate"):
                _conclude(lambda: pipeline.close(context)["verdict"], context.bundle_uri)

    return close_run()


def suite_gate(suite: Suite) -> Any:
    """The last task of a suite."""

    @task(task_id="gate", **STAGE_OPTIONS["gate"])
    def close_suite() -> None:
        """Red for every verdict of the suite but PASS and WARN."""
        from include.loadtest.orchestration.airflow_context import suite_context, suite_entries
        from include.loadtest.orchestration.suite import began, close

        with _as_airflow_errors(), suite_context(suite) as context:
            if not began(context):
                skip_if_stale(suite)
                raise AirflowFailException(f"no verdict: {_NOT_BEGUN}")
            with _within_time(context, "gate"):
                _conclude(lambda: close(context, lambda: suite_entries(suite))["verdict"], context.bundle_uri)

    return close_suite()


def _conclude(verdict_of: Callable[[], str], bundle_uri: str) -> None:
    """Push `verdict` and `bundle`, so that they can be read when the gate is red, then be green or red."""
    from include.loadtest.verdict import GREEN

    verdict = verdict_of()
    instance = get_current_context()["ti"]
    instance.xcom_push(key="verdict", value=verdict)
    instance.xcom_push(key="bundle", value=bundle_uri)
    LOG.info("verdict: %s", verdict)
    LOG.info("bundle: %s", bundle_uri)
    if verdict not in GREEN:
        raise AirflowFailException(f"{verdict}: the report is in {bundle_uri}")
