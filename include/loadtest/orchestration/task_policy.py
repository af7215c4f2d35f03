"""What all tasks share: retries and trigger rules, time-outs, how our errors become Airflow's, how a gate ends."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule, get_current_context
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.loadtest.orchestration.notifier import RedVerdictError, tell_fault

if TYPE_CHECKING:
    from include.loadtest.orchestration.context import Context

LOG = logging.getLogger("loadtest")

GENERATORS = "generators"
"""The mapped task beside `run_profile`: one of several generators each."""
RETRY_DELAY = timedelta(seconds=10)
_RETRIED = {"retries": 2, "retry_delay": RETRY_DELAY}
"""An infrastructure fault may pass; wrong input and an invalid test do not (they raise AirflowFailException)."""
_ONCE_MORE = {"retries": 1, "retry_delay": RETRY_DELAY}
"""For a process that was killed: what it does is computed from the bundle, so a repeat gives the same result."""
_ONCE = {"retries": 0}
TELLS: dict[str, Any] = {"on_failure_callback": tell_fault}
"""For tasks whose failure no verdict tells; what fails before the verdict stands in its reasons."""
ALWAYS = {"trigger_rule": TriggerRule.ALL_DONE}
"""Later stages run whatever happened before: they turn what is there into a verdict, a report and a clean target."""
LOAD_QUEUE_VARIABLE, GENERATOR_QUEUE_VARIABLE = "LOADTEST_LOAD_QUEUE", "LOADTEST_GENERATOR_QUEUE"
ON_LOAD_QUEUE = frozenset({"warm_cache", "run_profile", "confirm", "cleanup_users", "remove_orphans"})
"""Tasks that send load, or work on the runs' private folders on the machine of those that do."""


def queue_option(name: str, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The Celery queue of a stage's task, where the environment names one; by itself it is the executor's default."""
    variable = GENERATOR_QUEUE_VARIABLE if name == GENERATORS else LOAD_QUEUE_VARIABLE
    queue = environment.get(variable) if name == GENERATORS or name in ON_LOAD_QUEUE else None
    return {"queue": queue} if queue else {}


_OPTIONS: dict[str, dict[str, Any]] = {
    "preflight": _ONCE,
    "seed_users": _RETRIED,
    "warm_cache": _RETRIED,
    "run_profile": _ONCE | {"priority_weight": 10},  # a repeat of a load is a new run; before its generators get a slot
    GENERATORS: _ONCE,
    "collect_metrics": _RETRIED | ALWAYS,
    "validate_sla": _ONCE_MORE | ALWAYS,
    "diff_history": _RETRIED | ALWAYS,
    "diagnose": _ONCE_MORE | ALWAYS,
    "confirm": _ONCE | ALWAYS,  # repeats of a load are runs of their own
    "publish": _RETRIED | ALWAYS | TELLS,
    "publish_suite": _RETRIED | ALWAYS | TELLS,
    "review": _RETRIED | ALWAYS | TELLS,
    "cleanup_users": _RETRIED | TELLS,
    "gate": _ONCE_MORE | ALWAYS | TELLS,
}
STAGE_OPTIONS = {name: options | queue_option(name) for name, options in _OPTIONS.items()}
"""What each stage's task is made with."""
NO_SUITE = "the suite did not begin; see its preflight's log"
NO_USERS = "preflight did not let the target be used, so nothing of this run is on it"
NOT_BEGUN = "preflight ended before it knew a valid profile: it refused, or was killed; see its log"


@contextmanager
def within_time(context: "Context", name: str) -> Iterator[None]:
    """Bound a stage by its profile's time-out."""
    from include.loadtest.orchestration.deadline import time_limit
    from include.loadtest.orchestration.faults import note_fault
    from include.loadtest.orchestration.limits import stage_timeout_s

    with time_limit(name, stage_timeout_s(context, name), lambda text: note_fault(context, name, text)):
        yield


@contextmanager
def as_airflow_errors() -> Iterator[None]:
    """Infrastructure faults are worth a retry, all other faults of ours are not; who has to wait is no fault."""
    from include.loadtest.errors import InfrastructureError, LoadTestError
    from include.loadtest.history.locks import TargetHeldError

    try:
        yield
    except TargetHeldError:
        raise
    except InfrastructureError as error:
        raise AirflowException(str(error)) from error
    except LoadTestError as error:
        raise AirflowFailException(str(error)) from error


def conclude(verdict_of: Callable[[], str], bundle_uri: str) -> str:
    """Push `verdict` and `bundle`, so that they can be read when the gate is red, then be green or red."""
    from include.loadtest.verdict import GREEN

    verdict = verdict_of()
    instance = get_current_context()["ti"]
    instance.xcom_push(key="verdict", value=verdict)
    instance.xcom_push(key="bundle", value=bundle_uri)
    LOG.info("verdict: %s", verdict)
    LOG.info("bundle: %s", bundle_uri)
    if verdict not in GREEN:
        raise RedVerdictError(f"{verdict}: the report is in {bundle_uri}")
    return verdict
