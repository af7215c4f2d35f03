"""The DAG with which an operator looks at baselines and changes them. Heavy imports happen inside its task."""

import logging
from datetime import timedelta

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from include.loadtest.orchestration.baseline_actions import ACTIONS
from include.loadtest.orchestration.factory import START, TAG
from include.loadtest.orchestration.params import suite_params
from include.loadtest.profile import profile_names

LOG = logging.getLogger("loadtest")
TIMEOUT = timedelta(minutes=5)


def baselines_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG of one task, started by hand; a repeat could do the same thing twice, so there is none."""
    with DAG(
        dag_id,
        description="Lists baselines; proposes, pins and retires them; marks intended changes",
        doc_md=doc_md,
        schedule=None,
        start_date=START,
        catchup=False,
        max_active_runs=1,
        tags=[TAG, "baselines"],
        params=_params(),
        render_template_as_native_obj=True,
    ) as dag:
        _change_baselines()
    return dag


@task(task_id="change_baselines", retries=0, execution_timeout=TIMEOUT)
def _change_baselines() -> None:
    """Do the action, then show all baselines and marks in the log. Bad input fails with one line."""
    from include.loadtest.errors import InfrastructureError, LoadTestError
    from include.loadtest.orchestration.baseline_actions import BaselineOrder, change_baselines
    from include.loadtest.orchestration.settings import history_url

    context = get_current_context()
    by = getattr(context["dag_run"], "triggering_user_name", None) or "unknown"
    try:
        for line in change_baselines(history_url(), BaselineOrder.from_params(context["params"]), by):
            LOG.info("%s", line)
    except InfrastructureError as error:
        raise AirflowException(str(error)) from error
    except LoadTestError as error:
        raise AirflowFailException(str(error)) from error


def _params() -> dict[str, Param]:
    return {
        "action": Param(
            "list",
            type="string",
            enum=list(ACTIONS),
            title="Action",
            description="list shows all. propose: the latest valid runs of a profile, or those named. pin: a proposal, "
            "or the runs named; it retires the pinned one. retire ends one. mark_intended_change: comparisons start "
            "anew.",
        ),
        "profile": Param(
            None,
            type=["null", "string"],
            pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$",
            examples=profile_names(),
            title="Profile",
            description="For propose, and for a mark; a mark without one is for all profiles of the target.",
        ),
        "target": suite_params()["target"],
        "run_ids": Param(
            None,
            type=["null", "string", "array"],
            title="Runs",
            description="Ids of runs in the history, with commas between them, for propose and pin.",
        ),
        "baseline_id": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Baseline",
            description="Number of a baseline in the list: a proposed one for pin, any that is not retired for retire.",
        ),
        "reason": Param(
            "",
            type="string",
            maxLength=500,
            title="Reason",
            description="Why; needed for all but list. It is kept and listed.",
        ),
        "accept_regression": Param(
            False,
            type="boolean",
            title="Accept a regression's level",
            description="For pin: runs that ended REGRESSION are taken, too, since their level is the new normal.",
        ),
        "since": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Since",
            description="For a mark: when the change came into force, with its time zone; empty: now.",
        ),
    }
