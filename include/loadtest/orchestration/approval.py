"""A WARN before a release waits for a person: approved it is green, rejected or unanswered it is red.

By then the users are removed and the target is free, and no worker waits.
"""

import logging
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.loadtest.orchestration.notifier import RedVerdictError
from include.loadtest.orchestration.settings import answer_within
from include.loadtest.orchestration.task_policy import STAGE_OPTIONS, as_airflow_errors

LOG = logging.getLogger("loadtest")
ASK, APPROVE = "ask_for_approval", "approve_warning"
QUESTION = "question"
MAX_REASONS = 20


def approval_tasks() -> tuple[Any, Any]:
    """The task that asks, skipped with the next one where there is nothing to ask, and the one that waits."""
    asking = _ask()
    waiting = ApprovalOperator(
        task_id=APPROVE,
        subject="Release {{ params.release }}: the load test ended WARN. Release all the same?",
        body=f"{{{{ ti.xcom_pull(task_ids='{ASK}', key='{QUESTION}') }}}}",
        fail_on_reject=True,
        response_timeout=timedelta(seconds=answer_within()),
        retries=0,
    )
    asking >> waiting
    return asking, waiting


def _ask() -> Any:
    @task(task_id=ASK, **STAGE_OPTIONS["gate"])
    def ask() -> None:
        """Ask only about a WARN."""
        from include.loadtest.orchestration import pipeline
        from include.loadtest.orchestration.airflow_context import run_context
        from include.loadtest.orchestration.target_use import leave_target

        with as_airflow_errors(), run_context(None, 0) as context:
            leave_target(context)  # also where the clean-up failed: nobody waits for a person
            if not pipeline.began(context):
                raise AirflowSkipException("there is no verdict to ask about")
            verdict = pipeline.settled_verdict(context)
            if verdict["verdict"] != "WARN":
                raise AirflowSkipException(f"nothing to ask: the verdict is {verdict['verdict']}")
            get_current_context()["ti"].xcom_push(key=QUESTION, value=question(verdict, context.bundle_uri))
            LOG.info("the verdict is WARN: it waits %.1f h for an answer (Required Actions)", answer_within() / 3600)

    return ask()


def question(verdict: dict[str, Any], bundle_uri: str) -> str:
    """What a person has to know to answer, as Markdown: each reason, and where the report is."""
    from include.loadtest.reporting.markdown import bullets, code, plain

    reasons = [f"{code(reason['code'])}: {plain(reason['text'])}" for reason in verdict["reasons"][:MAX_REASONS]]
    return f"All critical limits are met, but:\n\n{bullets(reasons)}\n\nReport: {code(bundle_uri)}"


def refuse_unapproved(verdict: str, answer: dict[str, Any] | None) -> None:
    """Raise RedVerdictError for a WARN that nobody approved; `answer`: what the waiting task returned."""
    if verdict != "WARN":
        return
    if answer is None or answer.get("chosen_options") != [ApprovalOperator.APPROVE]:
        raise RedVerdictError(f"WARN, and not approved: {APPROVE} was rejected, or nobody answered in time")
    LOG.info("WARN, approved by %s at %s", answered_by(answer), answer.get("responded_at"))


def answered_by(answer: dict[str, Any]) -> str:
    """Name of the person who answered."""
    user = answer.get("responded_by_user") or {}
    return str(user.get("name") or user.get("id") or "unknown") if isinstance(user, dict) else str(user)
