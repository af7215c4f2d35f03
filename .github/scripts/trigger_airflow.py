"""Starts a load test in the Airflow at AIRFLOW_URL over its REST API and follows it to its end.

Logs in with AIRFLOW_TOKEN, or as AIRFLOW_USER with AIRFLOW_PASSWORD. The last two lines are those of `make run`, and
so are the exit codes: 0 for PASS and WARN, 1 for another verdict, none, or an Airflow that fails, 2 for bad input.
Airflow's own weekly run that its calendar has skipped has no verdict and is no failure: the output `skipped` is set.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from workflow_commands import say, set_output

from include.embedded.client import AirflowClient, ApiError
from include.embedded.follow import Outcome, follow
from include.embedded.inputs import MANUAL_DAG, read_inputs
from include.embedded.state import EmbeddedError
from include.loadtest.errors import ConfigError

WEEKLY, PULL_REQUEST = "load_test_weekly", "load_test_pull_request"
SLOT_AGE = timedelta(hours=12)  # GitHub starts a scheduled workflow late when it is busy, by hours at worst
SLOT_PATIENCE_S = 90.0


class SlotSkippedError(Exception):
    """Airflow's own weekly run ended without load, as its calendar wants it."""


class Client(AirflowClient):
    """A client that also takes a ready-made token, and that knows a DAG's own scheduled runs."""

    def __init__(self, url: str, user: str, password: str, token: str) -> None:
        super().__init__(url, user, password)
        self._token = token or None
        self._token_is_given = bool(token)

    def _headers(self) -> dict[str, str]:
        if self._token is None and self._token_is_given:
            raise ApiError(401, "Airflow refused the secret AIRFLOW_TOKEN: it has ended, renew it (or use a password)")
        return super()._headers()

    def is_paused(self, dag_id: str) -> bool:
        """Whether Airflow starts nothing of the DAG by itself."""
        return bool(self._call("GET", f"/dags/{quote(dag_id)}")["is_paused"])

    def scheduled_run(self, dag_id: str, since: datetime) -> str | None:
        """The id of the latest run that Airflow's own schedule started after `since`."""
        params = {"run_type": "scheduled", "run_after_gte": since.isoformat(), "order_by": "-run_after", "limit": 1}
        found = self._call("GET", f"/dags/{quote(dag_id)}/dagRuns", params=params)["dag_runs"]
        return str(found[0]["dag_run_id"]) if found else None


@dataclass(frozen=True)
class Order:
    """The DAG to start, its conf, and what the names of the run's tasks begin with."""

    dag_id: str
    conf: Mapping[str, Any]
    group: str = ""


def order_of(values: Mapping[str, str]) -> Order:
    """What the event asks for. Raises ConfigError for inputs of the form that are wrong."""
    page = f"{values['GITHUB_SERVER_URL']}/{values['GITHUB_REPOSITORY']}/actions/runs/{values['GITHUB_RUN_ID']}"
    event = values["GITHUB_EVENT_NAME"]
    conf: dict[str, Any] = {"reason": f"GitHub {event}: {page}"}
    if values.get("TARGET"):
        conf["target"] = values["TARGET"]
    if event in ("pull_request", "push"):
        return Order(PULL_REQUEST, conf)
    inputs = read_inputs(values)
    return Order(MANUAL_DAG, {**inputs.settings, **conf, "ignore_blackout": inputs.ignore_blackout}, inputs.group)


def scheduled_run(client: Client, *, patience_s: float = SLOT_PATIENCE_S) -> str | None:
    """The run that Airflow's own schedule made of this week's slot; None where it makes none (the DAG is paused).

    A second run beside it would be a load that nobody ordered. Raises EmbeddedError when the run does not appear.
    """
    if client.is_paused(WEEKLY):
        return None
    deadline = time.monotonic() + patience_s
    while (run_id := client.scheduled_run(WEEKLY, datetime.now(UTC) - SLOT_AGE)) is None:
        if time.monotonic() >= deadline:
            raise EmbeddedError(f"{WEEKLY} is on Airflow's own schedule, but has no run of the last 12 hours: see why")
        time.sleep(5)
    return run_id


def run(client: Client, values: Mapping[str, str]) -> Outcome:
    """Start the run, or find the scheduled one, and follow it. Raises EmbeddedError, ConfigError, SlotSkippedError."""
    if values["GITHUB_EVENT_NAME"] == "schedule" and (run_id := scheduled_run(client)) is not None:
        say("Airflow's own schedule has started the weekly suite: following that run")
        _tell(values, WEEKLY, run_id)
        outcome = follow(client, WEEKLY, run_id, say=say)
        if outcome.state == "success" and outcome.verdict is None:
            raise SlotSkippedError
        return outcome
    order = order_of(values)
    run_id = f"github__{values['GITHUB_RUN_ID']}_{values['GITHUB_RUN_ATTEMPT']}"
    if not client.has_dag(order.dag_id):
        raise ConfigError(f"Airflow does not know the DAG {order.dag_id}: deploy this project there")
    client.unpause(order.dag_id)  # for good: it has no schedule, and pausing it would freeze other people's runs
    client.trigger(order.dag_id, run_id, dict(order.conf))
    _tell(values, order.dag_id, run_id)
    return follow(client, order.dag_id, run_id, say=say, group=order.group)


def _tell(values: Mapping[str, str], dag_id: str, run_id: str) -> None:
    page = f"{values['AIRFLOW_URL'].rstrip('/')}/dags/{quote(dag_id)}/runs/{quote(run_id, safe='')}"
    say(f"run {run_id}: {page}")
    set_output("page", page)


def checked_url(values: Mapping[str, str]) -> str:
    """AIRFLOW_URL. Raises ConfigError unless it can be used with a password."""
    url = values.get("AIRFLOW_URL", "")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"AIRFLOW_URL: {url!r} is no http or https address")
    if parts.scheme == "http" and parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ConfigError("AIRFLOW_URL: use https; over http the login could be read on its way")
    if not values.get("AIRFLOW_TOKEN") and not (values.get("AIRFLOW_USER") and values.get("AIRFLOW_PASSWORD")):
        raise ConfigError(
            "give the secret AIRFLOW_TOKEN, or the variable AIRFLOW_USER with the secret AIRFLOW_PASSWORD"
        )
    return url


def main(values: Mapping[str, str]) -> int:
    """Run and say how it ended; returns the exit code."""
    try:
        url = checked_url(values)
        user, password, token = (values.get(name, "") for name in ("AIRFLOW_USER", "AIRFLOW_PASSWORD", "AIRFLOW_TOKEN"))
        client = Client(url, user, password, token)
        try:
            outcome = run(client, values)
        finally:
            client.close()
    except ConfigError as error:
        return _failed(error, 2)
    except EmbeddedError as error:
        return _failed(error, 1)
    except SlotSkippedError:
        say("Airflow's calendar has skipped this week's run: no load was sent, and there is no verdict")
        set_output("skipped", "yes")
        return 0
    except KeyboardInterrupt:
        say("interrupted; a run that has begun goes on in Airflow")
        return 1
    if outcome.verdict is None:
        failed = ", ".join(outcome.failed_tasks) or "none"
        return _failed(EmbeddedError(f"the run ended ({outcome.state}) without a verdict; failed tasks: {failed}"), 1)
    say(f"verdict: {outcome.verdict}")
    say(f"bundle: {outcome.bundle}")
    return 0 if outcome.verdict in ("PASS", "WARN") else 1


def _failed(error: Exception, code: int) -> int:
    sys.stderr.write(f"{' '.join(str(error).split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(os.environ))
