"""A process that files runs and delivers them, as a task of Airflow does; it takes orders line by line.

An order is `{"run_id", "profile", "verdict", "comparison", "diagnosis"}` as JSON, with `"dies": true` for a process
that is killed between filing and delivery. It answers with a line once it is done.
"""

import json
import os
import signal
import sys
from typing import Any

from sqlalchemy import Engine

from include.loadtest.history.database import connect
from include.loadtest.publishing.courier import Courier
from include.loadtest.publishing.github import GitHubSettings
from include.loadtest.publishing.ticket_delivery import ticket_handlers
from tests.helpers.github_service import REPOSITORY, TOKEN
from tests.helpers.ticket_runs import file

READY = "ready"
WITHIN_S, CALL_S = 60.0, 10.0


def main(history_url: str, github_url: str) -> None:
    """Take orders until standard input ends."""
    engine = connect(history_url)
    settings = GitHubSettings.checked(TOKEN, REPOSITORY, github_url)
    courier = Courier(engine, ticket_handlers(settings, engine=engine))
    say(READY)
    for line in sys.stdin:
        order = json.loads(line)
        file_order(engine, order)
        if order.get("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = courier.deliver(within_s=WITHIN_S, call_s=CALL_S, force=True)
        say(f"left: {outcome.left}")


def say(line: str) -> None:
    """A line for who gave the order."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def file_order(engine: Engine, order: dict[str, Any]) -> list[str]:
    """File the run of an order."""
    parameters = {"profile": order["profile"], "overrides": {}, "target": "demo"}
    return file(
        engine,
        order["run_id"],
        order["verdict"],
        compared=order.get("comparison"),
        found=order.get("diagnosis"),
        profile=order["profile"],
        parameters=parameters,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
