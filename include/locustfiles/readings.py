"""What a generator says of itself, whichever engine it is: readings, a line of progress, its account of the load."""

import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from include.loadtest.machine import throttled_ms
from include.loadtest.recorder import Sample
from include.locustfiles.stopping import Ended

FLUSH_INTERVAL_S = 3.0
PROGRESS_INTERVAL_S = 10.0
UNITS = {
    "users": "users",
    "cpu_pct": "%",
    "loop_lag_ms": "ms",
    "memory_bytes": "bytes",
    "open_files": "files",
    "run_queue_wait_ms_per_s": "ms/s",
    "cpu_throttled_ms_per_s": "ms/s",
    "clock_step_ms": "ms",
}
"""Unit of each reading of the generator."""

NOT_JUDGED = "answered, but its scenario failed before it judged the answer"
"""What a censored request is called that has an answer."""


def main_thread() -> Iterable[Path]:
    """The scheduler's account of this process's main thread, in which all of Locust's users live."""
    return (Path("/proc/self/schedstat"),)


class Clock:
    """Wall-clock times from one monotonic clock, so that a clock step during the run moves no sample."""

    def __init__(self) -> None:
        self._wall_ns = self._own_ns = time.time_ns() - time.perf_counter_ns()
        self.load_started_ns: int | None = None

    def adopt(self, offset_ns: int) -> None:
        """Give all times by another machine's clock from now on, which is so much ahead of this one's."""
        self._wall_ns = self._own_ns + offset_ns

    def own_wall_ns(self, monotonic_ns: int) -> int:
        """As `wall_ns`, by this machine's own clock."""
        return self._own_ns + monotonic_ns

    def monotonic_ns(self, wall_ns: int) -> int:
        """The reading of `perf_counter_ns` at such a time."""
        return wall_ns - self._wall_ns

    def wall_ns(self, monotonic_ns: int) -> int:
        """Nanoseconds since the epoch of a reading of `perf_counter_ns`."""
        return self._wall_ns + monotonic_ns

    def step_ms(self) -> float:
        """By how much the wall clock has left the monotonic one since this clock began, in ms; 0: nobody set it."""
        return (time.time_ns() - self.own_wall_ns(time.perf_counter_ns())) / 1e6

    def offset_s(self, monotonic_ns: int) -> float:
        """Seconds since the first intended start; negative before the load began."""
        return -1.0 if self.load_started_ns is None else (monotonic_ns - self.load_started_ns) / 1e9


class Withheld:
    """CPU time that the kernel made a process wait for, in ms a second since the last reading.

    `run_queue_wait_ms_per_s`: threads that could run, and no core was free (Linux' scheduler/sched-stats), on average
    over the `cores` that the process can use at once. `cpu_throttled_ms_per_s`: the CPU quota of its control group held
    it back. What the kernel does not say is absent. `schedstats`: gives the files of the threads that count.
    """

    def __init__(self, schedstats: Callable[[], Iterable[Path]] = main_thread, cores: int = 1) -> None:
        self._schedstats, self._cores = schedstats, cores
        self._before, self._at_s = self._waited_ms(), time.monotonic()

    def read(self) -> dict[str, float]:
        """The rates since the last call."""
        now, now_s = self._waited_ms(), time.monotonic()
        before, elapsed_s = self._before, now_s - self._at_s
        self._before, self._at_s = now, now_s
        return {
            metric: (waited_ms - before[metric]) / elapsed_s
            for metric, waited_ms in now.items()
            if metric in before and waited_ms >= before[metric] and elapsed_s > 0
        }

    def _waited_ms(self) -> dict[str, float]:
        """Milliseconds since the process's start, by the metric that is their rate."""
        waited: dict[str, float] = {}
        waits_ns = [wait_ns for file in self._schedstats() if (wait_ns := _wait_ns(file)) is not None]
        if waits_ns:
            waited["run_queue_wait_ms_per_s"] = sum(waits_ns) / 1e6 / self._cores
        held_back_ms = throttled_ms()
        if held_back_ms is not None:
            waited["cpu_throttled_ms_per_s"] = held_back_ms
        return waited


def _wait_ns(schedstat: Path) -> int | None:
    try:
        return int(schedstat.read_text(encoding="utf-8").split()[1])
    except (OSError, ValueError, IndexError):
        return None


def write_state(bundle: Path, worker: str, **state: object) -> None:
    """The generator's own account of the run, for the process that watches it."""
    path = bundle / f"generator-{worker}.json"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(state), encoding="utf-8")
    temporary.replace(path)


class Window:
    """What ended since the last line of progress."""

    def __init__(self) -> None:
        self._ended: list[tuple[bool, int]] = []

    def note(self, sample: Sample | Ended) -> None:
        """A request ended."""
        self._ended.append((sample.outcome == "ok", sample.latency_us))

    def line(self, load: str, offset_s: float, load_s: float) -> str:
        """What happened in the last 10 s, for people who wait; `load` says who is at work."""
        ended, self._ended = self._ended, []
        left_s = max(0.0, load_s - offset_s)
        rate_rpm = len(ended) * 60 / PROGRESS_INTERVAL_S
        times_us = sorted(latency_us for ok, latency_us in ended if ok)
        p95 = f"{times_us[math.ceil(0.95 * len(times_us)) - 1] / 1000:,.0f} ms" if times_us else "no answer"
        errors = f"{100 * sum(not ok for ok, _ in ended) / len(ended):.1f} %" if ended else "no request"
        return (
            f"progress: {_minutes(offset_s)} elapsed, {_minutes(left_s)} left | {load} | "
            f"{rate_rpm:,.0f} req/min | P95 {p95} | errors {errors} (last 10 s)"
        )


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
