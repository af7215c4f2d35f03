"""A new baseline each quarter: the latest runs of the weekly suite are proposed, and a person decides.

The wait begins after the clean-up, when the target is free, and occupies no worker. Without an answer the proposals
stay open: they can be pinned later in load_test_housekeeping.
"""

import logging
from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from include.loadtest.orchestration.approval import answered_by
from include.loadtest.orchestration.choice import SuiteOf
from include.loadtest.orchestration.settings import answer_within
from include.loadtest.orchestration.task_policy import NO_SUITE, STAGE_OPTIONS, as_airflow_errors

LOG = logging.getLogger("loadtest")
PROPOSE, DECIDE, PIN = "propose_baselines", "decide_baselines", "pin_baselines"
QUESTION, NUMBERS = "question", "numbers"
PIN_ALL, REJECT, LATER = "Pin", "Reject", "Later"
BY = "quarterly review"


def renewal_tasks(suite_of: SuiteOf) -> tuple[Any, Any]:
    """Propose, wait for a person's decision, carry it out; returns the first and the last task."""
    proposing = _propose(suite_of)
    deciding = HITLOperator(
        task_id=DECIDE,
        subject="Pin the latest weekly runs as the new baselines?",
        body=f"{{{{ ti.xcom_pull(task_ids='{PROPOSE}', key='{QUESTION}') }}}}",
        options=[PIN_ALL, REJECT, LATER],
        defaults=LATER,
        response_timeout=timedelta(seconds=answer_within()),
        retries=0,
    )
    pinning = _pin()
    proposing >> deciding >> pinning
    return proposing, pinning


def _propose(suite_of: SuiteOf) -> Any:
    @task(task_id=PROPOSE, **STAGE_OPTIONS["review"])
    def propose() -> None:
        """Propose the latest valid runs of each profile of the suite; skipped where there are too few of each."""
        from include.loadtest.history.store import connect, upgrade
        from include.loadtest.orchestration import settings
        from include.loadtest.orchestration.airflow_context import suite_context
        from include.loadtest.orchestration.baseline_actions import propose_suite
        from include.loadtest.orchestration.suite import began
        from include.loadtest.orchestration.target_use import leave_target

        context = get_current_context()
        with as_airflow_errors(), suite_context(suite_of(), keep=False) as suite:
            leave_target(suite)  # also where the clean-up failed: nobody waits for a person
            if not began(suite):
                raise AirflowSkipException(NO_SUITE)
            source, url = suite_of().renews_baselines, settings.history_url()
            upgrade(url)
            proposals, lines = propose_suite(connect(url), str(source), context["params"]["target"], BY)
        for line in lines:
            LOG.info("%s", line)
        if not proposals:
            raise AirflowSkipException("no baseline is proposed: too few valid runs")
        context["ti"].xcom_push(key=NUMBERS, value=proposals)
        context["ti"].xcom_push(key=QUESTION, value="\n\n".join(lines))

    return propose()


def _pin() -> Any:
    @task(task_id=PIN, retries=0)
    def pin() -> None:
        """Do what was decided with the proposals."""
        carry_out()

    return pin()


def carry_out() -> None:
    """Pin or retire the proposals, as the person answered; leave them open without an answer."""
    from include.loadtest.history.store import connect
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.baseline_actions import decide_proposals

    instance = get_current_context()["ti"]
    answer = instance.xcom_pull(task_ids=DECIDE)
    numbers = instance.xcom_pull(task_ids=PROPOSE, key=NUMBERS)
    choice = answer["chosen_options"][0]
    if choice == LATER:
        LOG.info("not decided: the proposals %s stay open; pin or retire them in load_test_housekeeping", numbers)
        return
    by, accepted = answered_by(answer), choice == PIN_ALL
    with as_airflow_errors():
        for line in decide_proposals(connect(settings.history_url()), numbers, accepted=accepted, by=by, reason=BY):
            LOG.info("%s", line)
