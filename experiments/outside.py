"""Faults around a run: the target's servers, the history's database and the results' disk fail in mid-load."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2

from experiments.aftermath import GREEN, NONE, Expected
from experiments.claims import Say
from experiments.environment import Environment
from experiments.scheduled import INCONCLUSIVE, LONG_DURATION_S, TEST_USERS, Case, load_of
from include.embedded.airflow import HISTORY_DATABASE
from include.loadtest.errors import ConfigError

DISK_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 4096


@contextmanager
def _in_mid_load(environment: Environment, say: Say, action: Callable[[], None]) -> Iterator[None]:
    """Do something as soon as the run in this block has written its first samples. Raises where that did not come."""
    before, done = environment.bundles(), threading.Event()

    def watch() -> None:
        if load_of(environment, before) is not None:
            action()
            done.set()
            say("the fault is there")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    yield
    watcher.join(timeout=1)
    if not done.is_set():
        raise RuntimeError("no load began, so the fault did not happen")


@contextmanager
def _killed(environment: Environment, say: Say, pid: int) -> Iterator[None]:
    with _in_mid_load(environment, say, lambda: os.kill(pid, signal.SIGKILL)):
        yield
    environment.down()
    environment.up()


@contextmanager
def redis_killed(environment: Environment, say: Say) -> Iterator[None]:
    """The target's Redis dies; the target is started anew afterwards."""
    with _killed(environment, say, environment.target_redis().pid):
        yield


@contextmanager
def redis_frozen(environment: Environment, say: Say) -> Iterator[None]:
    """The target's Redis accepts and does not answer any more, until the run has ended."""
    pid = environment.target_redis().pid
    try:
        with _in_mid_load(environment, say, lambda: os.kill(pid, signal.SIGSTOP)):
            yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def postgres_killed(environment: Environment, say: Say) -> Iterator[None]:
    """The target's PostgreSQL dies; both are started anew afterwards, so that what is left can be counted."""
    with _killed(environment, say, environment.target_postgres().pid):
        yield


@contextmanager
def history_refuses(environment: Environment, say: Say) -> Iterator[None]:
    """The history's database takes no connection from the middle of the load to the end of the run."""
    url = environment.admin_url
    try:
        with _in_mid_load(environment, say, lambda: _allow(url, False)):
            yield
    finally:
        _allow(url, True)


@contextmanager
def lock_expired(environment: Environment, say: Say) -> Iterator[None]:
    """Stands for the time that a lock needs to expire: nobody could release it."""
    del say
    with psycopg2.connect(environment.history_url) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE loadtest.target_lock SET expires = now()")
    connection.close()
    yield


def _allow(url: str, allowed: bool) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {HISTORY_DATABASE} ALLOW_CONNECTIONS {'true' if allowed else 'false'}")
            if not allowed:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (HISTORY_DATABASE,)
                )
    finally:
        connection.close()


@contextmanager
def results_not_writable(environment: Environment, say: Say) -> Iterator[None]:
    """A regular file stands where the results' folder should be: nothing can be made below it, by root neither."""
    del say
    aside = environment.results.with_name("results_aside")
    environment.results.rename(aside)
    environment.results.write_text("no folder\n")
    try:
        yield
    finally:
        environment.results.unlink()
        aside.rename(environment.results)


@contextmanager
def disk_full(environment: Environment, say: Say) -> Iterator[None]:
    """The results lie on a small disk that another program fills in mid-load. Needs root, for the mount."""
    options = f"size={DISK_BYTES}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "loadtest-prove", str(environment.results)], check=True)
    try:
        with _in_mid_load(environment, say, lambda: _fill(environment.results / "filler")):
            yield
    finally:
        subprocess.run(["umount", "-l", str(environment.results)], check=True)


def _fill(path: Path) -> None:
    with suppress(OSError), path.open("wb", buffering=0) as file:
        for _ in range(DISK_BYTES // CHUNK_BYTES + 1):
            file.write(b"\0" * CHUNK_BYTES)


def may_mount() -> bool:
    """Whether this process may mount a disk."""
    return os.geteuid() == 0


def cases() -> list[Case]:
    """All of them, in an order in which each leaves an environment that the next can use."""
    found = [
        Case("the target's Redis frozen in mid-load", Expected(("SLA_BREACH",)), around=redis_frozen),
        Case("the target's Redis killed in mid-load", Expected((*GREEN, "SLA_BREACH")), around=redis_killed),
        Case(
            "the target's PostgreSQL killed in mid-load; the next seeding removes the users",
            Expected(("SLA_BREACH",), users=TEST_USERS),
            around=postgres_killed,
        ),
        Case(
            "the history's database refuses connections from mid-load on; the lock expires by itself",
            Expected(GREEN, locks=1),
            around=history_refuses,
        ),
        Case(
            "the results' folder cannot be written (run after a lock expired)",
            Expected((NONE,), samples=False, report=False),
            around=_after_lock_expired,
        ),
    ]
    if may_mount():
        found.append(
            Case(
                "the results' disk is full from mid-load on",
                Expected((NONE, *INCONCLUSIVE), report=None),
                around=disk_full,
            )
        )
    return [Case(one.claim, one.expected, None, one.around, LONG_DURATION_S) for one in found]


@contextmanager
def _after_lock_expired(environment: Environment, say: Say) -> Iterator[None]:
    with lock_expired(environment, say), results_not_writable(environment, say):
        yield


def require_root(say: Say) -> None:
    """Say what is left out without root."""
    if not may_mount():
        say(str(ConfigError("the results' disk that is full needs root (a mount): not run")))
