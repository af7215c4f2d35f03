"""Reads the control group, so the container, of the application's processes, where they run on this machine."""

import logging
import time
from pathlib import Path

from include.loadtest.collectors.cgroups import Limits, folders_of, hierarchies, limits_of
from include.loadtest.collectors.plan import ContainerSource
from include.loadtest.collectors.sockets import PROC
from include.loadtest.collectors.target_processes import ServerProcesses

LOG = logging.getLogger("loadtest.collectors")


class ContainerReader:
    """Limits, memory, throttling and OOM kills of the group of the application's oldest process.

    Where that is the machine's own group without any limit there is nothing to read: a whole machine is no container.
    """

    source = "container"

    def __init__(self, plan: ContainerSource) -> None:
        self.instance = plan.instance
        self._processes = ServerProcesses(plan.app)
        self._trees = hierarchies()
        self._before: tuple[Path | None, float, float] | None = None
        self._told = False

    def read(self) -> dict[str, float]:
        """One reading."""
        oldest = self._processes.oldest()
        if oldest is None:
            return {}
        try:
            membership = (PROC / str(oldest.pid) / "cgroup").read_text(encoding="utf-8")
        except OSError:
            return {}
        folders = folders_of(membership, self._trees)
        limits = limits_of(folders)
        is_root = all(len(path) == 1 for path in folders.values())
        if is_root and limits.cpu_cores is None and limits.memory_limit_bytes is None:
            self._tell()
            return {}
        return _figures(limits) | self._throttled(folders.get("cpu", [None])[0], limits.throttled_ms)

    def _tell(self) -> None:
        if not self._told:
            LOG.info("container: not read: the application is in no control group of its own")
        self._told = True

    def _throttled(self, group: Path | None, now_ms: float | None) -> dict[str, float]:
        """How long the quota held the group back since the last reading, in ms a second."""
        before, now_s = self._before, time.monotonic()
        self._before = None if now_ms is None else (group, now_ms, now_s)
        if before is None or now_ms is None or before[0] != group or now_ms < before[1]:
            return {}
        return {"container_cpu_throttled_ms_per_s": (now_ms - before[1]) / (now_s - before[2])}

    def close(self) -> None:
        """Nothing is held."""


def _figures(limits: Limits) -> dict[str, float]:
    values = {
        "container_cpu_limit_cores": limits.cpu_cores,
        "container_memory_bytes": limits.memory_bytes,
        "container_memory_limit_bytes": limits.memory_limit_bytes,
        "container_oom_kills": limits.oom_kills,
    }
    return {name: value for name, value in values.items() if value is not None}
