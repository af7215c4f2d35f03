"""One of several generators of a load, as a task of its own, wherever Airflow's executor puts it.

It has no say in the run: it opens the sessions of its share of the users, finds the master that `run_profile` started,
sends until that ends the load, and leaves its samples and its own account in the bundle. It never writes the manifest,
which belongs to the stages that run one after the other.
"""

import json
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from include.loadtest import run
from include.loadtest.errors import InfrastructureError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.lease import generator_lease
from include.loadtest.orchestration.load_request import load_request
from include.loadtest.orchestration.once import refuse_second_load
from include.loadtest.orchestration.target_use import make_private
from include.loadtest.profile import Profile
from include.loadtest.runners.generator import LoadRequest, exit_meaning
from include.loadtest.runners.locust import run_member
from include.loadtest.runners.process import plan_file, state_file
from include.loadtest.target.sessions import SessionCache, ensure_sessions

LOG = logging.getLogger("loadtest")
LOAD_MASTER = "load_master"
"""Key of the XCom in which `run_profile` says where its master listens."""
MASTER_WITHIN_S = 300.0
"""So long a generator waits for the master: `run_profile` may have to wait for a slot."""
POLL_S = 1.0
FindMaster = Callable[[], str | None]
"""Where the master listens; None while that is not known. Raises InfrastructureError where none comes any more."""


def worker_name(number: int) -> str:
    """What the generator with that number, from 1, is called in samples and files."""
    return f"w{number}"


def is_own_file(name: str, worker: str) -> bool:
    """Whether a file of the bundle, by its path in it, is that generator's: it leaves all others alone."""
    folder, _, file = name.rpartition("/")
    return (
        (folder == run.SAMPLES and file.startswith(f"{worker}-"))
        or (folder == run.RESOURCES and file.startswith(f"generator-{worker}-"))
        or name in (state_file(worker), f"generator-{worker}.log")
    )


def send_share(context: RunContext, number: int, find_master: FindMaster, is_ended: Callable[[], bool]) -> None:
    """Be the generator with that number, from 1, until the load is over, or `is_ended` says so.

    Raises ConfigError where the load is over, or began before: a generator whose task is cleared joins none anew.
    Raises InfrastructureError where no master came, or the generator died; what was measured stays.
    """
    refuse_second_load(context)
    context.refuse_if_stopped()
    profile, worker = context.profile(), worker_name(number)
    own = _OwnFiles(context.work_dir, worker)
    with own.removed_at_the_end():
        numbers = _sessions(context, profile, number, own)
        address = await_master(find_master, lambda: is_ended() or context.stop_requested())
        if address is None:
            LOG.warning("generator %s was ended before the load began", worker)
            return
        LOG.info("generator %s: %d of %d users, master at %s", worker, len(numbers), profile.users, address)
        with generator_lease(context, own.lease):
            exit_code = run_member(_request(context, profile, numbers, own, address), LOG.info, is_ended)
    _say_how_it_ended(context, worker, exit_code)


def await_master(
    find: FindMaster, is_ended: Callable[[], bool], *, within_s: float = MASTER_WITHIN_S, poll_s: float = POLL_S
) -> str | None:
    """Where the master listens; None where this task has to end first. Raises InfrastructureError without a master."""
    deadline_s = time.monotonic() + within_s
    while not is_ended():
        address = find()
        if address:
            return address
        if time.monotonic() > deadline_s:
            raise InfrastructureError(
                f"run_profile did not begin its load within {within_s:.0f} s: is there a free slot for it? "
                "Each generator takes one, and it needs one more"
            )
        time.sleep(poll_s)
    return None


class _OwnFiles:
    """A generator's files in the run's private folder on this machine, which may be that of others too."""

    def __init__(self, folder: Path, worker: str) -> None:
        self.folder, self.worker = folder, worker
        self.sessions = folder / f"sessions-{worker}.json"
        self.lease = folder / f"lease-{worker}.json"

    @contextmanager
    def removed_at_the_end(self) -> Iterator[None]:
        """They hold tokens: none of them outlives the load, nor does a folder that was this generator's only."""
        make_private(self.folder)
        try:
            yield
        finally:
            for path in (self.sessions, self.lease, self.folder / plan_file(self.worker)):
                path.unlink(missing_ok=True)
            with suppress(OSError):  # others have files in it
                self.folder.rmdir()


def _sessions(context: RunContext, profile: Profile, number: int, own: _OwnFiles) -> tuple[int, ...]:
    """Sessions of its own users: the run's, where those were opened on this machine; else it logs them in itself."""
    usable = context.manifest()["seed"]["usable"][: profile.users]
    numbers = profile.share_of(usable, number)
    opened = {user: one for user, one in SessionCache(context.sessions_file).load().items() if one.is_fresh}
    if all(user in opened for user in numbers):
        SessionCache(own.sessions).save({user: opened[user] for user in numbers})
    else:
        run_id, stop = context.bundle.run_id, context.stop_requested
        ensure_sessions(context.target, numbers, own.sessions, run_id, stop_requested=stop)
    return numbers


def _request(
    context: RunContext, profile: Profile, numbers: tuple[int, ...], own: _OwnFiles, address: str
) -> LoadRequest:
    request = load_request(context, profile, own.sessions, numbers, own.lease)
    return replace(request, worker=own.worker, master=address)


def _say_how_it_ended(context: RunContext, worker: str, exit_code: int) -> None:
    account = _account(context, worker)
    if not account.get("ended_ns"):
        raise InfrastructureError(
            f"generator {worker} ended with {exit_meaning('locust', exit_code)} and left no account; "
            f"generator-{worker}.log in the bundle says why"
        )
    LOG.info("generator %s has ended, %s requests, %s; verdicts come from the samples", worker,
             account.get("samples"), exit_meaning("locust", exit_code))  # fmt: skip


def _account(context: RunContext, worker: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads((context.bundle.path / state_file(worker)).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


@contextmanager
def ended_from_outside() -> Iterator[Callable[[], bool]]:
    """Whether this process was told to end: within the block a SIGTERM only says so, and the generator can end well."""
    ended = threading.Event()

    def note(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield ended.is_set
    finally:
        signal.signal(signal.SIGTERM, before)
