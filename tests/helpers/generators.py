"""Several generators of one load on this machine, without Airflow: a master, and each other one in a thread."""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.locust import run_locust, run_member
from include.loadtest.runners.process import plan_file

POLL_S = 0.02


@dataclass
class SharedLoad:
    """One load of `request.profile.generators` generators, of which those in `without` do not come.

    `exits`: exit codes of the others by their names, when they have ended.
    """

    request: LoadRequest
    without: Collection[int] = ()
    exits: dict[str, int] = field(default_factory=dict)
    listening: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def send(
        self, on_progress: Callable[[str], None] = print, stop_requested: Callable[[], bool] = lambda: False
    ) -> LoadResult:
        """Send it and wait until all have ended."""
        try:
            return run_locust(replace(self.request, on_listening=self._start), on_progress, stop_requested)
        finally:
            for thread in self._threads:
                thread.join(30)

    def _start(self, address: str) -> None:
        profile = self.request.profile
        for number in range(1, profile.generators + 1):
            if number in self.without:
                continue
            numbers = profile.share_of(self.request.user_numbers, number)
            own = replace(self.request, worker=f"w{number}", master=address, user_numbers=numbers)
            self._threads.append(threading.Thread(target=self._be, args=(own,), daemon=True))
            self._threads[-1].start()
        self.listening.set()

    def _be(self, own: LoadRequest) -> None:
        self.exits[own.worker] = run_member(own, print)

    def processes(self) -> list[psutil.Process]:
        """Its processes that live, the master's too."""
        names = {plan_file(f"w{number}") for number in range(self.request.profile.generators + 1)}
        plans = {str(self.request.work_dir / name) for name in names}
        return [process for process, plan in _plans() if plan in plans]

    def process(self, worker: str) -> psutil.Process:
        """The process of one of them. Raises StopIteration where it does not live."""
        return process_of(self.request.work_dir, worker)


def process_of(work_dir: Path, worker: str) -> psutil.Process:
    """The process of a generator whose private folder that is. Raises StopIteration where it does not live."""
    wanted = str(work_dir / plan_file(worker))
    return next(process for process, plan in _plans() if plan == wanted)


def _plans() -> Iterator[tuple[psutil.Process, str]]:
    for process in psutil.process_iter(["cmdline"]):
        if "locust" in (process.info["cmdline"] or ()):
            try:
                yield process, process.environ().get("LOADTEST_PLAN", "")
            except psutil.Error:
                continue


def wait_until(is_so: Callable[[], bool], within_s: float) -> float:
    """Wait for something; returns the seconds that it took. Raises TimeoutError."""
    began_s = time.monotonic()
    while not is_so():
        if time.monotonic() - began_s > within_s:
            raise TimeoutError(f"not within {within_s:g} s")
        time.sleep(POLL_S)
    return time.monotonic() - began_s
