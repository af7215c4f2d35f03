"""What the kernel of this machine says of the group of processes that this one belongs to."""

import time
from collections.abc import Iterator
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def throttled_ms() -> float | None:
    """Time for which the CPU quota of the own control group (its container's) held it back, in ms since its start.

    None where there is no such group or it has no such counter: `cpu.stat` of version 2 (µs) or version 1 (ns), see
    Linux' admin-guide/cgroup-v2 and scheduler/sched-bwc.
    """
    for file in _cpu_stat_files():
        try:
            counters = dict(line.split(maxsplit=1) for line in file.read_text(encoding="utf-8").splitlines())
            if "throttled_usec" in counters:
                return float(counters["throttled_usec"]) / 1e3
            if "throttled_time" in counters:
                return float(counters["throttled_time"]) / 1e6
        except (OSError, ValueError):
            continue
    return None


def _cpu_stat_files() -> Iterator[Path]:
    """Where the group's counters may be; inside a container its own group is the root of what is seen."""
    try:
        lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if not controllers or "cpu" in controllers.split(","):
            root = CGROUPS / "cpu" if controllers else CGROUPS
            yield root / place.lstrip("/") / "cpu.stat"
            yield root / "cpu.stat"


class ThrottledRate:
    """How long the quota held this machine's group back since the last reading, in ms a second."""

    def __init__(self) -> None:
        self._before, self._at_s = throttled_ms(), time.monotonic()

    def read(self) -> float | None:
        """The rate since the last call; None where it is not known."""
        now_ms, now_s = throttled_ms(), time.monotonic()
        before_ms, elapsed_s = self._before, now_s - self._at_s
        self._before, self._at_s = now_ms, now_s
        if now_ms is None or before_ms is None or now_ms < before_ms or elapsed_s <= 0:
            return None
        return (now_ms - before_ms) / elapsed_s
