"""`python -m include.k6`: one load by k6, told by the plan in LOADTEST_PLAN; exits with k6's own exit code."""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from include.k6.supervisor import Supervisor
from include.loadtest.recorder import prepare_writing
from include.locustfiles.plan import read_plan
from include.locustfiles.readings import write_state
from include.locustfiles.stopping import Stopping

SCRIPT = Path(__file__).with_name("load.js")
NOT_STARTED = 4
"""Exit code of a generator that may not send: somebody else has the target's lease."""
_PR_SET_PDEATHSIG = 1


def k6_command(binary: str, script_plan: str) -> list[str]:
    """k6 with its points on standard output, its log on standard error, and nothing sent to anybody but the target."""
    return [
        *(binary, "run", "--quiet", "--no-color", "--no-usage-report", "--address", "", "--log-output", "stderr"),
        *("--out", "json=-", "--env", f"LOADTEST_K6_PLAN={script_plan}"),
        *("--env", f"LOADTEST_SPAWNED_MS={time.time_ns() // 1_000_000}", str(SCRIPT)),
    ]


def _die_with_parent() -> None:
    """Linux' prctl(2); elsewhere k6 ends at its next write, for nobody reads it any more."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> int:
    """Start k6 and watch it to its end."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    plan = read_plan()
    stopping = Stopping(plan.profile, plan.lease_file)
    if stopping.decide(-1.0) is not None:
        write_state(plan.bundle, plan.worker, ended_ns=time.time_ns(), completed=False, **stopping.account())
        return NOT_STARTED
    folder = str(Path.cwd())
    k6 = subprocess.Popen(
        k6_command(os.environ["LOADTEST_K6_BINARY"], os.environ["LOADTEST_K6_PLAN"]),
        # A home of its own: no configuration of the user's changes the load. In UTC, so that stamps are.
        env={"PATH": os.environ.get("PATH", ""), "HOME": folder, "XDG_CONFIG_HOME": folder, "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        process_group=0,  # signals come once, from the supervisor only
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
    )
    assert k6.stdout is not None  # noqa: S101 - PIPE was asked for above
    try:
        prepare_writing()  # while k6 reads its script; before its start, it would make threads
        return Supervisor(plan, k6, k6.stdout).run()
    finally:
        k6.kill()


if __name__ == "__main__":
    sys.exit(main())
