"""Whether the generator's memory grows with its run: 10^6 real requests, and 10^7 rows through the recorder alone."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

from experiments.bench.loads import bench_profile, load_request, own_load
from experiments.bench.measure import Measure
from experiments.bench.sizes import sizes
from experiments.bench.target import answered, bench_target
from experiments.claims import Say
from include.embedded.state import CHECKOUT
from include.loadtest.profile import Profile

NAME = "memory"
WARM_UP = 10_000
"""Requests after which the generator has made all that it keeps."""
USERS, THINK_S, READS = 50, (0.0, 0.001), {"user_operations": 80, "knowledge_search": 20}
READINGS, READING_INTERVAL_S = 8, 0.75
"""A reading in each of two parts' times: the open part grows for 3 s, and goes."""
SAY_EVERY_S, MB = 30.0, 1024 * 1024
TOLERANCE = 0.10


@dataclass(frozen=True)
class Held:
    """Memory of a process in bytes: resident, and its own alone."""

    rss: float
    uss: float

    def __str__(self) -> str:
        return f"RSS {self.rss / MB:.1f} MB, USS {self.uss / MB:.1f} MB"

    def grown(self, since: "Held") -> float:
        """The larger of both ratios' distance from 1, as that ratio."""
        ratios = (self.rss / since.rss, self.uss / since.uss)
        return max(ratios, key=lambda ratio: abs(ratio - 1))


def measures(say: Say) -> Iterator[Measure]:
    """Real samples first."""
    yield _generator(say, bench_profile(USERS, THINK_S, mix_pct=READS), sizes().samples)
    yield _recorder(say, sizes().rows)


def _generator(say: Say, profile: Profile, samples: int) -> Measure:
    with (
        tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True) as folder,
        bench_target(small_streams=True) as port,
        own_load(load_request(profile, port, Path(folder)), port) as load,
    ):
        began = load.after(WARM_UP, within_s=300.0)
        process = max(load.processes(), key=lambda one: one.memory_info().rss)
        before = _held(process)
        began_s = said_s = time.monotonic()
        while (done := answered(port)) < samples:
            process.status()  # raises where it has ended
            if time.monotonic() - said_s > SAY_EVERY_S:
                said_s = time.monotonic()
                say(f"  {done:,} of {samples:,} requests, {process.memory_info().rss / MB:.0f} MB")
            time.sleep(1.0)
        rate = (done - began) / (time.monotonic() - began_s)
        after = _held(process)
    name = f"generator's memory after {done:,} real samples"
    peer = f"after {began:,} samples, the same process"
    return _measure(name, after, peer, before, f", {rate:,.0f} requests a second")


def _held(process: psutil.Process) -> Held:
    """The medians of some readings."""
    readings = []
    for _ in range(READINGS):
        readings.append(process.memory_full_info())
        time.sleep(READING_INTERVAL_S)
    return Held(median(one.rss for one in readings), median(one.uss for one in readings))


def _recorder(say: Say, rows: int) -> Measure:
    say(f"  {rows:,} rows through the recorder")
    with tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "experiments.bench.rows", str(rows), folder]
        done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the recorder alone failed: {done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    before, after = Held(**said["before"]), Held(**said["after"])
    name = f"recorder's memory after {rows:,} rows"
    peer = f"after {said['warm_up']:,} rows, the same process"
    return _measure(name, after, peer, before, f", {said['cpu_us']:.2f} µs of CPU a row")


def _measure(name: str, after: Held, peer: str, before: Held, beside: str) -> Measure:
    ratio = after.grown(before)
    is_met = abs(round(ratio, 3) - 1) <= TOLERANCE
    return Measure(name, f"{after}{beside}", f"{before} {peer}", ratio, f"within ±{TOLERANCE:.0%}", is_met)
