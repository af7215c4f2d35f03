"""Reads this machine with psutil."""

from collections.abc import Mapping
from pathlib import Path

import psutil

from include.loadtest.collectors.plan import HostSource
from include.loadtest.machine import ThrottledRate


class HostReader:
    """CPU, memory, load, disk and processes of this machine.

    CPU figures are means since the last reading. Bytes read from and written to disks are the kernel's counters since
    its start, all disks together. `disk` is a folder on the results' disk. What the machine does not say is absent.
    """

    def __init__(self, plan: HostSource, disk: Path | None = None) -> None:
        self.source, self.instance = plan.source, plan.instance
        self._disk = disk
        # Not psutil's own percentages: it keeps their intervals by thread, and the thread that reads is another one.
        self._cpu_times = psutil.cpu_times()
        self._throttled = ThrottledRate()

    def read(self) -> dict[str, float]:
        """One reading."""
        memory = psutil.virtual_memory()
        load_1m, load_5m, load_15m = psutil.getloadavg()
        values = {
            "memory_pct": memory.percent,
            "memory_used_bytes": float(memory.used),
            "load_1m": load_1m,
            "load_5m": load_5m,
            "load_15m": load_15m,
            "process_count": float(len(psutil.pids())),
        }
        return values | self._cpu() | self._disks()

    def _cpu(self) -> dict[str, float]:
        """Busy time, time that another machine got instead, and time for which the container's quota held it back."""
        before, self._cpu_times = self._cpu_times, psutil.cpu_times()
        values = shares_pct(before._asdict(), self._cpu_times._asdict())
        throttled_ms_per_s = self._throttled.read()
        return values if throttled_ms_per_s is None else values | {"cpu_throttled_ms_per_s": throttled_ms_per_s}

    def _disks(self) -> dict[str, float]:
        values: dict[str, float] = {}
        counters = psutil.disk_io_counters()
        if counters is not None:
            values["disk_read_bytes"] = float(counters.read_bytes)
            values["disk_written_bytes"] = float(counters.write_bytes)
        if self._disk is not None:
            usage = psutil.disk_usage(str(self._disk))
            values["results_disk_free_bytes"] = float(usage.free)
            values["results_disk_used_pct"] = usage.percent
        return values

    def close(self) -> None:
        """Nothing is held."""


def shares_pct(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Busy and stolen share of all CPU time between two readings of psutil.cpu_times(); {} where no time has passed.

    Busy is all but idle and waiting for disks, as in psutil and top; guests' time is part of user time.
    """
    spent = {name: max(0.0, after[name] - before[name]) for name in after if name not in ("guest", "guest_nice")}
    total = sum(spent.values())
    if total <= 0:
        return {}
    shares = {"cpu_pct": 100 * (1 - (spent["idle"] + spent.get("iowait", 0.0)) / total)}
    if "steal" in spent:
        shares["cpu_steal_pct"] = 100 * spent["steal"] / total
    return shares
