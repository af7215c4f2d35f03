"""The tasks of one run: each calls one stage. Heavy imports happen inside them, never when a DAG file is parsed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

if TYPE_CHECKING:
    from include.loadtest.orchestration.pipeline import RunContext

LOG = logging.getLogger("loadtest")

_RETRIED = {"retries": 2, "retry_delay": 10}
"""An infrastructure fault may pass; wrong input and an invalid test do not (they raise AirflowFailException)."""
_ONCE = {"retries": 0}
_ALWAYS = {"trigger_rule": TriggerRule.ALL_DONE}
"""Later stages run whatever happened before: they turn what is there into a verdict, a report and a clean target."""
STAGE_OPTIONS: dict[str, dict[str, Any]] = {
    "preflight": _ONCE,
    "seed_users": _RETRIED,
    "warm_cache": _RETRIED,
    "run_profile": _ONCE,  # a repeat of a load is a new run
    "collect_metrics": _RETRIED | _ALWAYS,
    "validate_sla": _ONCE | _ALWAYS,  # a verdict is never retried
    "diff_history": _RETRIED | _ALWAYS,
    "publish": _RETRIED | _ALWAYS,
    "cleanup_users": _RETRIED,
}
_NEEDS_A_LOAD = frozenset({"collect_metrics"})


@contextmanager
def run_context() -> Iterator["RunContext"]:
    """The context of the task's run: the same run_id in every task of a DAG run."""
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.order import RunOrder
    from include.loadtest.orchestration.pipeline import RunContext
    from include.loadtest.orchestration.storage import bundle_uri, local_bundle
    from include.loadtest.run import run_id_for

    airflow_context = get_current_context()
    dag_run = airflow_context["dag_run"]
    order = RunOrder.from_params(airflow_context["params"])
    run_id = run_id_for(order.profile, dag_run.run_after, f"{dag_run.dag_id}/{dag_run.run_id}")
    with local_bundle(settings.results_uri(), run_id, settings.work_root()) as bundle:
        yield RunContext(
            bundle=bundle,
            bundle_uri=bundle_uri(settings.results_uri(), run_id),
            order=order,
            load_target=settings.load_target,
            history_url=settings.history_url(),
            work_dir=settings.work_root() / run_id,
            owner=f"{dag_run.dag_id}/{dag_run.run_id}",
            not_configured=settings.not_configured(),
        )


def _run_stage(name: str) -> None:
    from include.loadtest.errors import ConfigError, InfrastructureError, InvalidTestError, LoadTestError
    from include.loadtest.orchestration import pipeline

    try:
        with run_context() as context:
            if name != "preflight" and not pipeline.began(context):
                raise AirflowSkipException("preflight refused this run before it began; see its log")
            if name in _NEEDS_A_LOAD and not pipeline.load_began(context):
                raise AirflowSkipException("no load was sent, so there is nothing to measure")
            pipeline.run_stage(context, name)
    except (ConfigError, InvalidTestError) as error:
        raise AirflowFailException(str(error)) from error
    except InfrastructureError as error:
        raise AirflowException(str(error)) from error
    except LoadTestError as error:
        raise AirflowFailException(str(error)) from error


def stage_task(name: str) -> Any:
    """A task that runs the stage of that name."""
    from datetime import timedelta

    options = dict(STAGE_OPTIONS[name])
    if "retry_delay" in options:
        options["retry_delay"] = timedelta(seconds=options["retry_delay"])

    @task(task_id=name, **options)
    def run_stage() -> None:
        _run_stage(name)

    return run_stage()


@task(task_id="gate", retries=0, trigger_rule=TriggerRule.ALL_DONE)
def gate() -> None:
    """Red for every verdict but PASS and WARN. Pushes `verdict` and `bundle` first: they can be read when it is red."""
    from include.loadtest.errors import LoadTestError
    from include.loadtest.orchestration import pipeline
    from include.loadtest.verdict import GREEN

    with run_context() as context:
        if not pipeline.began(context):
            raise AirflowFailException("no verdict: preflight refused this run before it began; see its log")
        verdict = pipeline.verdict_of(context)
        uri = context.bundle_uri
        instance = get_current_context()["ti"]
        instance.xcom_push(key="verdict", value=verdict["verdict"])
        instance.xcom_push(key="bundle", value=uri)
        try:
            pipeline.free_target(context)
        except LoadTestError as error:
            LOG.warning("the target's lock could not be released, it expires by itself: %s", error)
    for reason in verdict["reasons"]:
        LOG.info("%s: %s", reason["code"], reason["text"])
    LOG.info("verdict: %s", verdict["verdict"])
    LOG.info("bundle: %s", uri)
    if verdict["verdict"] not in GREEN:
        raise AirflowFailException(f"{verdict['verdict']}: the report is in {uri}")
