"""performance_baseline.json: what one user alone gets of the target, and what that user costs it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import PROFILES_DIR, Profile
from include.loadtest.profile.yaml_source import read_yaml
from include.loadtest.verdict import Verdict

FILE = "performance_baseline.json"
PROFILE = "baseline"
EXAMPLE_FILE = PROFILES_DIR / "reference" / "baseline_example.yaml"
MEASURED = frozenset({Verdict.PASS, Verdict.WARN, Verdict.SLA_BREACH, Verdict.REGRESSION})
"""Verdicts of a run whose figures are valid."""
_CPU_S, _MEMORY, _STARTED, _CPU_PCT = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "cpu_usage_percent",
)


def write_performance_baseline(bundle: Bundle, profile: Profile) -> Path | None:
    """Write the measured baseline; None, and no file, for a run that is no valid run of one user of that profile.

    The keys are the document's: P95 in ms, ok answers a minute and user, errors 0..1, CPU and memory in % of the
    target's machine a user. What was not measured is null.
    """
    if profile.name != PROFILE or profile.users != 1 or not (bundle.has(run.VERDICT) and bundle.has(run.METRICS)):
        return None
    if bundle.read(run.VERDICT)["verdict"] not in MEASURED:
        return None
    manifest = bundle.read(run.MANIFEST)
    figures = _figures(bundle.read(run.METRICS))
    cpu_pct, memory_pct = resource_shares(_hold_readings(bundle.resources_dir, manifest), manifest)
    document = {
        "single_user_p95": figures.get("latency_p95_ms"),
        "optimal_throughput": figures.get("throughput_rpm"),
        "baseline_error_rate": figures.get("error_rate"),
        "resource_baseline": {"cpu_baseline": cpu_pct, "memory_baseline": memory_pct},
    }
    return bundle.write(FILE, document)


@cache
def example() -> dict[str, Any]:
    """The document's sample values, in the same form."""
    values: dict[str, Any] = read_yaml(EXAMPLE_FILE).data
    return values


def _figures(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Point values of the hold; "at least this much" is none."""
    return {
        row["metric"]: row["value"]
        for row in metrics["metrics"]
        if (row["scope"], row["phase"]) == ("all", "hold") and not row.get("lower_bound")
    }


@dataclass(frozen=True)
class AppReading:
    """One reading of the target's application; `at_s` in seconds since 1970."""

    at_s: float
    instance: str
    metric: str
    value: float


def resource_shares(readings: Sequence[AppReading], manifest: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Mean CPU and memory of the application in the hold, in % of its machine; None where that is not known.

    Where the target shares the generator's host, that host's own percentages are not the target's: the process's CPU
    time is then taken of all cores, its memory of all memory. Elsewhere the size of the machine is not known, and the
    CPU is what the application itself says of it. Several processes behind one page tell of one of them each: None.
    """
    of = {
        metric: [reading for reading in readings if reading.metric == metric]
        for metric in (_CPU_S, _MEMORY, _STARTED, _CPU_PCT)
    }
    if not (manifest.get("target") or {}).get("shares_host"):
        return _mean(of[_CPU_PCT]), None
    if len({(reading.instance, reading.value) for reading in of[_STARTED]}) > 1:
        return None, None
    host = (manifest.get("environment") or {}).get("generator_host") or {}
    return _share(_cores(of[_CPU_S]), host.get("cpu_count")), _share(_mean(of[_MEMORY]), host.get("memory_bytes"))


def _cores(readings: Sequence[AppReading]) -> float | None:
    """Mean number of busy cores, from a counter of CPU seconds that never falls."""
    ordered = sorted(readings, key=lambda reading: reading.at_s)
    if len(ordered) < 2 or ordered[-1].at_s <= ordered[0].at_s:
        return None
    values = [reading.value for reading in ordered]
    if values != sorted(values):
        return None
    return (values[-1] - values[0]) / (ordered[-1].at_s - ordered[0].at_s)


def _mean(readings: Sequence[AppReading]) -> float | None:
    return sum(reading.value for reading in readings) / len(readings) if readings else None


def _share(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else 100 * part / whole


def _hold_readings(directory: Path, manifest: Mapping[str, Any]) -> list[AppReading]:
    """The application's readings of the hold; a part that cannot be read is left out."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    spans = [
        tuple(datetime.fromisoformat(phase[end]).timestamp() for end in ("start", "end"))
        for phase in manifest.get("phases") or ()
        if phase["name"] == "hold" and phase.get("start") and phase.get("end")
    ]
    wanted = pa.array([_CPU_S, _MEMORY, _STARTED, _CPU_PCT])
    found = []
    for path in sorted(directory.glob("*.parquet")):
        try:
            part = pq.read_table(path, columns=["ts", "source", "instance", "metric", "value"])
        except (OSError, pa.ArrowException):
            continue
        own = part.filter(pc.and_(pc.equal(part["source"], "app"), pc.is_in(part["metric"], wanted)))
        for ts, row in zip(own["ts"].cast(pa.int64()).to_pylist(), own.drop_columns("ts").to_pylist(), strict=True):
            reading = AppReading(ts / 1e9, row["instance"] or "", row["metric"], row["value"])
            if math.isfinite(reading.value) and any(start <= reading.at_s < end for start, end in spans):
                found.append(reading)
    return found
