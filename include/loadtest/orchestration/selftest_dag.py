"""The DAG that tests the alarms: recorded bad runs have to become a message and an issue, and the issue closed again.

A task a link, so that the graph shows the broken one; links that need no other are tested whatever breaks. No load is
sent. Heavy imports happen inside the tasks.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, TriggerRule, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from include.loadtest.orchestration.factory import upkeep_dag
from include.loadtest.orchestration.selftest.links import AFTER, Link

if TYPE_CHECKING:
    from include.loadtest.orchestration.selftest.outcome import Outcome
    from include.loadtest.orchestration.selftest.trial import Trial

LOG = logging.getLogger("loadtest")
MONDAYS_AT_SIX = "0 6 * * 1"
OUTCOME = "outcome"
"""Key of what a link's task has found, also where it is red."""
ASKING = frozenset({Link.OUTBOX, Link.SLACK, Link.ISSUE, Link.CLOSING})
"""Links that ask a server, which may be back after a moment; the others would find the same again."""
_LIMITS: dict[str, Any] = {"execution_timeout": timedelta(minutes=3)}
_ONCE_MORE: dict[str, Any] = {"retries": 1, "retry_delay": timedelta(minutes=3)}
"""Later than the outbox tries again what may have arrived (`UNSURE_S`), sooner than its rows expire."""
_ONCE: dict[str, Any] = {"retries": 0}


def selftest_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG of a task a link and a gate, every Monday before the day begins."""
    description = "Recorded bad runs have to reach Slack and GitHub; names the broken link"
    with upkeep_dag(dag_id, description, doc_md=doc_md, cron=MONDAYS_AT_SIX) as dag:
        tasks = {name: _link_task(name) for name in Link}
        for name, before in AFTER.items():
            tasks[before] >> tasks[name]
        list(tasks.values()) >> _gate()
    return dag


def task_id_of(name: Link) -> str:
    """The link's name as Airflow takes it."""
    return str(name).lower().replace(" ", "_")


def _link_task(name: Link) -> Any:
    policy = _ONCE_MORE if name in ASKING else _ONCE

    @task(task_id=task_id_of(name), doc_md=f"Tests the link {name}.", **policy, **_LIMITS)
    def test_link() -> None:
        """Green: it holds. Red: it is broken, and the error says what to do. Skipped: not set up."""
        from include.loadtest.orchestration.selftest.outcome import outcome_of

        with _trial() as trial:
            found = outcome_of(trial, name)
        get_current_context()["ti"].xcom_push(key=OUTCOME, value={"state": found.state, "text": found.text})
        _as_airflow_says(name, found)

    return test_link()


def _as_airflow_says(name: Link, found: "Outcome") -> None:
    if found.state == "broken":
        raise (AirflowException if name in ASKING else AirflowFailException)(found.text)
    if found.state == "not_configured":
        raise AirflowSkipException(found.text)
    LOG.info("%s holds: %s", name, found.text)


@task(task_id="gate", trigger_rule=TriggerRule.ALL_DONE, **_ONCE_MORE, **_LIMITS)
def _gate() -> None:
    """Tell how it ended; red where a link is broken, or where no alarm would reach anybody."""
    from include.loadtest.orchestration.selftest.outcome import Outcome, conclude

    instance = get_current_context()["ti"]
    pulled = {name: instance.xcom_pull(task_ids=task_id_of(name), key=OUTCOME) for name in Link}
    outcomes = {name: None if found is None else Outcome(**found) for name, found in pulled.items()}
    with _trial() as trial:
        is_whole, text = conclude(trial, outcomes)
    if not is_whole:
        raise AirflowFailException(text)


@contextmanager
def _trial() -> Iterator["Trial"]:
    """This DAG run's trial; its files are gone afterwards."""
    import tempfile
    from pathlib import Path

    from include.loadtest.errors import ConfigError
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.airflow_context import link_of, owner_of
    from include.loadtest.orchestration.selftest.judging import Bench
    from include.loadtest.orchestration.selftest.trial import Trial

    dag_run = get_current_context()["dag_run"]
    try:
        history_url = settings.history_url()
    except ConfigError:
        history_url = ""  # the outbox's own link says so
    with tempfile.TemporaryDirectory(prefix="loadtest-selftest-") as folder:
        yield Trial.of(
            Bench(Path(folder)),
            settings.services(),
            history_url,
            began=dag_run.run_after,
            owner=owner_of(dag_run),
            link=link_of(dag_run),
        )
