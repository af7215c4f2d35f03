"""A run in a process of its own that somebody else stops between its last check and the start of its generator."""

import json
import logging
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from experiments.faults import smoke_yaml
from experiments.in_process import Bench
from experiments.victim import LEASE_S, RENEW_EVERY_S, say
from include.loadtest.orchestration import lease, load, pipeline
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadResult
from tests.helpers.demo import DemoTarget

CHECKED = "checked"
USERS, DURATION_S = 2, 10
STAGES = ("preflight", "seed_users", "warm_cache", "run_profile")


def main(order: dict[str, Any]) -> None:
    """Run the stages up to the load; between check and generator say so, and go on when a line comes."""
    lease.LEASE_S, lease.RENEW_EVERY_S = LEASE_S, RENEW_EVERY_S

    def after_a_line(*arguments: Any) -> LoadResult:
        say(CHECKED)
        sys.stdin.readline()
        return run_load(*arguments)

    demo = DemoTarget(**{**order["demo"], "state": Path(order["demo"]["state"])})
    context = Bench(Path(order["folder"]), demo, order["history_url"], say).context(
        order["run_id"], smoke_yaml(), USERS, DURATION_S
    )
    with patch.object(load, "run_load", after_a_line):
        for name in STAGES:
            pipeline.run_stage(context, name)


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, force=True)
    main(json.loads(sys.argv[1]))
