"""Removes what runs that ended or died have left: test users on the targets, locks, private folders on this machine."""

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError, LoadTestError
from include.loadtest.history import store as history
from include.loadtest.history.locks import TargetHeldError
from include.loadtest.history.upkeep import held_run_ids, remove_dead_locks
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.context import Context
from include.loadtest.orchestration.lease import kept_lease, take_lease
from include.loadtest.orchestration.target_use import free_target, make_private
from include.loadtest.target.cleanup import cleanup_users
from include.loadtest.target.production import production_hosts
from include.loadtest.target.settings import Target, target_names

LOG = logging.getLogger("loadtest")
NAME = "housekeeping"
STAGE = "remove_orphans"
COPIES = "bundles"
"""Folder of work folders in which each process has its copies of bundles, by its number."""


@dataclass(frozen=True)
class OrphanHunt:
    """Where to look: `targets` are those that have an address; `owner` is the DAG run that holds each meanwhile."""

    history_url: str
    owner: str
    run_id: str
    work_root: Path
    targets: Sequence[str]
    load_target: Callable[[str], Target] = settings.load_target

    @classmethod
    def of(cls, owner: str, started: datetime) -> "OrphanHunt":
        """On all configured targets. Raises ConfigError for a target file that is wrong."""
        targets = [name for name in target_names() if settings.is_configured(name)]
        run_id = run.run_id_for(NAME, started, owner)
        return cls(settings.history_url(), owner, run_id, settings.work_root(), targets)

    def remove_all(self, older_than_s: float) -> None:
        """Remove everything; one step that fails does not stop the others.

        Raises one error that names all that failed: InfrastructureError if a repeat may help, else ConfigError.
        """
        history.upgrade(self.history_url)
        if not self.targets:
            LOG.info("no target is configured, so no test users are looked for")
        steps = [partial(self.remove_users, name) for name in self.targets]
        steps += [partial(self.remove_locks, older_than_s), partial(self.remove_folders, older_than_s)]
        failed: list[LoadTestError] = []
        for step in steps:
            try:
                LOG.info("%s", step())
            except LoadTestError as error:
                LOG.error("%s", error)
                failed.append(error)
        if failed:
            may_pass = any(isinstance(error, InfrastructureError) for error in failed)
            text = "; ".join(str(error) for error in failed)
            raise InfrastructureError(text) if may_pass else ConfigError(text)

    def remove_users(self, name: str) -> str:
        """From one target, which is held meanwhile as by a run."""
        work_dir = self.work_root / self.run_id / name
        make_private(work_dir)
        try:
            return remove_orphaned_users(
                Context(
                    bundle=Bundle(work_dir / self.run_id),
                    bundle_uri="",
                    target_name=name,
                    load_target=self.load_target,
                    history_url=self.history_url,
                    work_dir=work_dir,
                    owner=self.owner,
                )
            )
        finally:
            shutil.rmtree(work_dir.parent, ignore_errors=True)

    def remove_locks(self, older_than_s: float) -> str:
        """From the history."""
        locks, waiters = remove_dead_locks(history.connect(self.history_url), older_than_s)
        return f"history: {locks} expired locks and {waiters} dead waiters removed"

    def remove_folders(self, older_than_s: float) -> str:
        """From this machine: other workers have folders of their own."""
        held = held_run_ids(history.connect(self.history_url))
        try:
            removed = remove_work_folders(self.work_root, held, older_than_s, time.time())
        except OSError as error:
            raise InfrastructureError(f"{self.work_root}: a work folder could not be removed: {error}") from error
        names = f": {', '.join(removed)}" if removed else ""
        return f"{self.work_root}: {len(removed)} work folders of ended runs removed{names}"


def remove_orphaned_users(context: Context) -> str:
    """Remove all test users, of whichever run, with their rows from a target that nobody holds; returns a line.

    The target is held meanwhile, as by a run; it is not waited for. Users that a run makes later are not touched.
    Raises ConfigError or InfrastructureError as `cleanup_users` does.
    """
    name = context.target_name
    if context.target.database_url is None:
        return f"target {name}: its database is not configured, so no test user can have been made there"
    production = production_hosts(context.target)
    if production:
        return f"target {name}: skipped, since {', '.join(production)} is production's (production_hosts)"
    try:
        take_lease(context)
    except TargetHeldError as held:
        return f"target {name}: skipped, since somebody has it: {held}"
    try:
        with kept_lease(context, STAGE):
            result = cleanup_users(context.target, None, on_progress=LOG.info)
    finally:
        free_target(context)
    return f"target {name}: {'; '.join(result.lines())}"


def remove_work_folders(root: Path, held: Collection[str], older_than_s: float, now_s: float) -> list[str]:
    """Remove folders with tokens, and copies of bundles, in which nothing was written for so long; returns their names.

    Folders of runs that hold a target stay. Symbolic links are neither followed nor removed. Raises ConfigError where
    the root itself is a link or another user's.
    """
    if not root.exists() and not root.is_symlink():
        return []
    if root.is_symlink() or root.lstat().st_uid != os.getuid():
        raise ConfigError(f"{root}: is not this user's own folder, so nothing in it is removed; look who made it")
    removed = []
    for folder in sorted(_work_folders(root)):
        inside = {folder.name, *(path.name for path in folder.iterdir())}
        if not inside & set(held) and now_s - _last_written_s(folder) > older_than_s:
            shutil.rmtree(folder)
            removed.append(str(folder.relative_to(root)))
    return removed


def _work_folders(root: Path) -> Iterator[Path]:
    for path in root.iterdir():
        if path.is_symlink() or not path.is_dir():
            continue
        if path.name != COPIES:
            yield path
            continue
        yield from (copy for copy in path.iterdir() if copy.is_dir() and not copy.is_symlink())


def _last_written_s(folder: Path) -> float:
    """The latest change of the folder or of anything below it, in seconds since 1970."""
    paths = [folder, *(Path(parent) / name for parent, folders, files in os.walk(folder) for name in folders + files)]
    return max(path.lstat().st_mtime for path in paths)
