"""A whole run in a process of its own, which somebody else kills; it says which stage it is in."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

from experiments.faults import smoke_yaml
from experiments.in_process import Bench
from include.loadtest.orchestration import lease, pipeline
from tests.helpers.demo import DemoTarget

BEGAN = "began"
USERS, DURATION_S = 3, 6
LEASE_S, RENEW_EVERY_S = 8, 1.5
"""Instead of minutes, so that whoever comes next waits for seconds: the same code with smaller numbers."""


def main(order: dict[str, Any]) -> None:
    """Run all stages, and the gate."""
    lease.LEASE_S, lease.RENEW_EVERY_S = LEASE_S, RENEW_EVERY_S
    run_stage = pipeline.run_stage

    def announced(context: Any, name: str) -> None:
        say(name)
        run_stage(context, name)

    pipeline.run_stage = announced
    demo = DemoTarget(**{**order["demo"], "state": Path(order["demo"]["state"])})
    servers = Bench(Path(order["folder"]), demo, order["history_url"], say)
    context = servers.context(order["run_id"], smoke_yaml(), USERS, DURATION_S)
    say(BEGAN)
    servers.run(context)


def say(text: str) -> None:
    """One line on standard output, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    main(json.loads(sys.argv[1]))
