"""What a run or a suite does to its target besides the load: its lock, its test users' tokens and rows, its size."""

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.loadtest.errors import ConfigError, LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.locks import release_lock
from include.loadtest.orchestration.context import Context, RunContext
from include.loadtest.orchestration.lease import still_holds, take_lease
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.facts import sizes
from include.loadtest.target.reset import run_reset

LOG = logging.getLogger("loadtest")


def lock_target(context: Context) -> None:
    """Take the target's lock for this DAG run, or hold on to it. Raises TargetHeldError (`target_locked`)."""
    history.upgrade(context.history_url)
    take_lease(context)


@contextmanager
def released_on_failure(context: Context) -> Iterator[None]:
    """Give the target free when a check refuses it; within a suite the suite holds it, and a repeat's run its own."""
    try:
        yield
    except BaseException:
        if not (isinstance(context, RunContext) and (context.suite or context.holds_parents_target)):
            free_target(context)
        raise


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are not there, for this user only. Raises ConfigError: somebody else's."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise ConfigError(f"{folder}: holds tokens, but others may use it; remove it, or chmod 700 it")


def note_sizes(context: Context, when: str) -> None:
    """What the target holds now, among the sizes before, after the load and after the clean-up."""
    taken = context.manifest().get("sizes") or {}
    context.bundle.update_manifest(sizes={**taken, when: sizes(context.target)})


def remove_users(context: Context) -> None:
    """Remove the users that this context made, with all their rows, then bring the target back to its known state."""
    forget_tokens(context)
    is_held = _keep_lock(context)
    result = cleanup_users(context.target, context.bundle.run_id, on_progress=LOG.info)
    context.bundle.update_manifest(cleanup=result.document())
    for line in result.lines():
        LOG.info("%s", line)
    note_sizes(context, "after_cleanup")
    # Never under another run's load.
    reset = run_reset(context.target.file) if is_held and still_holds(context) else None
    if reset is not None:
        context.bundle.update_manifest(reset=reset.document())
        for line in reset.lines():
            LOG.info("%s", line)
    free_target(context)


def _keep_lock(context: Context) -> bool:
    """Hold the target while it is cleaned up; without it the users have to go all the same."""
    try:
        lock_target(context)
    except LoadTestError as error:
        LOG.warning("the target's lock could not be kept, so the target is not reset: %s", error)
        return False
    return True


def forget_tokens(context: Context) -> None:
    """Remove this machine's copy of the users' tokens."""
    shutil.rmtree(context.work_dir, ignore_errors=True)


def free_target(context: Context) -> None:
    """Release the lock, if this DAG run holds it, and leave the target's queue.

    Before every wait for a person: nobody else may have to wait for that as well.
    """
    release_lock(history.connect(context.history_url), context.target_name, context.owner)


def leave_target(context: Context) -> None:
    """Give up tokens and lock; a lock that cannot be released expires by itself, and no verdict hangs on it.

    Within a suite both are the suite's.
    """
    if isinstance(context, RunContext) and context.suite:
        return
    forget_tokens(context)
    try:
        free_target(context)
    except LoadTestError as error:
        LOG.warning("the target's lock could not be released, it expires by itself: %s", error)
