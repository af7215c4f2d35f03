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
from include.loadtest.errors import printable
from include.loadtest.orchestration.conclusion import LOAD_STOP
from include.loadtest.orchestration.context import RunContext
from include.loadtest.runners.process import ORDERED, load_has_ended

LOG = logging.getLogger("loadtest")
SWITCH = "the switch that stops all load"
SWITCH_TEXT = f"{SWITCH} was on"
OUTSIDE_TEXT = "the task was ended from outside: marked failed, cleared, or its worker shut down"
END_PATIENCE_S = 20.0
"""A task that was marked failed is told so at its next heartbeat (5 s); its load ends within as much again."""
ACCOUNT_PATIENCE_S = 3.0
_POLL_S = 0.25
SILENT_S = 5.0
"""Whoever waits longer for the switch is told that it cannot be read."""
_AFTER_FAILURE_S = 1.0
_JOIN_S = 1.0


class SwitchWatch(threading.Thread):
    """Asks for the operator's switch beside the load, so that nothing else waits for Airflow's answer.

    While its API is slow or down, Airflow's client tries for up to minutes. Neither that nor a failure ends the load:
    the log says once that the switch cannot be read, and once that it can be again.
    """

    def __init__(self, ask: Callable[[], bool]) -> None:
        super().__init__(name="stop-switch", daemon=True)
        self._ask, self._on = ask, False
        self._ended = threading.Event()
        self._answered_s = time.monotonic()
        self._said = threading.Event()

    def run(self) -> None:
        """Until it is on, or this is ended."""
        while not self._on and not self._ended.is_set():
            self._ended.wait(_POLL_S if self._look() else _AFTER_FAILURE_S)

    def is_on(self) -> bool:
        """What the last answer was; off before the first one. Returns at once."""
        silent_s = time.monotonic() - self._answered_s
        if silent_s > SILENT_S:
            self._say(f"no answer for {silent_s:.0f} s")
        return self._on

    def _look(self) -> bool:
        """Whether there was an answer."""
        try:
            self._on = self._ask()
        except Exception as error:  # noqa: BLE001 - Airflow's client raises many kinds; none of them may end a load
            self._say(printable(str(error), 200) or type(error).__name__)
            return False
        self._answered_s = time.monotonic()
        if self._said.is_set():
            self._said.clear()
            LOG.info("%s: it can be read again", SWITCH)
        return True

    def _say(self, why: str) -> None:
        if not self._said.is_set():
            self._said.set()
            LOG.warning("%s cannot be read (%s): the load goes on, and is not ended by it meanwhile", SWITCH, why)

    def end(self) -> None:
        """No further question; one that has no answer yet is left alone."""
        self._ended.set()
        self.join(_JOIN_S)


class LoadStop:
    """Asked several times a second whether the load has to end; `by_outside`: the process was told to end.

    `for_the_cap`: what ends it for the sake of the cap on the LLM's calls.
    """

    def __init__(self, context: RunContext, switch: SwitchWatch) -> None:
        self._context, self._switch = context, switch
        self._noted = False
        self.by_outside = threading.Event()
        self.for_the_cap: Callable[[], Stop | None] = lambda: None

    def requested(self) -> bool:
        """Whether it has to end; the first time that it has, who ordered it is put into the manifest. Asks nobody."""
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
        return self.for_the_cap() or (Stop(ORDERED, SWITCH_TEXT) if self._switch.is_on() else None)


@contextmanager
def load_stop(context: RunContext) -> Iterator[LoadStop]:
    """Within it a SIGTERM ends the load, and not this process at once, and the operator's switch is asked for."""
    switch = SwitchWatch(context.stop_requested)
    stop = LoadStop(context, switch)

    def note(_number: int, _frame: FrameType | None) -> None:
        stop.by_outside.set()

    before = signal.signal(signal.SIGTERM, note)
    switch.start()
    try:
        yield stop
    finally:
        switch.end()
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
