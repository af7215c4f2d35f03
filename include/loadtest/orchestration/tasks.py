"""The tasks of a run: each calls one stage. Heavy imports happen inside them, never at parse time."""

import logging
from datetime import UTC, datetime
from typing import Any

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.loadtest.orchestration.choice import SuiteOf
from include.loadtest.orchestration.notifier import NoVerdictError
from include.loadtest.orchestration.task_policy import (
    ALWAYS,
    GENERATORS,
    NO_SUITE,
    NO_USERS,
    NOT_BEGUN,
    STAGE_OPTIONS,
    as_airflow_errors,
    conclude,
    within_time,
)
from include.loadtest.orchestration.waiting import MAX_WAIT_S, WhenTargetIsFree
from include.loadtest.profile.suites import Suite

LOG = logging.getLogger("loadtest")
ORDERED_WITHIN_S = 2 * 3600.0
"""So long after it was ordered a run may begin; as long as a scheduled one's grace."""
NOT_SUSPECTED = "no run is suspected of being slower, so none is repeated"
_NEEDS_A_LOAD = frozenset({"collect_metrics"})
_NO_SUCH_RUN = "the suite has no run number %d"
_OF_A_SUITE = "this DAG run is a suite's, so it makes no run by itself"


def stage_task(name: str, suite_of: SuiteOf | None = None, index: int = 0) -> Any:
    """A task that runs that stage of a run; within a suite, of the run with that index.

    Preflight waits for its target without a worker. Within a suite, which has the target, a run's preflight waits for
    nobody, and starts whatever became of the run before.
    """
    if name == "preflight" and suite_of is None:
        return WhenTargetIsFree(task_id=name, work=lambda: _run_stage(name, None, 0), **STAGE_OPTIONS[name])
    options = STAGE_OPTIONS[name] | (ALWAYS if name == "preflight" else {})

    @task(task_id=name, **options)
    def run_stage() -> None:
        _run_stage(name, suite_of, index)

    return run_stage()


def warm_task(suite_of: SuiteOf | None = None, index: int = 0) -> Any:
    """The task `warm_cache`: it returns the numbers of the generators that share the load, for the task of each."""

    @task(task_id="warm_cache", **STAGE_OPTIONS["warm_cache"])
    def warm_cache() -> list[int]:
        _run_stage("warm_cache", suite_of, index)
        return _generators(suite_of, index)

    return warm_cache()


def generators_task(numbers: Any, suite_of: SuiteOf | None = None, index: int = 0) -> Any:
    """The task `generators`, once for each of `numbers`, which `warm_cache` returns; for none Airflow skips it."""

    @task(task_id=GENERATORS, **STAGE_OPTIONS[GENERATORS])
    def send_share(number: int) -> None:
        _send_share(number, suite_of, index)

    return send_share.expand(number=numbers)


def _generators(suite_of: SuiteOf | None, index: int) -> list[int]:
    """The numbers of several generators, from 1; none where one is enough: it belongs to `run_profile`."""
    from include.loadtest.orchestration.airflow_context import run_context

    with run_context(_suite_of_task(suite_of, index), index, lambda _: False) as context:
        generators = context.profile().generators
    return list(range(1, generators + 1)) if generators > 1 else []


def _send_share(number: int, suite_of: SuiteOf | None, index: int) -> None:
    from include.loadtest.orchestration.airflow_context import find_master, run_context
    from include.loadtest.orchestration.deadline import time_limit
    from include.loadtest.orchestration.generators import (
        MASTER_WITHIN_S,
        ended_from_outside,
        is_own_file,
        send_share,
        worker_name,
    )

    worker = worker_name(number)
    with (
        as_airflow_errors(),
        run_context(_suite_of_task(suite_of, index), index, lambda name: is_own_file(name, worker)) as context,
        time_limit(
            f"generator {worker}",
            MASTER_WITHIN_S + context.profile().stage_timeout_s("run_profile"),
            lambda text: LOG.error("%s", text),
        ),
        ended_from_outside() as is_ended,
    ):
        send_share(context, number, find_master, is_ended)


