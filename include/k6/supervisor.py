"""The process beside k6: reads its points, writes samples and readings, ends it where a rule or somebody says so.

It is to k6 what Locust's own process is to Locust: it is told to end by SIGTERM, ends when its parent is gone, and
leaves the load's account. k6 ends with it, however it ends.
"""

import logging
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

from include.k6.points import Points
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, PartWriter, Reading, Sample
from include.loadtest.run import READING_INTERVAL_S
from include.loadtest.runners.process import DRAIN_S
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import (
    FLUSH_INTERVAL_S,
    PROGRESS_INTERVAL_S,
    UNITS,
    Clock,
    Window,
    Withheld,
    write_state,
)
from include.locustfiles.stopping import Stopping

LOG = logging.getLogger("loadtest.generator")
ORPHANED = 3
"""Exit code of a generator whose parent is gone."""
STOP_S = 3.0
"""k6 may take that long to end in order; who ordered it kills after five seconds."""
UNKNOWN_S = 10.0
"""So long after k6's first line one of the script's own has to be there: its users come and ask at once."""
_POLL_S = 0.2
_CHUNK_BYTES = 1 << 16
_SIGNALLED = 128


@dataclass
class _Tick:
    """A piece of work on fixed ticks."""

    interval_s: float
    work: Callable[[], None]
    due_s: float = 0.0


