"""Airflow's failure callback: tells Slack of an infrastructure fault that no verdict tells.

AirflowFailException
├── RedVerdictError      the run's own verdict makes the gate red: its message tells it
└── NoVerdictError       the run did not begin, so there is no verdict to tell
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.sdk.exceptions import AirflowFailException


class RedVerdictError(AirflowFailException):
    """A verdict that is not green, or a WARN that nobody approved."""


class NoVerdictError(AirflowFailException):
    """Preflight refused the run, or was killed, before there was one."""


def tell_fault(context: Mapping[str, Any]) -> None:
    """Tell Slack which task failed, unless a verdict's message says it; raises nothing.

    `context`: Airflow's, of the task that failed for good; its `exception` may be missing where the process was killed.
    Who starts a run by hand that is refused sees that in front of them: nobody else is told.
    """
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.deliveries import harmless, tell

    error, dag_run = context.get("exception"), context["dag_run"]
    if isinstance(error, RedVerdictError):
        return
    if isinstance(error, NoVerdictError) and dag_run.run_type == "manual":
        return
    with harmless("Slack is not told of this fault"):
        tell(settings.history_url, settings.services(), fault_row(context))


def fault_row(context: Mapping[str, Any]) -> Any:
    """The outbox row about a task's failure for good; one that is cleared and fails again is told anew."""
    from include.loadtest.errors import LoadTestError
    from include.loadtest.orchestration.airflow_context import link_of
    from include.loadtest.publishing.message import fault_message
    from include.loadtest.publishing.slack_rows import message_row

    error, dag_run, task = context.get("exception"), context["dag_run"], context["ti"].task_id
    cause = getattr(error, "__cause__", None)
    # Only our own texts are known to hold no secret.
    own = isinstance(error, AirflowFailException) or isinstance(cause, LoadTestError)
    reason = str(error) if own else "its process was killed" if error is None else type(error).__name__
    subject = f"{dag_run.dag_id}/{dag_run.run_id}"
    message = fault_message(
        subject=subject, task=task, error=reason, log=f"{link_of(dag_run)}/tasks/{task}", at=datetime.now(UTC)
    )
    key = f"slack/fault/{subject}/{task}/{getattr(context['ti'], 'try_number', 1)}"
    return message_row(key, subject, message)
