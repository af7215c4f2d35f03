"""Reads this machine, with psutil and the kernel's own files."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from include.loadtest.collectors.plan import HostSource
from include.loadtest.collectors.reader import labelled
from include.loadtest.collectors.sockets import PROC
from include.loadtest.machine import ThrottledRate

PRESSURES = ("cpu", "memory", "io")
_NO_DISKS = ("loop", "ram", "zram", "fd", "sr")
"""Block devices that are memory, files of another disk, or have no medium."""


class HostReader:
    """CPU, memory, load, disks, network and processes of this machine.

    Shares, and what ends in `_per_s`, are means since the last reading; counters are the kernel's, since its start.
    Bytes read from and written to disks are of all disks together, `disk_busy_pct` of the busiest one. Pressure is the
    share of time in which some task waited for the resource. `disk` is a folder on the results' disk. What the machine
    does not say is absent.
    """

    def __init__(self, plan: HostSource, disk: Path | None = None) -> None:
        self.source, self.instance = plan.source, plan.instance
        self._disk = disk
        # Not psutil's own percentages: it keeps their intervals by thread, and the thread that reads is another one.
        self._cpu_times = psutil.cpu_times()
        self._core_times = psutil.cpu_times(percpu=True)
        self._throttled = ThrottledRate()
        self._counters, self._at_s = rising_counters(), time.monotonic()

    def read(self) -> dict[str, float]:
        """One reading."""
        memory = psutil.virtual_memory()
        load_1m, load_5m, load_15m = psutil.getloadavg()
        values = {
            "memory_pct": memory.percent,
            "memory_used_bytes": float(memory.used),
            "memory_total_bytes": float(memory.total),
            "memory_available_bytes": float(memory.available),
            "swap_used_bytes": float(psutil.swap_memory().used),
            "load_1m": load_1m,
            "load_5m": load_5m,
            "load_15m": load_15m,
            "process_count": float(len(psutil.pids())),
        }
        return values | self._cpu() | self._disks() | self._rates() | kernel_counters()

    def _cpu(self) -> dict[str, float]:
        """Busy time, time that another machine got instead, and time for which the container's quota held it back."""
        before, self._cpu_times = self._cpu_times, psutil.cpu_times()
        before_cores, self._core_times = self._core_times, psutil.cpu_times(percpu=True)
        values = shares_pct(before._asdict(), self._cpu_times._asdict())
        values["cores"] = float(len(self._core_times))
        values |= cores_pct(
            [times._asdict() for times in before_cores], [times._asdict() for times in self._core_times]
        )
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

    def _rates(self) -> dict[str, float]:
        before, before_s = self._counters, self._at_s
        self._counters, self._at_s = rising_counters(), time.monotonic()
        return rates(before, self._counters, self._at_s - before_s)

    def close(self) -> None:
        """Nothing is held."""


def shares_pct(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Busy, stolen and disk-waiting share of the CPU time between two readings of psutil.cpu_times(); {} for no time.

    Busy is all but idle and waiting for disks, as in psutil and top; guests' time is part of user time.
    """
    spent = {name: max(0.0, after[name] - before[name]) for name in after if name not in ("guest", "guest_nice")}
    total = sum(spent.values())
    if total <= 0:
        return {}
    shares = {"cpu_pct": 100 * (1 - (spent["idle"] + spent.get("iowait", 0.0)) / total)}
    named = {"steal": "cpu_steal_pct", "iowait": "cpu_iowait_pct"}
    return shares | {metric: 100 * spent[name] / total for name, metric in named.items() if name in spent}


def cores_pct(before: Sequence[Mapping[str, float]], after: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Busy share of each core, by its number; {} where a core has come or gone."""
    if len(before) != len(after):
        return {}
    shares = [shares_pct(old, new).get("cpu_pct") for old, new in zip(before, after, strict=True)]
    return {
        labelled("cpu_core_pct", "core", str(number)): share for number, share in enumerate(shares) if share is not None
    }


def rising_counters() -> dict[str, float]:
    """What is read as a rate: bytes of disks and network, ms for which each disk was busy, µs of pressure."""
    counters: dict[str, float] = {}
    disks = psutil.disk_io_counters()
    if disks is not None:
        counters["disk_read_bytes_per_s"] = float(disks.read_bytes)
        counters["disk_written_bytes_per_s"] = float(disks.write_bytes)
    for name, disk in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if not name.startswith(_NO_DISKS) and hasattr(disk, "busy_time"):
            counters[labelled("disk_busy_pct", "disk", name)] = float(disk.busy_time)
    links = [link for name, link in psutil.net_io_counters(pernic=True).items() if not name.startswith("lo")]
    if links:
        counters["network_received_bytes_per_s"] = float(sum(link.bytes_recv for link in links))
        counters["network_sent_bytes_per_s"] = float(sum(link.bytes_sent for link in links))
    return counters | {f"{name}_pressure_pct": us for name in PRESSURES if (us := _pressure_us(name)) is not None}


def rates(before: Mapping[str, float], after: Mapping[str, float], elapsed_s: float) -> dict[str, float]:
    """The rates between two readings of `rising_counters`; one that fell, or is new, has none."""
    gained = {name: after[name] - before[name] for name in after if name in before and after[name] >= before[name]}
    if elapsed_s <= 0:
        return {}
    values = {name: gain / elapsed_s for name, gain in gained.items() if name.endswith("_per_s")}
    values |= {name: min(100.0, gain / elapsed_s / 1e4) for name, gain in gained.items() if "_pressure_" in name}
    busy_ms = [gain for name, gain in gained.items() if name.startswith("disk_busy_pct")]
    return values | ({"disk_busy_pct": min(100.0, max(busy_ms) / elapsed_s / 10)} if busy_ms else {})


def _pressure_us(resource: str) -> float | None:
    """Time in which some task waited for the resource, by Linux' accounting/psi; None where that is switched off."""
    try:
        some = (PROC / "pressure" / resource).read_text(encoding="ascii").split("\n", 1)[0]
        return float(some.rpartition("total=")[2])
    except (OSError, ValueError):
        return None


def kernel_counters() -> dict[str, float]:
    """TCP segments sent again, and processes killed for want of memory, since the kernel's start."""
    found = {
        "tcp_retransmits": _table_value(PROC / "net" / "snmp", "Tcp:", "RetransSegs"),
        "oom_kills": _line_value(PROC / "vmstat", "oom_kill"),
    }
    return {name: value for name, value in found.items() if value is not None}


def _table_value(file: Path, row: str, column: str) -> float | None:
    """A value of a file of pairs of lines: names, then numbers."""
    try:
        lines = [line.split() for line in file.read_text(encoding="ascii").splitlines() if line.startswith(row)]
        return float(dict(zip(*lines, strict=True))[column])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _line_value(file: Path, name: str) -> float | None:
    try:
        text = file.read_text(encoding="ascii")
    except OSError:
        return None
    begin = f"{name} "
    found = (line.partition(" ")[2] for line in text.splitlines() if line.startswith(begin))
    return next((float(value) for value in found), None)
