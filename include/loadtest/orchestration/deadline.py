"""A bound on the time of a stage, from its profile: Airflow's own bound is fixed when a DAG is parsed."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from include.loadtest.errors import InfrastructureError

LOG = logging.getLogger("loadtest")
GRACE_S = 20.0
"""So long a stage has to end after its time is over: clean-up of what it started. Then its process is killed."""


class StageTimeoutError(InfrastructureError):
    """A stage did not end in time."""


@contextmanager
def time_limit(name: str, limit_s: float, on_kill: Callable[[str], None], grace_s: float = GRACE_S) -> Iterator[None]:
    """Raise StageTimeoutError in the main thread after `limit_s`; where even that does not end the stage, kill it.

    A signal reaches Python code only. A stage that hangs inside a library written in C (a database that accepts and
    never answers) does not see it, so a thread tells `on_kill` and kills the whole process `grace_s` later.
    """
    text = f"{name} did not end within {limit_s:g} s"

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise StageTimeoutError(f"{text}: it was interrupted")

    def kill() -> None:
        LOG.error("%s, and could not be interrupted: its process is killed", text)
        try:
            on_kill(f"{text}, and was killed")
        finally:
            os.kill(os.getpid(), signal.SIGKILL)

    killer = threading.Timer(limit_s + grace_s, kill)
    killer.daemon = True
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, limit_s)
    killer.start()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        killer.cancel()
        signal.signal(signal.SIGALRM, before)
