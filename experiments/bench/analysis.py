"""From ten million samples to metrics, verdict and report: time, memory, and how both grow with the samples."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from experiments.bench.measure import Measure, at_most
from experiments.big_bundle import Recorded, write_recording
from experiments.claims import Say
from include.embedded.state import CHECKOUT
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile

NAME = "analysis"
SIZES = (100_000, 1_000_000, 10_000_000)
ROUNDS = 3
MOST_METRICS_S, MOST_WHOLE_S, MOST_PEAK_MB, MOST_GROWTH = 2.0, 10.0, 500.0, 1.2
PEER = "plain DuckDB, P50, P95 and P99 only, by phase, scenario and endpoint"


@dataclass(frozen=True)
class Done:
    """What one process measured of itself."""

    wall_s: Mapping[str, float]
    cpu_s: Mapping[str, float]
    peak_mb: float


def measures(say: Say) -> Iterator[Measure]:
    """Each size is recorded, then analysed and asked by the peer in turns, each time by a new process."""
    with tempfile.TemporaryDirectory(prefix="loadtest-bench-") as folder:
        row_us = {}
        for samples in SIZES:
            say(f"recording a run of {samples:,} samples")
            bundle = Bundle(Path(folder) / f"smoke-20260301-020000-{samples}")
            write_recording(bundle, load_profile(find_profile("smoke")), Recorded(samples))
            say("its metrics")
            done = [(stages(bundle, "metrics"), stages(bundle, "duckdb")) for _ in range(ROUNDS)]
            row_us[samples] = 1e6 * min(own.cpu_s["metrics"] for own, _ in done) / samples
        yield from of_metrics(samples, done)
        yield linear(row_us)
        say("all that follows the load")
        yield from of_whole(samples, stages(bundle, "all"))


def stages(bundle: Bundle, which: str) -> Done:
    """Run those stages (see `analysis_stages`). Raises RuntimeError where they fail."""
    command = [sys.executable, "-m", "experiments.bench.analysis_stages", which, str(bundle.path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{which}: {done.stderr[-800:]}")
    return Done(**json.loads(done.stdout.splitlines()[-1]))


def of_metrics(samples: int, done: list[tuple[Done, Done]]) -> Iterator[Measure]:
    """Time and memory of metrics.json; the least time of several, as other work only adds to it."""
    own_s, peer_s = (min(pair[place].wall_s["metrics"] for pair in done) for place in (0, 1))
    cpu_s, peer_cpu_s = (min(pair[place].cpu_s["metrics"] for pair in done) for place in (0, 1))
    ratio = median(own.cpu_s["metrics"] / peer.cpu_s["metrics"] for own, peer in done)
    yield Measure(
        f"metrics.json of {samples:,} samples, beyond imports",
        f"{own_s:.2f} s ({cpu_s:.2f} s of CPU)",
        f"{PEER}: {peer_s:.2f} s ({peer_cpu_s:.2f} s of CPU; the ratio is CPU's)",
        ratio,
        f"<= {MOST_METRICS_S:g} s",
        own_s <= MOST_METRICS_S,
    )
    peak_mb, peer_mb = (max(pair[place].peak_mb for pair in done) for place in (0, 1))
    yield _memory(f"memory of the process that makes metrics.json of {samples:,} samples", peak_mb, peer_mb)


def linear(row_us: Mapping[int, float]) -> Measure:
    """CPU time a row must not rise with the number of rows."""
    small, large = min(row_us), max(row_us)
    ratio = row_us[large] / row_us[small]
    shown = ", ".join(f"{us:.2f} µs of {samples:,}" for samples, us in row_us.items())
    return Measure(
        "metrics.json: CPU a sample",
        shown,
        f"{small:,} samples",
        ratio,
        f"<= {MOST_GROWTH:g} times",
        at_most(MOST_GROWTH, ratio),
    )


def of_whole(samples: int, done: Done) -> Iterator[Measure]:
    """Time and memory from the samples to the report."""
    whole_s = sum(done.wall_s.values())
    shown = ", ".join(f"{stage} {wall_s:.2f}" for stage, wall_s in done.wall_s.items())
    yield Measure(
        f"metrics, errors, limits, verdict and report of {samples:,} samples, beyond imports",
        f"{whole_s:.2f} s ({shown})",
        "none does the same",
        None,
        f"<= {MOST_WHOLE_S:g} s",
        whole_s <= MOST_WHOLE_S,
    )
    yield _memory(f"memory of the process that does all of it, {samples:,} samples", done.peak_mb, None)


def _memory(name: str, peak_mb: float, peer_mb: float | None) -> Measure:
    peer = "none does the same" if peer_mb is None else f"{PEER}: {peer_mb:.0f} MB"
    ratio = None if peer_mb is None else peak_mb / peer_mb
    return Measure(name, f"{peak_mb:.0f} MB", peer, ratio, f"<= {MOST_PEAK_MB:g} MB", peak_mb <= MOST_PEAK_MB)
