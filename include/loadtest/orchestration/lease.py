"""The target's lock as a lease: each stage renews it while it runs, so that a killed run blocks nobody for long.

Between two stages the lease itself carries it. What a stage does needs no other code for it. While the load runs, the
generator sees the lease as a file in the run's private folder, which each renewal writes anew.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from include.loadtest.errors import InvalidTestError, LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.locks import acquire_lock, check_token, extend_lock
from include.loadtest.lease_file import Lease, now_s, write_lease
from include.loadtest.orchestration.context import Context

LOG = logging.getLogger("loadtest")
LEASE_S = 300
"""So long a lock outlives the last sign of life of its run."""
RENEW_EVERY_S = 60.0
LOAD_RENEWS_EVERY_S = 5.0
"""While load is sent: so soon it is known, and the load ended, when a person has taken the lock away."""
MARGIN_SHARE = 1 / 30
"""The generator's lease ends that share (10 s) before the lock: the last requests end before another's begin."""
JOIN_S = 2.0
NEEDS_THE_TARGET = frozenset({"seed_users", "warm_cache", "run_profile", "confirm"})
"""Stages that must not touch the target without its lock."""
GIVES_IT_FREE = frozenset({"preflight", "cleanup_users"})
"""Stages that take the lock late, or release it before their end: a renewal that finds none means nothing there."""
_MANIFEST = "lease"


def take_lease(context: Context) -> None:
    """Take the target's lock for this DAG run, or hold on to it; the fencing token is kept in the manifest.

    Raises TargetHeldError (`target_locked`).
    """
    engine = history.connect(context.history_url)
    token = acquire_lock(engine, context.target_name, context.owner, context.bundle.run_id, LEASE_S)
    context.bundle.update_manifest(**{_MANIFEST: {"owner": context.owner, "token": token}})


def hand_over_lease(context: Context) -> None:
    """Renew the lock and write the generator's lease file, right before the load.

    Raises InvalidTestError (`target_locked`) where the token is no longer the target's.
    """
    asked_s, token = now_s(), _held_token(context)
    _extend(context, token)
    write_lease(context.lease_file, _lease(token, asked_s))


def still_holds(context: Context) -> bool:
    """Whether the target is this DAG run's at this moment; False also where the history cannot say."""
    try:
        token = _held_token(context)
        check_token(history.connect(context.history_url), context.target_name, context.owner, token)
    except LoadTestError as error:
        LOG.warning("the target is not this run's: %s", error)
        return False
    return True


@contextmanager
def kept_lease(context: Context, name: str) -> Iterator[None]:
    """Renew the lock while a stage runs, if this DAG run holds it.

    Raises InvalidTestError (`target_locked`) before and after a stage that needs the target where another has it.
    """
    renewal = _Renewal(context, name)
    if name in NEEDS_THE_TARGET:
        renewal.token = _held_token(context)
        _extend(context, renewal.token)
    thread = threading.Thread(target=renewal.run, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        renewal.ended.set()
        thread.join(JOIN_S)  # a database that hangs must not hold up the stage; a late renewal of no lock does nothing
    if renewal.lost is not None and name in NEEDS_THE_TARGET:
        raise InvalidTestError("target_locked", f"the target's lock was lost while it was used: {renewal.lost}")


@contextmanager
def generator_lease(context: Context, file: Path) -> Iterator[None]:
    """Write, and renew, the lease of one of several generators, on whatever machine it is; its run has the lock.

    Raises InvalidTestError (`target_locked`) where that has not.
    """
    asked_s, token = now_s(), _held_token(context)
    _extend(context, token)
    write_lease(file, _lease(token, asked_s))
    renewal = _Renewal(context, "run_profile", token, file)
    thread = threading.Thread(target=renewal.run, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        renewal.ended.set()
        thread.join(JOIN_S)


def _token(context: Context) -> int | None:
    """The token that this run was given with the lock; None before that."""
    token = (context.manifest().get(_MANIFEST) or {}).get("token")
    return None if token is None else int(token)


def _held_token(context: Context) -> int:
    token = _token(context)
    if token is None:
        raise InvalidTestError("target_locked", f"target {context.target_name}: its lock was never this run's")
    return token


def _extend(context: Context, token: int) -> None:
    extend_lock(history.connect(context.history_url), context.target_name, context.owner, token, LEASE_S)


def _lease(token: int, asked_s: float) -> Lease:
    """Counted from before the question, so that it ends before the lock, whatever the way to the database takes."""
    return Lease(token, asked_s + LEASE_S * (1 - MARGIN_SHARE))


@dataclass
class _Renewal:
    """What the thread does. `lost` says who has the lock that was held before; `token`: None to read it each time.

    `file`: the generator's lease file; None: the one of the run's private folder.
    """

    context: Context
    name: str
    token: int | None = None
    file: Path | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    lost: str | None = None

    def run(self) -> None:
        held = self.name in NEEDS_THE_TARGET
        every_s = min(RENEW_EVERY_S, LOAD_RENEWS_EVERY_S) if self.name == "run_profile" else RENEW_EVERY_S
        while not self.ended.is_set():
            try:
                held = self._renew() or held
            except InvalidTestError as error:
                if held and self.name not in GIVES_IT_FREE:
                    self._lose(error)
                    return
            except LoadTestError as error:
                LOG.warning("the target's lock could not be renewed, it is tried again: %s", error)
            self.ended.wait(every_s)

    def _renew(self) -> bool:
        token = self.token or _token(self.context)
        if token is None:
            return False
        asked_s = now_s()
        _extend(self.context, token)
        self._tell_generator(_lease(token, asked_s))
        return True

    def _lose(self, error: InvalidTestError) -> None:
        self.lost = str(error)
        LOG.error("%s: the target's lock was lost: %s", self.name, error)
        self._tell_generator(Lease(self.token, 0.0, self.lost))

    def _tell_generator(self, lease: Lease) -> None:
        """Only where a load was handed a lease, and its folder is still there."""
        file = self.file or self.context.lease_file
        if file.exists():
            with suppress(FileNotFoundError):
                write_lease(file, lease)
