"""What the kernel of this machine says of this process, and what the programs that it starts get to know."""

import hashlib
import ipaddress
import os
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


def child_environment() -> dict[str, str]:
    """All that a program gets of this process's environment, which may hold secrets."""
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


@dataclass(frozen=True)
class ControlGroup:
    """The group that shares out CPU time to this process: `place` below `root`, as one version of cgroups has it.

    A container sees its own group as the root.
    """

    root: Path
    place: str
    version: int


def cpu_groups() -> Iterator[ControlGroup]:
    """This process's groups, by Linux' admin-guide/cgroup-v2 and cgroup-v1; none where there are no such groups."""
    try:
        lines = OWN_CGROUPS.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, place = (*line.split(":", 2), "", "")[:3]
        if not controllers:
            yield ControlGroup(CGROUPS, place, 2)
        elif "cpu" in controllers.split(","):
            yield ControlGroup(CGROUPS / "cpu", place, 1)


def throttled_ms() -> float | None:
    """Time for which the CPU quota of the own control group (its container's) held it back, in ms since its start.

    None where there is no such group or it has no such counter: `cpu.stat` of version 2 (µs) or version 1 (ns), see
    Linux' admin-guide/cgroup-v2 and scheduler/sched-bwc.
    """
    files = (
        folder / "cpu.stat" for group in cpu_groups() for folder in (group.root / group.place.lstrip("/"), group.root)
    )
    for file in files:
        try:
            counters = dict(line.split(maxsplit=1) for line in file.read_text(encoding="utf-8").splitlines())
            if "throttled_usec" in counters:
                return float(counters["throttled_usec"]) / 1e3
            if "throttled_time" in counters:
                return float(counters["throttled_time"]) / 1e6
        except (OSError, ValueError):
            continue
    return None


def is_own_address(address: str) -> bool:
    """Whether an IP address is one of this machine's."""
    own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    try:
        return address in own or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


PROBES = 15
_PROBE_ROUNDS = 20_000


def cpu_probe_ms() -> float:
    """How long a fixed piece of work takes on this machine now, in ms: the median of 15 key derivations in a row.

    They use one core and no memory to speak of, and take a fifth of a second in all. A CPU that is slow, or shared with
    somebody, shows here whatever the product does.
    """
    times_ms = []
    for _ in range(PROBES):
        began_ns = time.perf_counter_ns()
        hashlib.pbkdf2_hmac("sha256", b"probe", b"probe", _PROBE_ROUNDS)
        times_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
    return statistics.median(times_ms)


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
