"""Times and records what users feel: samples, readings of the generator itself, and a line of progress."""

import json
import math
import time
from contextlib import suppress
from pathlib import Path

import gevent
import psutil

from include.loadtest.machine import throttled_ms
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, PartWriter, Reading, Sample
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.stopping import Stopping

FLUSH_INTERVAL_S = 3.0
PROGRESS_INTERVAL_S = 10.0
_LAG_PROBE_S = 0.1
SCHEDSTAT = Path("/proc/self/schedstat")
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


class Clock:
    """Wall-clock times from one monotonic clock, so that a clock step during the run moves no sample."""

    def __init__(self) -> None:
        self._wall_ns = time.time_ns() - time.perf_counter_ns()
        self.load_started_ns: int | None = None

    def wall_ns(self, monotonic_ns: int) -> int:
        """Nanoseconds since the epoch of a reading of `perf_counter_ns`."""
        return self._wall_ns + monotonic_ns

    def step_ms(self) -> float:
        """By how much the wall clock has left the monotonic one since this clock began, in ms; 0: nobody set it."""
        return (time.time_ns() - self.wall_ns(time.perf_counter_ns())) / 1e6

    def offset_s(self, monotonic_ns: int) -> float:
        """Seconds since the first intended start; negative before the load began."""
        return -1.0 if self.load_started_ns is None else (monotonic_ns - self.load_started_ns) / 1e9


class Withheld:
    """CPU time that the kernel made this process wait for, in ms a second since the last reading.

    `run_queue_wait_ms_per_s`: the main thread, in which all users live, could run and no core was free (Linux'
    scheduler/sched-stats). `cpu_throttled_ms_per_s`: the CPU quota of its control group held it back. What the kernel
    does not say is absent.
    """

    def __init__(self) -> None:
        self._before, self._at_s = _waited_ms(), time.monotonic()

    def read(self) -> dict[str, float]:
        """The rates since the last call."""
        now, now_s = _waited_ms(), time.monotonic()
        before, elapsed_s = self._before, now_s - self._at_s
        self._before, self._at_s = now, now_s
        return {
            metric: (waited_ms - before[metric]) / elapsed_s
            for metric, waited_ms in now.items()
            if metric in before and waited_ms >= before[metric] and elapsed_s > 0
        }


def _waited_ms() -> dict[str, float]:
    """Milliseconds since the process's start, by the metric that is their rate."""
    waited: dict[str, float] = {}
    with suppress(OSError, ValueError, IndexError):
        waited["run_queue_wait_ms_per_s"] = int(SCHEDSTAT.read_text(encoding="utf-8").split()[1]) / 1e6
    held_back_ms = throttled_ms()
    if held_back_ms is not None:
        waited["cpu_throttled_ms_per_s"] = held_back_ms
    return waited


class Measuring:
    """The generator's measurements; the hot path is one append to a list."""

    def __init__(self, plan: GeneratorPlan) -> None:
        def submit(work):  # type: ignore[no-untyped-def]
            return gevent.get_hub().threadpool.spawn(work)

        self.plan, self.clock = plan, Clock()
        stem = f"{plan.worker}-{time.time_ns()}"
        self._samples = PartWriter(plan.bundle / "samples", stem, SAMPLE_SCHEMA, submit=submit)
        self._readings = PartWriter(plan.bundle / "resources", f"generator-{stem}", RESOURCE_SCHEMA, submit=submit)
        self._window: list[tuple[bool, int]] = []
        self._lag_s = 0.0
        self._withheld = Withheld()
        self.stopping = Stopping(plan.profile)
        self.max_users = 0

    def record(self, sample: Sample) -> None:
        """Keep a sample."""
        self._samples.add(sample)
        self._window.append((sample.outcome == "ok", sample.latency_us))
        self.stopping.note(sample)

    def flush(self) -> None:
        """Close the open parts."""
        self._samples.flush()
        self._readings.flush()

    @property
    def lost_samples(self) -> int:
        """Samples that no part holds, as far as is known now."""
        return self._samples.unwritten_rows

    def write_state(self, **state: object) -> None:
        """The generator's own account of the run, for the process that watches it."""
        path = Path(self.plan.bundle) / f"generator-{self.plan.worker}.json"
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(state), encoding="utf-8")
        temporary.replace(path)

    def every(self, interval_s: float, work) -> None:  # type: ignore[no-untyped-def]
        """Run `work` on fixed ticks, in a greenlet of its own."""

        def loop() -> None:
            started, tick = time.monotonic(), 0
            while True:
                tick += 1
                gevent.sleep(max(0.0, started + tick * interval_s - time.monotonic()))
                work()

        gevent.spawn(loop)

    def probe_lag(self) -> None:
        """How late a greenlet wakes up: what the generator itself adds to latencies. Loops for ever."""
        while True:
            before = time.monotonic()
            gevent.sleep(_LAG_PROBE_S)
            self._lag_s = max(self._lag_s, time.monotonic() - before - _LAG_PROBE_S)

    def read_generator(self, users: int, process: psutil.Process) -> None:
        """One reading of the generator: users, CPU, what held it back, and the largest loop lag since the last one."""
        self.max_users = max(self.max_users, users)
        lag_s, self._lag_s = self._lag_s, 0.0
        now = self.clock.wall_ns(time.perf_counter_ns())
        figures = {
            "users": float(users),
            "cpu_pct": process.cpu_percent(),
            "loop_lag_ms": lag_s * 1000,
            "memory_bytes": float(process.memory_info().rss),
            "open_files": float(process.num_fds()),
            **self._withheld.read(),
            "clock_step_ms": self.clock.step_ms(),
        }
        self.stopping.note_reading(self.clock.offset_s(time.perf_counter_ns()), figures)
        for metric, value in figures.items():
            self._readings.add(Reading(now, "generator", self.plan.worker, metric, value, UNITS[metric]))

    def progress_line(self, load: str) -> str:
        """What happened in the last 10 s, for people who wait; `load` says who is at work."""
        window, self._window = self._window, []
        offset_s = self.clock.offset_s(time.perf_counter_ns())
        left_s = max(0.0, self.plan.profile.load_s - offset_s)
        rate_rpm = len(window) * 60 / PROGRESS_INTERVAL_S
        times_us = sorted(latency_us for ok, latency_us in window if ok)
        p95 = f"{times_us[math.ceil(0.95 * len(times_us)) - 1] / 1000:,.0f} ms" if times_us else "no answer"
        errors = f"{100 * sum(not ok for ok, _ in window) / len(window):.1f} %" if window else "no request"
        return (
            f"progress: {_minutes(offset_s)} elapsed, {_minutes(left_s)} left | {load} | "
            f"{rate_rpm:,.0f} req/min | P95 {p95} | errors {errors} (last 10 s)"
        )


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
