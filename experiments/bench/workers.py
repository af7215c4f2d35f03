"""Several generators of one load: what a request costs with 1, 2 and 4 of them, and whether percentiles stay exact."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from experiments.bench.loads import bench_profile, load_request, own_load
from experiments.bench.measure import Measure
from experiments.bench.target import bench_target
from experiments.claims import Say
from include.loadtest.bundle import Bundle
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.phases import PhaseSpan
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, SCOPE_ALL
from include.loadtest.runners.generator import LoadResult, phase_spans

NAME = "workers"
GENERATORS, ROUNDS = (1, 2, 4), 3
USERS_EACH, THINK_S = 10, (0.05, 0.1)
WARM_UP_EACH, WINDOW_S, TOLERANCE = 100, 8.0, 0.10
PERCENTILES = {"latency_p50_ms": 50, "latency_p95_ms": 95, "latency_p99_ms": 99}
Percentiles = dict[str, float | None]


def measures(say: Say) -> Iterator[Measure]:
    """Each number of generators in turn, several times over; the percentiles are those of the last load of each."""
    costs_us: dict[int, list[float]] = {generators: [] for generators in GENERATORS}
    exact: dict[int, tuple[int, bool]] = {}
    for number in range(ROUNDS):
        for generators in GENERATORS if number % 2 == 0 else reversed(GENERATORS):
            say(f"  {generators} generators, round {number + 1} of {ROUNDS}")
            cost_us, exact[generators] = _load(generators)
            costs_us[generators].append(cost_us)
    for generators in GENERATORS[1:]:
        yield _cost(generators, costs_us)
    yield _exactness(exact)


def _load(generators: int) -> tuple[float, tuple[int, bool]]:
    """CPU a request in µs, of all processes; how many samples there were, and whether their percentiles are exact."""
    # As few users each in any number: what one generator costs beside its requests is a part of its cost.
    profile = bench_profile(USERS_EACH * generators, THINK_S, generators=generators)
    with tempfile.TemporaryDirectory(prefix="loadtest-bench-", ignore_cleanup_errors=True) as folder:
        with bench_target() as port:
            request = load_request(profile, port, Path(folder))
            with own_load(request, port) as load:
                cost_us = load.cpu_us(WARM_UP_EACH * generators, WINDOW_S)
        rows = _rows(request.bundle)
        merged = _merged(request.bundle, profile, load.results[0])
    workers = {row[0] for row in rows}
    is_exact = len(workers) == generators and merged == _concatenated(rows)
    return cost_us, (len(rows), is_exact)


def _cost(generators: int, costs_us: dict[int, list[float]]) -> Measure:
    ratio = median(many / one for many, one in zip(costs_us[generators], costs_us[1], strict=True))
    return Measure(
        f"CPU a request, {generators} generators",
        f"{median(costs_us[generators]):.0f} µs, the master and all generators, {USERS_EACH} users each",
        f"{median(costs_us[1]):.0f} µs: one generator with {USERS_EACH} users",
        ratio,
        f"within ±{TOLERANCE:.0%}",
        abs(round(ratio, 3) - 1) <= TOLERANCE,
    )


def _exactness(exact: dict[int, tuple[int, bool]]) -> Measure:
    said = ", ".join(f"{count} by {generators}: {'equal' if is_exact else 'unequal'}"
                     for generators, (count, is_exact) in exact.items())  # fmt: skip
    return Measure(
        "percentiles of several generators' samples",
        f"P50, P95, P99 of the bundle; samples {said}",
        "all generators' rows in one sorted list",
        None,
        "exactly equal",
        all(is_exact for _, is_exact in exact.values()),
    )


def _rows(bundle: Bundle) -> list[tuple[Any, ...]]:
    import duckdb

    samples = duckdb.read_parquet(str(bundle.samples_dir / "*.parquet"))
    return samples.select("worker, phase, outcome, latency_us").fetchall()


def _merged(bundle: Bundle, profile: Profile, result: LoadResult) -> Percentiles:
    """What the run's metrics say."""
    spans = [
        PhaseSpan(one["name"], one["stage"], *(datetime.fromisoformat(one[edge]) for edge in ("start", "end")))
        for one in phase_spans(profile.stages(), result)
    ]
    rows = compute_metrics(bundle, profile, spans)["metrics"]
    wanted = [row for row in rows if row["scope"] == SCOPE_ALL and row["phase"] == "hold"]
    return {row["metric"]: row["value"] for row in wanted if row["metric"] in PERCENTILES}


def _concatenated(rows: Sequence[tuple[Any, ...]]) -> Percentiles:
    """The smallest value with at least that share of the rows at or below it, in ms."""
    latencies_us = sorted(row[3] for row in rows if row[1] == "hold" and row[2] in LATENCY_OUTCOMES)
    return {name: _percentile_us(latencies_us, percent) / 1000 for name, percent in PERCENTILES.items()}


def _percentile_us(sorted_us: Sequence[int], percent: int) -> int:
    return next(value for at, value in enumerate(sorted_us, start=1) if at * 100 >= percent * len(sorted_us))
