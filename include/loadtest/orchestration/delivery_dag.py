"""The DAG that delivers, every ten minutes, what Slack or GitHub did not take from the run itself."""

import logging
from datetime import timedelta

from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowSkipException

from include.loadtest.orchestration.factory import upkeep_dag
from include.loadtest.orchestration.task_policy import as_airflow_errors

LOG = logging.getLogger("loadtest")
EVERY_TEN_MINUTES = "*/10 * * * *"


def delivery_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG of one task, which sends no load. It is never red for a service that is away: housekeeping is, in time."""
    with upkeep_dag(dag_id, "Delivers what waits for Slack or GitHub", doc_md=doc_md, cron=EVERY_TEN_MINUTES) as dag:
        _deliver()
    return dag


@task(task_id="deliver", retries=0, execution_timeout=timedelta(minutes=9))
def _deliver() -> None:
    """Try what is due; skipped where nothing waits."""
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.outstanding import deliver_waiting

    with as_airflow_errors():
        lines = deliver_waiting(settings.history_url(), settings.services())
    if not lines:
        raise AirflowSkipException("nothing waits to be delivered")
    for line in lines:
        LOG.info("%s", line)
