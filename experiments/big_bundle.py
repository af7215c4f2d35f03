"""A made bundle of a very long run: as many samples as wanted, in parts as a generator closes them, and readings.

What is made is the recording only; everything that is concluded from it is computed by the product.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import SCENARIOS
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, write_part
from include.loadtest.run import utc_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEED = 7
STARTED = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
PART_S = 3
"""A generator closes a part about that often."""
RATE_PER_S = 700
USERS = 500
READ_EVERY_S = 5
_TIMEOUT_SHARE, _FAILED_SHARE = 0.0003, 0.002
_TIMEOUT_US = 30_000_000


@dataclass(frozen=True)
class Recorded:
    """What a made load is made of: `samples` requests in a ramp and a hold, sent by one worker."""

    samples: int

    @property
    def seconds(self) -> int:
        """How long the load takes."""
        return -(-self.samples // RATE_PER_S)

    @property
    def ramp_s(self) -> int:
        """Of these, the ramp."""
        return self.seconds // 20


def write_recording(bundle: Bundle, profile: Profile, load: Recorded) -> None:
    """Manifest, samples and readings of a run of the profile."""
    ends = [STARTED, STARTED + timedelta(seconds=load.ramp_s), STARTED + timedelta(seconds=load.seconds)]
    phases = [
        {"name": name, "stage": name, "start": utc_text(ends[place]), "end": utc_text(ends[place + 1])}
        for place, name in enumerate(("ramp_up", "hold"))
    ]
    bundle.update_manifest(
        started=utc_text(STARTED),
        profile=profile.model_dump(mode="json"),
        parameters={"profile": profile.name, "overrides": {}, "target": "demo", "reason": ""},
        target={"name": "demo", "shares_host": True},
        environment={},
        faults={},
        phases=phases,
    )
    _write_samples(bundle.samples_dir, load)
    _write_readings(bundle.resources_dir, load)


def _write_samples(folder: Path, load: Recorded) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(SEED)
    a_part = PART_S * RATE_PER_S
    for number, first in enumerate(range(0, load.samples, a_part)):
        rows = np.arange(first, min(first + a_part, load.samples))
        table = pa.Table.from_pydict(_columns(rows, draw, load), schema=SAMPLE_SCHEMA)
        pq.write_table(table, folder / f"w0-1-{number:06d}.parquet", compression="zstd")


def _columns(rows: "NDArray[np.int64]", draw: np.random.Generator, load: Recorded) -> dict[str, Any]:
    """The load is answered slower and slower; every 40 minutes it stands still for a moment."""
    at_us = (rows * 1_000_000) // RATE_PER_S
    slowed = 1 + at_us / (load.seconds * 2e6)
    latency_us = (80_000 * slowed * draw.lognormal(0, 0.7, len(rows))).astype(np.int64)
    chance = draw.random(len(rows))
    timed_out, failed = chance < _TIMEOUT_SHARE, chance > 1 - _FAILED_SHARE
    latency_us[timed_out] = _TIMEOUT_US
    starts = (int(STARTED.timestamp() * 1e6) + at_us) * 1000
    outcome = np.where(timed_out, "timeout", np.where(failed, "http_error", "ok"))
    scenario = np.asarray(SCENARIOS)[rows % len(SCENARIOS)]
    phase = np.where(at_us < load.ramp_s * 1_000_000, "ramp_up", "hold")
    error = np.where(timed_out, "timeout after # s", np.where(failed, "HTTP #: Internal Server Error", ""))
    return {
        "intended_start": starts,
        "start": starts + 50_000,
        "latency_us": latency_us,
        "ttfb_us": pa.nulls(len(rows), pa.int64()),
        "scenario": scenario,
        "endpoint": scenario,
        "iteration": rows // USERS,
        "phase": phase,
        "stage": phase,
        "outcome": outcome,
        "error": pa.array(error, mask=outcome == "ok"),
        "status": pa.array(np.where(failed, 500, 200), pa.int32(), mask=timed_out),
        "bytes": pa.array(np.full(len(rows), 1200)),
        "cache_hit": pa.nulls(len(rows), pa.bool_()),
        "worker": np.full(len(rows), "w0"),
        "user": pa.array(rows % USERS + 1, pa.int32()),
    }


def _write_readings(folder: Path, load: Recorded) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(SEED)
    started_ns = int(STARTED.timestamp()) * 1_000_000_000
    levels = (("host", "cpu_pct", 55.0, "%"), ("host", "memory_pct", 40.0, "%"), ("host", "load_1m", 2.0, "processes"),
              ("postgres", "connections_total", 30.0, "connections"), ("generator", "cpu_pct", 20.0, "%"),
              ("generator", "loop_lag_ms", 3.0, "ms"), ("generator", "users", USERS, "users"),
              ("redis", "used_memory_bytes", 5e7, "bytes"))  # fmt: skip
    counters = (("postgres", "xact_commit", 900.0, "transactions"), ("redis", "keyspace_hits", 300.0, "lookups"),
                ("redis", "keyspace_misses", 100.0, "lookups"), ("app", "llm_calls", 40.0, "calls"))  # fmt: skip
    rows = [
        Reading(started_ns + at_s * 1_000_000_000, source, "vm", metric, value, unit)
        for at_s in range(0, load.seconds, READ_EVERY_S)
        for source, metric, value, unit in (
            *((s, m, v if m == "users" else v * float(draw.uniform(0.9, 1.1)), u) for s, m, v, u in levels),
            *((s, m, per_s * at_s, u) for s, m, per_s, u in counters),
        )
    ]
    write_part(rows, RESOURCE_SCHEMA, folder / "host-1-000000.parquet")
