"""What spoils a test from outside while its load runs: hogs, a second load, dead monitors, a dead target."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil

from experiments.profiles import load_began_s
from tests.helpers.demo import DemoTarget, stop_servers

Sabotage = Callable[[threading.Event], None]
"""Runs beside the load, from its first intended start on; ends soon after the event is set."""
HOGS, LOW_RANK = 4, 12
_BUSY = "while True: pass"
FOREIGN_A_SECOND = 10


@contextmanager
def during_load(bundle: Path, sabotage: Sabotage | None) -> Iterator[None]:
    """Start it when the load of that bundle begins; within the block the run takes place."""
    ended = threading.Event()

    def wait() -> None:
        if sabotage is not None and load_began_s(bundle, ended) is not None:
            sabotage(ended)

    thread = threading.Thread(target=wait, name="sabotage")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def own_processes(program: str) -> list[psutil.Process]:
    """Processes started by this one whose command line names that program."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if any(program in word for word in process.cmdline()):
                found.append(process)
    return found


def hog_generator(ended: threading.Event, hogs: int = HOGS) -> None:
    """Busy processes on the generator's one core, which gets the CPU last, as a container with few shares does."""
    core = max(os.sched_getaffinity(0))
    for process in own_processes("locustfiles/pratikoai.py"):
        _put_last(process, core)
    busy = [subprocess.Popen([sys.executable, "-c", _BUSY], start_new_session=True) for _ in range(hogs)]
    try:
        for hog in busy:
            os.sched_setaffinity(hog.pid, {core})
        ended.wait()
    finally:
        for hog in busy:
            hog.kill()
            hog.wait()


def _put_last(process: psutil.Process, core: int) -> None:
    """A rank below that of the hogs, as of a session where the kernel shares time out by sessions, on one core.

    Needs no privilege. Linux: man 7 sched, "The autogroup feature". At the lowest rank of all the generator would not
    even end in time.
    """
    try:
        Path(f"/proc/{process.pid}/autogroup").write_text(str(LOW_RANK), encoding="ascii")
    except OSError:
        process.nice(LOW_RANK)
    for thread in process.threads():
        with suppress(OSError):
            os.sched_setaffinity(thread.id, {core})


def second_load(base_url: str) -> Sabotage:
    """Requests of somebody else."""

    def send(ended: threading.Event) -> None:
        with httpx.Client(base_url=base_url, trust_env=False, timeout=10) as client:
            while not ended.wait(1 / FOREIGN_A_SECOND):
                with suppress(httpx.HTTPError):
                    client.get("/api/v1/settings")

    return send


def kill_monitors(after_s: float) -> Sabotage:
    """The collectors' process is killed."""

    def kill(ended: threading.Event) -> None:
        if not ended.wait(after_s):
            for process in own_processes("include.loadtest.collectors"):
                process.kill()

    return kill


def kill_target(demo: DemoTarget, after_s: float) -> Sabotage:
    """The application and its servers, which are what the monitors read."""

    def kill(ended: threading.Event) -> None:
        if not ended.wait(after_s):
            with suppress(ProcessLookupError):
                os.kill(demo.pid, signal.SIGKILL)
            time.sleep(0.2)
            stop_servers(demo.state)

    return kill
