"""The DAG that looks after what the load tests leave behind, and with which an operator changes baselines.

Its tasks do not depend on each other: each is red by itself. Heavy imports happen inside them.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.loadtest.orchestration.baseline_actions import ACTIONS
from include.loadtest.orchestration.factory import upkeep_dag
from include.loadtest.orchestration.housekeeping_rules import load_rules
from include.loadtest.orchestration.params import common_params
from include.loadtest.orchestration.task_policy import RETRY_DELAY, TELLS, as_airflow_errors, queue_option
from include.loadtest.profile import profile_names
from include.loadtest.profile.model import PROFILE_NAME

if TYPE_CHECKING:
    from include.loadtest.history.outbox import Delivery

LOG = logging.getLogger("loadtest")
TITLE_OF_SILENCE = "Load tests: the weekly suite is silent"
TITLE_OF_A_LOST_NIGHT = "Load tests: a scheduled suite did not run"
_RETRIED: dict[str, Any] = {"retries": 2, "retry_delay": RETRY_DELAY, "execution_timeout": timedelta(hours=2)}
"""A repeat removes what the first try left; an alarm is not repeated (AirflowFailException)."""
_ONCE: dict[str, Any] = {"retries": 0, "execution_timeout": timedelta(minutes=5)}
_BUSY_BY_FORM = "this run does only what its form's field action asks for"


def housekeeping_dag(dag_id: str, *, doc_md: str | None) -> DAG:
    """A DAG of six tasks, every day at the time of housekeeping.yaml. Raises ConfigError for what is wrong in it."""
    description = "Old samples, orphans, disk space, silence of the weekly suite, deliveries; by hand: baselines"
    with upkeep_dag(dag_id, description, doc_md=doc_md, cron=load_rules().cron, params=_params()) as dag:
        for make in (_remove_old_samples, _remove_orphans, _check_disk, _dead_mans_switch, _deliver, _baseline_action):
            make()
    return dag


@contextmanager
def _daily() -> Iterator[None]:
    """Skip in a run whose form asks for something else; our errors become Airflow's."""
    if get_current_context()["params"].get("action"):
        raise AirflowSkipException(_BUSY_BY_FORM)
    with as_airflow_errors():
        yield


@task(task_id="remove_old_samples", **_RETRIED | TELLS)
def _remove_old_samples() -> None:
    """Remove samples and readings of old runs from the results."""
    with _daily():
        from include.loadtest.errors import InfrastructureError
        from include.loadtest.history import store as history
        from include.loadtest.history.upkeep import held_run_ids, pinned_run_ids
        from include.loadtest.orchestration import settings
        from include.loadtest.orchestration.housekeeping_samples import Protected, remove_old_samples

        history.upgrade(settings.history_url())
        engine = history.connect(settings.history_url())
        days = load_rules().retention.samples_days
        protected = Protected(pinned_run_ids(engine), held_run_ids(engine))
        freed = remove_old_samples(settings.results_uri(), days, protected, datetime.now(UTC))
        for line in freed.lines(days):
            LOG.info("%s", line)
        if freed.failed:
            raise InfrastructureError(freed.fault())


@task(task_id="remove_orphans", **_RETRIED | TELLS | queue_option("remove_orphans"))
def _remove_orphans() -> None:
    """Remove test users, locks, waiters and tokens that ended runs have left."""
    with _daily():
        from include.loadtest.orchestration.airflow_context import owner_of
        from include.loadtest.orchestration.housekeeping_orphans import OrphanHunt

        dag_run = get_current_context()["dag_run"]
        hunt = OrphanHunt.of(owner_of(dag_run), dag_run.run_after)
        hunt.remove_all(load_rules().orphans.older_than_h * 3600)


@task(task_id="check_disk", **_ONCE | TELLS)
def _check_disk() -> None:
    """Red where the disk of the results is nearly full."""
    with _daily():
        from pathlib import Path

        from airflow.sdk import ObjectStoragePath

        from include.loadtest.orchestration import settings
        from include.loadtest.orchestration.housekeeping_disk import check_disk

        results = ObjectStoragePath(settings.results_uri())
        if results.protocol not in ("", "file", "local"):
            raise AirflowSkipException(f"the results are in {results.protocol}://, which is no disk of this machine")
        LOG.info("%s", check_disk(Path(results.path), load_rules().disk))


