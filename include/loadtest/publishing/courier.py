"""Delivers what waits in the outbox, for a bounded time, and never twice at once.

Services are asked beside each other, each by a thread of its own. A row that fails holds up its lane, a service that
fails is left alone for the rest of the call. A handler that hangs is left behind: its thread keeps the lane's lock
until it comes back or the process ends, so that nobody repeats what may still be on its way.
"""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Engine

from include.loadtest.history import attempts
from include.loadtest.history.attempts import Choice
from include.loadtest.history.outbox import Row, storable, what
from include.loadtest.publishing.delivery import LEAST_CALL_S, Budget, DeliveryError, Handler, OutOfTime

LOG = logging.getLogger("loadtest")
GRACE_S = 0.3
"""After its time a call waits so long for threads that are just writing down how their attempt ended."""


@dataclass(frozen=True)
class Failure:
    """A row that was tried and has not arrived, and why, in one line for people."""

    key: str
    text: str
    is_given_up: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self.text}"


@dataclass(frozen=True)
class Outcome:
    """What one call came to: rows delivered, attempts that failed, and how many rows still wait (of the subject)."""

    delivered: int
    failed: tuple[Failure, ...]
    left: int


class Courier:
    """Tries rows with the handlers of their kinds. A kind without a handler waits, and holds up nobody."""

    def __init__(self, engine: Engine, handlers: Mapping[str, Handler]) -> None:
        self._engine = engine
        self._handlers = handlers

    def deliver(self, *, subject: str | None = None, within_s: float, call_s: float, force: bool = False) -> Outcome:
        """Try what is due, each row at most once in vain; ends within `within_s` and one second, whatever hangs.

        subject  only lanes in which something about it waits
        call_s   longest time of a single call to a service
        force    also before the back-off is over, but for what may have arrived; Retry-After is obeyed all the same

        Raises InfrastructureError where the history database fails.
        """
        choice = Choice(frozenset(self._handlers), subject, force)
        ends = time.monotonic() + within_s
        attempts.drop_expired(self._engine)
        services: dict[str, _Service] = {}
        # Rounds: what one service has delivered may make a row of another due again (a message that names an issue).
        while self._round(services, choice, ends, call_s):
            pass
        for service in services.values():
            service.raise_fault()
        attempts.give_up_old(self._engine, choice.kinds)
        left = attempts.count_waiting(self._engine, subject)
        failures = tuple(failure for service in services.values() for failure in service.failures(within_s))
        return Outcome(sum(service.delivered for service in services.values()), failures, left)

    def _round(self, services: dict[str, "_Service"], choice: Choice, ends: float, call_s: float) -> bool:
        """Try every lane that is due once; returns whether another round may find something to do."""
        if ends - time.monotonic() < LEAST_CALL_S:
            return False
        before = sum(service.delivered for service in services.values())
        threads = []
        for name, lanes in attempts.due_lanes(self._engine, choice).items():
            service = services.setdefault(name, _Service(self._engine, self._handlers, choice, ends, call_s))
            threads.append(threading.Thread(target=service.deliver, args=(lanes,), name=f"to {name}", daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(max(ends + GRACE_S - time.monotonic(), 0))
        is_whole = not any(thread.is_alive() for thread in threads)
        return is_whole and sum(service.delivered for service in services.values()) > before


@dataclass
class _Service:
    """One service within one call of `deliver`: what was delivered to it, and whether it is left alone now."""

    engine: Engine
    handlers: Mapping[str, Handler]
    choice: Choice
    ends: float
    call_s: float
    delivered: int = 0
    failed: list[Failure] = field(default_factory=list)
    failing_lanes: set[str] = field(default_factory=set)
    is_left_alone: bool = False
    current: Row | None = None
    fault: Exception | None = None

    def deliver(self, lanes: list[str]) -> None:
        """Try the lanes one after the other, in a thread."""
        try:
            for lane in lanes:
                if lane not in self.failing_lanes:
                    self._deliver_lane(lane)
        except Exception as error:  # noqa: BLE001 - raised where the thread is waited for
            self.fault = error

    def raise_fault(self) -> None:
        """Raise what ended the thread."""
        if self.fault is not None:
            raise self.fault

    def failures(self, within_s: float) -> list[Failure]:
        """Those that came to an end, and the one that hangs."""
        hanging = self.current
        return self.failed + ([Failure(hanging.key, f"no answer within {within_s:g} s")] if hanging else [])

    def _deliver_lane(self, lane: str) -> None:
        if not self._may_go_on():
            return
        with attempts.lane_lock(self.engine, lane) as is_mine:
            while is_mine and self._may_go_on():
                row = attempts.claim(self.engine, lane, self.choice)
                if row is None:
                    return
                self.current = row
                if not self._attempt(row):
                    self.failing_lanes.add(lane)
                    return

    def _may_go_on(self) -> bool:
        return not self.is_left_alone and self.ends - time.monotonic() >= LEAST_CALL_S

    def _attempt(self, row: Row) -> bool:
        """Whether the lane's next row may be tried."""
        budget = Budget(self.ends - time.monotonic(), self.call_s)
        try:
            receipt = storable(self.handlers[row.kind](row, budget))
        except OutOfTime:
            attempts.untried(self.engine, row, may_have_arrived=budget.calls > 0)
            goes_on = False
        except DeliveryError as error:
            self.is_left_alone = self.is_left_alone or error.is_service_wide
            self._note_failure(row, error)
            goes_on = error.is_permanent
        except Exception as error:  # noqa: BLE001 - a fault of a handler is its rows' only
            # Its text may quote a secret.
            reason = f"stopped by an unexpected {type(error).__name__}"
            self._note_failure(row, DeliveryError(reason, may_have_arrived=True, is_service_wide=False))
            goes_on = False
        else:
            attempts.arrived(self.engine, row, receipt)
            self.delivered += 1
            goes_on = True
        self.current = None
        return goes_on

    def _note_failure(self, row: Row, error: DeliveryError) -> None:
        reason = attempts.failed(
            self.engine,
            row,
            str(error),
            may_have_arrived=error.may_have_arrived,
            retry_after_s=error.retry_after_s,
            is_permanent=error.is_permanent,
        )
        self.failed.append(Failure(row.key, reason, error.is_permanent))
        LOG.warning("%s about %s is not delivered: %s", what(row), row.subject, reason)
