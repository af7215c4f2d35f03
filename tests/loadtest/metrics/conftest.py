"""Bundles with samples and readings as the recorder writes them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.metrics.phases import PhaseSpan
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
START_NS = int(START.timestamp()) * 1_000_000_000


def at_ns(offset_s: float) -> int:
    return START_NS + round(offset_s * 1_000_000) * 1000


def make_sample(offset_s: float = 60.0, latency_us: int = 1000, **changes: Any) -> Sample:
    values: dict[str, Any] = {
        "ttfb_us": None,
        "scenario": "simple_query",
        "endpoint": "chat_stream",
        "iteration": 0,
        "phase": "hold",
        "stage": "hold",
        "outcome": "ok",
        "error": None,
        "status": 200,
        "bytes": 10,
        "cache_hit": None,
        "worker": "w0",
        "user": 1,
    }
    return Sample(intended_start=at_ns(offset_s), start=at_ns(offset_s), latency_us=latency_us, **{**values, **changes})


def _write(path: Path, rows: Iterable[Sample | Reading], schema: pa.Schema) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in schema]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path)


class BundleMaker:
    """A bundle under construction."""

    def __init__(self, path: Path) -> None:
        self.bundle = Bundle(path)

    def samples(self, rows: Sequence[Sample], name: str = "w0-000000") -> Path:
        path = self.bundle.samples_dir / f"{name}.parquet"
        _write(path, rows, SAMPLE_SCHEMA)
        return path

    def readings(self, rows: Sequence[Reading], name: str = "host-000000") -> Path:
        path = self.bundle.resources_dir / f"{name}.parquet"
        _write(path, rows, RESOURCE_SCHEMA)
        return path


@pytest.fixture
def maker(tmp_path: Path) -> BundleMaker:
    return BundleMaker(tmp_path / "smoke-20260301-090000-abcdef")


@pytest.fixture
def profile() -> Profile:
    return load_profile(find_profile("smoke"))


@pytest.fixture
def spans() -> list[PhaseSpan]:
    """Ramp of 5 s, hold of 130 s: two full minutes."""
    hold = START + timedelta(seconds=5)
    return [
        PhaseSpan("ramp_up", "ramp_up", START, hold),
        PhaseSpan("hold", "hold", hold, hold + timedelta(seconds=130)),
    ]


@pytest.fixture
def sample() -> Callable[..., Sample]:
    return make_sample


@pytest.fixture
def reading() -> Callable[..., Reading]:
    def make(offset_s: float, source: str, metric: str, value: float, instance: str = "a") -> Reading:
        return Reading(at_ns(offset_s), source, instance, metric, value, "x")

    return make


@pytest.fixture
def row_of() -> Callable[..., dict[str, Any]]:
    def find(document: dict[str, Any], metric: str, scope: str = "all", phase: str = "hold") -> dict[str, Any]:
        wanted = (metric, scope, phase)
        found = [row for row in document["metrics"] if (row["metric"], row["scope"], row["phase"]) == wanted]
        assert len(found) == 1
        return dict(found[0])

    return find
