"""Times and records what users feel: samples, readings of the generator itself, and a line of progress."""

import time

import gevent
import psutil

from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, PartWriter, Reading, Sample, prepare_writing
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import UNITS, Clock, Window, Withheld, write_state
from include.locustfiles.stopping import Ended, Stopping

_LAG_PROBE_S = 0.1
_NOT_A_MASTERS = frozenset({"users", "loop_lag_ms", "run_queue_wait_ms_per_s", "cpu_throttled_ms_per_s"})
"""Readings of who sends requests: a master sends none, so that it is late changes no latency."""


class Measuring:
    """The generator's measurements; the hot path is one append to a list."""

    def __init__(self, plan: GeneratorPlan) -> None:
        def submit(work):  # type: ignore[no-untyped-def]
            return gevent.get_hub().threadpool.spawn(work)

        prepare_writing()
        self.plan, self.clock = plan, Clock()
        stem = f"{plan.worker}-{time.time_ns()}"
        self._samples = PartWriter(plan.bundle / "samples", stem, SAMPLE_SCHEMA, submit=submit)
        self._readings = PartWriter(plan.bundle / "resources", f"generator-{stem}", RESOURCE_SCHEMA, submit=submit)
        self._window = Window()
        self._lag_s = 0.0
        self._withheld = Withheld()
        self.stopping = Stopping(plan.profile, plan.lease_file)
        self.max_users = 0
        self.samples = 0

    def record(self, sample: Sample) -> None:
        """Keep a sample."""
        self._samples.add(sample)
        self.samples += 1
        self._window.note(sample)
        self.stopping.note(sample)

    def note_ended(self, ended: Ended) -> None:
        """A request of another generator ended: its sample is there, the rules and the progress are here."""
        self._window.note(ended)
        self.stopping.note(ended)

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
        write_state(self.plan.bundle, self.plan.worker, **state)

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
        if self.plan.is_master:
            figures = {name: value for name, value in figures.items() if name not in _NOT_A_MASTERS}
        self.stopping.note_reading(self.clock.offset_s(time.perf_counter_ns()), figures)
        for metric, value in figures.items():
            self._readings.add(Reading(now, "generator", self.plan.worker, metric, value, UNITS[metric]))

    def progress_line(self, load: str) -> str:
        """What happened in the last 10 s, for people who wait; `load` says who is at work."""
        return self._window.line(load, self.clock.offset_s(time.perf_counter_ns()), self.plan.profile.load_s)
