"""The target's lock as a lease: each stage renews it while it runs, so that a killed run blocks nobody for long.

Between two stages the lease itself carries it. What a stage does needs no other code for it.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from include.loadtest.errors import InvalidTestError, LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.locks import acquire_lock, extend_lock
from include.loadtest.orchestration.context import Context

LOG = logging.getLogger("loadtest")
LEASE_S = 300
"""So long a lock outlives the last sign of life of its run."""
RENEW_EVERY_S = 60.0
JOIN_S = 2.0
NEEDS_THE_TARGET = frozenset({"seed_users", "warm_cache", "run_profile"})
"""Stages that must not touch the target without its lock."""
GIVES_IT_FREE = frozenset({"preflight", "cleanup_users"})
"""Stages that take the lock late, or release it before their end: a renewal that finds none means nothing there."""


def take_lease(context: Context) -> None:
    """Take the target's lock for this DAG run, or hold on to it. Raises InvalidTestError (`target_locked`)."""
    engine = history.connect(context.history_url)
    acquire_lock(engine, context.target_name, context.owner, context.bundle.run_id, LEASE_S)


@contextmanager
def kept_lease(context: Context, name: str) -> Iterator[None]:
    """Renew the lock while a stage runs, if this DAG run holds it.

    Raises InvalidTestError (`target_locked`) before and after a stage that needs the target where another has it.
    """
    if name in NEEDS_THE_TARGET:
        _extend(context)
    renewal = _Renewal(context, name)
    thread = threading.Thread(target=renewal.run, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        renewal.ended.set()
        thread.join(JOIN_S)  # a database that hangs must not hold up the stage; a late renewal of no lock does nothing
    if renewal.lost is not None and name in NEEDS_THE_TARGET:
        raise InvalidTestError("target_locked", f"the target's lock was lost while it was used: {renewal.lost}")


def _extend(context: Context) -> None:
    extend_lock(history.connect(context.history_url), context.target_name, context.owner, LEASE_S)


@dataclass
class _Renewal:
    """What the thread does. `lost` says who has the lock that was held before."""

    context: Context
    name: str
    ended: threading.Event = field(default_factory=threading.Event)
    lost: str | None = None

    def run(self) -> None:
        held = self.name in NEEDS_THE_TARGET
        while not self.ended.is_set():
            try:
                _extend(self.context)
                held = True
            except InvalidTestError as error:
                if held and self.name not in GIVES_IT_FREE:
                    self.lost = str(error)
                    LOG.error("%s: the target's lock was lost: %s", self.name, error)
                    return
            except LoadTestError as error:
                LOG.warning("the target's lock could not be renewed, it is tried again: %s", error)
            self.ended.wait(RENEW_EVERY_S)
