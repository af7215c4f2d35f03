"""Who orders a load's end before its time: the operator's switch, the cap on the LLM's calls, or whoever ends the task.

Airflow ends the process of a task that was marked failed, or cleared, with SIGTERM and five seconds later with SIGKILL.
So the order is noted in the manifest as soon as it is there: later stages know of it whatever becomes of the process.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from include.loadtest import run
from include.loadtest.auto_stop import Stop
from include.loadtest.orchestration.conclusion import LOAD_STOP
from include.loadtest.orchestration.context import RunContext
from include.loadtest.runners.process import ORDERED, load_has_ended

LOG = logging.getLogger("loadtest")
SWITCH_TEXT = "the switch that stops all load was on"
OUTSIDE_TEXT = "the task was ended from outside: marked failed, cleared, or its worker shut down"
END_PATIENCE_S = 20.0
"""A task that was marked failed is told so at its next heartbeat (5 s); its load ends within as much again."""
ACCOUNT_PATIENCE_S = 3.0
_POLL_S = 0.25


class LoadStop:
    """Asked several times a second whether the load has to end; `by_outside`: the process was told to end.

    `for_the_cap`: what ends it for the sake of the cap on the LLM's calls.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._noted = False
        self.by_outside = threading.Event()
        self.for_the_cap: Callable[[], Stop | None] = lambda: None

    def requested(self) -> bool:
        """Whether it has to end; the first time that it has, who ordered it is put into the manifest."""
        stop = self._stop()
        if stop is None:
            return False
        if not self._noted:
            self._noted = True
            self._context.bundle.update_manifest(**{LOAD_STOP: {"code": stop.code, "text": stop.text}})
            LOG.warning("the load ends now: %s", stop.text)
        return True

    def _stop(self) -> Stop | None:
        if self.by_outside.is_set():
            return Stop(ORDERED, OUTSIDE_TEXT)
        return self.for_the_cap() or (Stop(ORDERED, SWITCH_TEXT) if self._context.stop_requested() else None)


@contextmanager
def load_stop(context: RunContext) -> Iterator[LoadStop]:
    """Within it a SIGTERM ends the load, and not this process at once."""
    stop = LoadStop(context)

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.by_outside.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def await_load_end(context: RunContext, clock: Callable[[], float] = time.monotonic) -> None:
    """Wait for the end of a load whose task Airflow calls ended already, for it may still be running; bounded."""
    deadline_s = clock() + END_PATIENCE_S
    while not _has_account(context) and not load_has_ended(context.bundle) and clock() < deadline_s:
        time.sleep(_POLL_S)
    deadline_s = clock() + ACCOUNT_PATIENCE_S  # whoever watched it may live long enough to write its account
    while not _has_account(context) and clock() < deadline_s:
        time.sleep(_POLL_S)


def _has_account(context: RunContext) -> bool:
    return "load" in context.bundle.read(run.MANIFEST)
