"""Reads the target's own processes, where they run on this machine."""

import logging
import time
from collections.abc import Sequence

import psutil

from include.loadtest.collectors.plan import Listener, ProcessSource
from include.loadtest.collectors.reader import ReadingError
from include.loadtest.collectors.target_processes import (
    TICKS_PER_S,
    ProcessState,
    ServerProcesses,
    cpu_between_s,
    memory_bytes,
)

LOG = logging.getLogger("loadtest.collectors")


class Group:
    """The processes of one server, with what they had used at the last reading."""

    def __init__(self, name: str, listener: Listener) -> None:
        self.name, self._where = name, listener.text
        self._processes = ServerProcesses(listener)
        self._before: Sequence[ProcessState] = ()
        self._before_s = 0.0
        self._seen = self._told = False

    def read(self) -> tuple[Sequence[ProcessState], dict[int, float]]:
        """The processes now, and by id the cores that each kept busy since the last reading ({} at the first)."""
        states, now_s = self._processes.read(), time.clock_gettime(time.CLOCK_BOOTTIME)  # as the kernel dates processes
        before, before_s = self._before, self._before_s
        self._before, self._before_s = states, now_s
        if not states:
            self._miss()
        self._seen = self._seen or bool(states)
        if not before or now_s <= before_s:
            return states, {}
        spent = cpu_between_s(before, states, since_ticks=before_s * TICKS_PER_S)
        return states, {pid: seconds / (now_s - before_s) for pid, seconds in spent.items()}

    def _miss(self) -> None:
        """Raises ReadingError where it was there before; else it is told once that it cannot be read."""
        if self._seen:
            raise ReadingError(f"nobody serves {self._where} any more")
        if not self._told:
            who = self._processes.forwarder
            reason = f"{who} forwards it" if who else "nobody who may be seen from here serves it"
            LOG.info("process: %s is not read: %s: %s", self.name, self._where, reason)
        self._told = True


class ProcessReader:
    """CPU, memory and threads of the application, PostgreSQL and Redis, all processes of each together.

    CPU is in cores: seconds of CPU time a second, the mean since the last reading. `app_start_time_s` is the start of
    the oldest process in seconds since 1970: it changes with a restart.
    """

    source = "process"

    def __init__(self, plan: ProcessSource) -> None:
        self.instance = plan.instance
        self._app = Group("the application", plan.app)
        named = {"postgres": ("PostgreSQL", plan.postgres), "redis": ("Redis", plan.redis)}
        self._servers = {prefix: Group(name, where) for prefix, (name, where) in named.items() if where}
        self._boot_s = psutil.boot_time()

    def read(self) -> dict[str, float]:
        """One reading. Raises ReadingError where a server has gone, with what the others gave."""
        values: dict[str, float] = {}
        problems = []
        for prefix, group in {"app": self._app, **self._servers}.items():
            try:
                values |= self._figures(prefix, *group.read())
            except ReadingError as error:
                problems.append(f"{group.name}: {error}")
        if problems:
            raise ReadingError("; ".join(problems), values)
        return values

    def _figures(self, prefix: str, states: Sequence[ProcessState], cores: dict[int, float]) -> dict[str, float]:
        if not states:
            return {}
        values = {f"{prefix}_rss_bytes": memory_bytes(states)}
        if cores:
            values[f"{prefix}_cpu_cores"] = sum(cores.values())
        if prefix == "app":
            values["app_processes"] = float(len(states))
            values["app_threads"] = float(sum(state.threads for state in states))
            values["app_start_time_s"] = self._boot_s + min(state.started_ticks for state in states) / TICKS_PER_S
            if cores:
                values["app_busiest_process_cpu_cores"] = max(cores.values())
        return values

    def close(self) -> None:
        """Nothing is held."""