def _run_stage(name: str, suite_of: SuiteOf | None, index: int) -> None:
    from include.loadtest.orchestration import pipeline
    from include.loadtest.orchestration import suite as suite_pipeline
    from include.loadtest.orchestration.airflow_context import run_context
    from include.loadtest.orchestration.confirm import needs_repeats

    suite = _suite_of_task(suite_of, index)
    if suite and name == "preflight":
        refuse_if_long_over(suite, get_current_context()["dag_run"], datetime.now(UTC))
    with as_airflow_errors(), run_context(suite, index) as context:
        if context.suite and not suite_pipeline.began(context.suite):
            raise AirflowSkipException(NO_SUITE)
        if name != "preflight" and not pipeline.began(context):
            raise AirflowSkipException(NOT_BEGUN)
        if name == "preflight" and suite is None and not pipeline.began(context):  # else it has waited for its target
            refuse_if_ordered_long_ago(get_current_context()["dag_run"], datetime.now(UTC))
        if name in _NEEDS_A_LOAD and not pipeline.load_began(context):
            raise AirflowSkipException("no load was sent, so there is nothing to measure")
        if name == "cleanup_users" and not pipeline.may_have_users(context):
            raise AirflowSkipException(NO_USERS)
        if name == "confirm" and not needs_repeats(context):
            raise AirflowSkipException(NOT_SUSPECTED)
        with within_time(context, name):
            pipeline.run_stage(context, name)


def _suite_of_task(suite_of: SuiteOf | None, index: int) -> Suite | None:
    """The suite that a task's run belongs to. Raises AirflowSkipException for a task that was not ordered.

    Such a task begins only where a person clears it: the manual DAG has skipped it.
    """
    suite = suite_of() if suite_of else None
    if suite and index >= len(suite.runs):
        raise AirflowSkipException(_NO_SUCH_RUN % (index + 1))
    if suite is None and get_current_context()["params"].get("suite"):
        raise AirflowSkipException(_OF_A_SUITE)
    return suite


def refuse_if_long_over(suite: Suite, dag_run: Any, now: datetime) -> None:
    """Raise AirflowFailException where a scheduled suite's run would begin long after the suite has to be over.

    That happens where the DAG was paused in the middle, or Airflow was away: people are at work by now. The suite may
    begin late, wait for its target, and take twice as long as its load.
    """
    if suite.schedule is None or dag_run.run_type == "manual":
        return
    over_s = (now - dag_run.run_after).total_seconds()
    if over_s > suite.schedule.grace_s + MAX_WAIT_S + 2 * suite.max_load_s:
        raise AirflowFailException(f"{over_s / 3600:.1f} h after the suite's slot it sends no load any more")


def refuse_if_ordered_long_ago(dag_run: Any, now: datetime) -> None:
    """Raise AirflowFailException where a run that nobody scheduled would begin long after it was ordered.

    The DAG was paused, or Airflow was away: whoever ordered it waits no more, and others are at work by now.
    """
    waited_s = (now - dag_run.run_after).total_seconds()
    if waited_s > ORDERED_WITHIN_S:
        raise AirflowFailException(
            f"not begun: it was ordered {waited_s / 3600:.1f} h ago, more than {ORDERED_WITHIN_S / 3600:.0f} h; "
            "trigger it anew if it is still wanted"
        )


def gate(suite_of: SuiteOf | None = None, index: int = 0, *, approval: str | None = None) -> Any:
    """The last task of a run; within a suite nothing waits for it, so that a red one stops no later run.

    `approval`: the task in which a person answers for a WARN; without that answer a WARN is red.
    """

    @task(task_id="gate", **STAGE_OPTIONS["gate"])
    def close_run() -> None:
        """Red for every verdict but PASS and WARN."""
        from include.loadtest.orchestration import pipeline
        from include.loadtest.orchestration import suite as suite_pipeline
        from include.loadtest.orchestration.airflow_context import run_context
        from include.loadtest.orchestration.approval import refuse_unapproved
        from include.loadtest.orchestration.target_use import leave_target

        suite = _suite_of_task(suite_of, index)
        with as_airflow_errors(), run_context(suite, index) as context:
            if context.suite and not suite_pipeline.began(context.suite):
                raise AirflowSkipException(NO_SUITE)
            if not pipeline.began(context):
                leave_target(context)
                raise NoVerdictError(f"no verdict: {NOT_BEGUN}")
            with within_time(context, "gate"):
                verdict = conclude(lambda: pipeline.close(context)["verdict"], context.bundle_uri)
                if approval:
                    refuse_unapproved(verdict, get_current_context()["ti"].xcom_pull(task_ids=approval))

    return close_run()