@task(task_id="dead_mans_switch", **_RETRIED)
def _dead_mans_switch() -> None:
    """Red, with a message, where the weekly suite has been silent for too long, or a larger one lost its night."""
    with _daily():
        from include.loadtest.calendar import load_calendar
        from include.loadtest.history import store as history
        from include.loadtest.history.upkeep import installed_at, last_suite_verdict
        from include.loadtest.orchestration import settings
        from include.loadtest.orchestration.deliveries import harmless, tell
        from include.loadtest.orchestration.housekeeping_switch import LARGER, SUITE, Nights, judge_lost, judge_silence
        from include.loadtest.profile.thresholds import load_thresholds
        from include.loadtest.target.settings import load_target_file

        history.upgrade(settings.history_url())
        engine = history.connect(settings.history_url())
        days = load_thresholds().silence_days
        target = settings.default_target()
        nights = Nights(load_calendar(), load_target_file(target).blackouts)
        now, since = datetime.now(UTC), installed_at(engine)
        silence = judge_silence(last_suite_verdict(engine, SUITE, target), since, days, now, nights)
        last = {cadence: last_suite_verdict(engine, cadence, target) for cadence in LARGER}
        lost = [judge_lost(one, since, days, now, nights, cadence=cadence) for cadence, one in last.items()]
        for finding in (silence, *lost):
            LOG.info("%s", finding.text)
        text = ". ".join(finding.text for finding in (silence, *lost) if finding.alarm)
        if text:
            with harmless("Slack is not told of the silence"):
                title = TITLE_OF_SILENCE if silence.alarm else TITLE_OF_A_LOST_NIGHT
                tell(settings.history_url, settings.services(), _alarm_row(title, text))
            raise AirflowFailException(text)


def _alarm_row(title: str, text: str) -> "Delivery":
    """The outbox row of an alarm: one message for each DAG run."""
    from include.loadtest.orchestration.airflow_context import link_of
    from include.loadtest.publishing.message import notice
    from include.loadtest.publishing.slack_rows import message_row

    dag_run = get_current_context()["dag_run"]
    message = notice(title, text, link_of(dag_run))
    subject = f"{dag_run.dag_id}/{dag_run.run_id}"
    return message_row(f"slack/alarm/{subject}", subject, message)


@task(task_id="deliver", **_RETRIED | TELLS)
def _deliver() -> None:
    """Try what waits for Slack or GitHub; red where something waits for too long, or was given up."""
    with _daily():
        from include.loadtest.history import outbox
        from include.loadtest.orchestration import settings
        from include.loadtest.orchestration.deliveries import outbox_engine
        from include.loadtest.orchestration.outstanding import deliver_waiting, late_text

        history_url, rules, now = settings.history_url(), load_rules().deliveries, datetime.now(UTC)
        for line in deliver_waiting(history_url, settings.services()):
            LOG.info("%s", line)
        forgotten = outbox.forget_delivered(outbox_engine(history_url), before=now - timedelta(days=rules.kept_days))
        LOG.info("deliveries older than %d days: %d forgotten", rules.kept_days, forgotten)
        if late := late_text(history_url, rules.late_h, now):
            raise AirflowFailException(late)


@task(task_id="baseline_action", **_ONCE)
def _baseline_action() -> None:
    """Do what the form asks for, then show all baselines and marks in the log. Bad input fails with one line.

    A repeat could do the same thing twice, so there is none.
    """
    from include.loadtest.orchestration import settings
    from include.loadtest.orchestration.baseline_actions import BaselineOrder, change_baselines

    context = get_current_context()
    if not context["params"].get("action"):
        raise AirflowSkipException("no action was chosen: that is done by a person, in this DAG's form")
    by = getattr(context["dag_run"], "triggering_user_name", None) or "unknown"
    with as_airflow_errors():
        for line in change_baselines(settings.history_url(), BaselineOrder.from_params(context["params"]), by):
            LOG.info("%s", line)


def _params() -> dict[str, Param]:
    """The form, in its order."""
    return {**_params_of_all(), **_params_of_baselines()}


def _params_of_all() -> dict[str, Param]:
    """What is to be done, for which profile and target."""
    return {
        "action": Param(
            None,
            type=["null", "string"],
            enum=[None, *ACTIONS],
            title="Action",
            description="Empty: the daily housekeeping. Otherwise only this: list shows all baselines. propose: the "
            "latest valid runs of a profile, or those named. pin: a proposal, or the runs named; it retires the pinned "
            "one. retire ends one. mark_intended_change: comparisons start anew.",
        ),
        "profile": Param(
            None,
            type=["null", "string"],
            pattern=PROFILE_NAME,
            examples=profile_names(),
            title="Profile",
            description="For propose, and for a mark; a mark without one is for all profiles of the target.",
        ),
        "target": common_params()["target"],
    }


def _params_of_baselines() -> dict[str, Param]:
    """What single actions need."""
    return {
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
        "reason": Param(  # null, not an empty text: the form takes an empty one of type string for missing
            None,
            type=["null", "string"],
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