class Supervisor:
    """Watches one k6 whose points come through `output`."""

    def __init__(self, plan: GeneratorPlan, k6: "subprocess.Popen[bytes]", output: IO[bytes]) -> None:
        self._plan, self._k6, self._output = plan, k6, output
        self._clock, self._window = Clock(), Window()
        self._stopping = Stopping(plan.profile, plan.lease_file)
        self._points = Points(plan, self._record)
        stem = f"{plan.worker}-{time.time_ns()}"
        self._samples = PartWriter(plan.bundle / "samples", stem, SAMPLE_SCHEMA)
        self._readings = PartWriter(plan.bundle / "resources", f"generator-{stem}", RESOURCE_SCHEMA)
        self._process = psutil.Process(k6.pid)
        self._process.cpu_percent()
        self._cores = usable_cores()
        self._withheld = Withheld(lambda: Path(f"/proc/{k6.pid}/task").glob("*/schedstat"), self._cores)
        self._lines = 0
        self._first_line_s = math.inf
        self._ordered_ns: int | None = None
        self._max_users = 0
        self._has_begun = self._is_over = False

    def run(self) -> int:
        """Until k6 has ended; returns its exit code, or 128 + the signal that killed it."""
        signal.signal(signal.SIGTERM, self._told_to_end)
        now_s = time.monotonic()
        ticks = [
            _Tick(FLUSH_INTERVAL_S, self._flush, now_s + FLUSH_INTERVAL_S),
            _Tick(READING_INTERVAL_S, self._read_generator, now_s + READING_INTERVAL_S),
            _Tick(1.0, self._decide),  # before anything is said: who is not heard any more, has no parent
            _Tick(PROGRESS_INTERVAL_S, self._say_progress, now_s + PROGRESS_INTERVAL_S),
        ]
        try:
            for lines in self._pieces():
                self._feed(lines)
                _run_due(ticks)
        except BaseException:
            self._k6.kill()
            raise
        finally:
            exit_code = self._k6.wait()
            self._finish(exit_code)
        return exit_code if exit_code >= 0 else _SIGNALLED - exit_code

    def _pieces(self) -> Iterator[list[bytes]]:
        """Whole lines as they come, [] where none came for a moment; ends with k6's output."""
        rest = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                if not selector.select(_POLL_S):
                    yield []
                    continue
                piece = os.read(self._output.fileno(), _CHUNK_BYTES)
                if not piece:
                    return  # an unfinished line was never written whole: k6 was killed within it
                *lines, rest = (rest + piece).split(b"\n")
                yield lines

    def _feed(self, lines: list[bytes]) -> None:
        for line in lines:
            self._points.feed(line)
        if lines:
            self._lines += len(lines)
            self._first_line_s = min(self._first_line_s, time.monotonic())
        self._note_progress()

    def _record(self, sample: Sample) -> None:
        self._samples.add(sample)
        self._window.note(sample)
        self._stopping.note(sample)

    def _note_progress(self) -> None:
        """The load's begin is told at once; at its end there is a reading, however short it was."""
        if not self._is_over and self._offset_s() >= self._plan.profile.load_s:
            self._is_over = True
            self._read_generator()
        self._max_users = max(self._max_users, self._points.users)
        if self._points.failure is not None:
            self._stopping.scenario_failed(*self._points.failure)
        if not self._has_begun and self._points.load_started_ns is not None:
            self._has_begun = True
            write_state(self._plan.bundle, self._plan.worker, started_ns=self._points.load_started_ns, completed=False)

    def _now_ns(self) -> int:
        return self._clock.wall_ns(time.perf_counter_ns())

    def _offset_s(self) -> float:
        started_ns = self._points.load_started_ns
        return -1.0 if started_ns is None else (self._now_ns() - started_ns) / 1e9

    def _flush(self) -> None:
        self._samples.flush()
        self._readings.flush()

    def _read_generator(self) -> None:
        """One reading of k6, from outside: what is not known of it is absent."""
        lag_ms = self._points.take_lag_ms()
        figures = {"users": float(self._points.users), **({} if lag_ms is None else {"loop_lag_ms": lag_ms})}
        try:
            with self._process.oneshot():
                figures |= {
                    "cpu_pct": self._process.cpu_percent() / self._cores,
                    "memory_bytes": float(self._process.memory_info().rss),
                    "open_files": float(self._process.num_fds()),
                }
        except psutil.Error:
            return  # it has ended
        figures |= {**self._withheld.read(), "clock_step_ms": self._clock.step_ms()}
        self._stopping.note_reading(self._offset_s(), figures)
        for metric, value in figures.items():
            reading = Reading(self._now_ns(), "generator", self._plan.worker, metric, value, UNITS[metric])
            self._readings.add(reading)

    def _say_progress(self) -> None:
        line = self._window.line(f"{self._points.users} users", self._offset_s(), self._plan.profile.load_s)
        with suppress(OSError):  # nobody reads it any more: `_decide` sees why
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()

    def _decide(self) -> None:
        if os.getppid() != self._plan.starter_pid:
            self._abandon()
        if self._points.noted == 0 and time.monotonic() - self._first_line_s > UNKNOWN_S:
            text = f"k6 wrote {self._lines} lines, and not one is a point of the script's own; is it another version?"
            self._stopping.end("generator_died", text)
        if self._ordered_ns is None and self._stopping.decide(self._offset_s()) is not None:
            self._end_k6()
        if self._ordered_ns is not None and self._now_ns() - self._ordered_ns > STOP_S * 1e9:
            self._k6.kill()

    def _abandon(self) -> None:
        LOG.error("the process that started this generator is gone: the load ends now")
        self._k6.kill()
        self._finish(self._k6.wait())
        os._exit(ORPHANED)

    def _told_to_end(self, _number: int, _frame: FrameType | None) -> None:
        self._end_k6()

    def _end_k6(self) -> None:
        """Once: a second signal would leave its last points unwritten. Before its first request it just ends."""
        if self._ordered_ns is None:
            self._ordered_ns = self._now_ns()
            (self._k6.terminate if self._has_begun else self._k6.kill)()

    def _finish(self, exit_code: int) -> None:
        """Cut what is under way, close the open part, and say how the load ended."""
        now_ns = self._now_ns()
        started_ns, load_s = self._points.load_started_ns, self._plan.profile.load_s
        has_run = self._offset_s() >= load_s
        self._stopping.decide(self._offset_s())  # a lease that was lost in the last moment
        limit_ns = now_ns if started_ns is None else started_ns + round((load_s + DRAIN_S) * 1e9)
        self._points.cut(min(now_ns, limit_ns, self._ordered_ns or now_ns))
        for _attempt in range(2):  # what could not be written before is tried once more
            self._flush()
        write_state(
            self._plan.bundle,
            self._plan.worker,
            started_ns=started_ns,
            ended_ns=now_ns,
            completed=has_run and exit_code >= 0 and self._stopping.stop is None,
            lost_samples=self._samples.unwritten_rows + self._points.unreadable,
            max_users=self._max_users,
            **self._stopping.account(),
        )


def usable_cores() -> int:
    """Cores that k6 can use at once: it runs its users on all of them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _run_due(ticks: list[_Tick]) -> None:
    now_s = time.monotonic()
    for tick in ticks:
        if now_s >= tick.due_s:
            tick.due_s += tick.interval_s * (1 + (now_s - tick.due_s) // tick.interval_s)
            tick.work()
