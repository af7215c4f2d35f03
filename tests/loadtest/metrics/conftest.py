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
from include.loadtest.profile.shape import BreakingPoint, Recovery, Spike, Steps
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


def planned_spans(profile: Profile, cut_s: float = float("inf")) -> list[PhaseSpan]:
    """The stages of a run that went as planned until it was cut."""
    return [
        PhaseSpan(
            stage.phase,
            stage.name,
            START + timedelta(seconds=stage.start_s),
            START + timedelta(seconds=min(stage.end_s, cut_s)),
        )
        for stage in profile.stages()
        if stage.start_s < cut_s
    ]


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


def damage(column: str, path: Path) -> None:
    """Spoil the pages of a column; the end of the file, which says where they are, stays whole."""
    group = pq.read_metadata(path).row_group(0)
    own = group.column([group.column(place).path_in_schema for place in range(group.num_columns)].index(column))
    begin = own.dictionary_page_offset or own.data_page_offset
    content = bytearray(path.read_bytes())
    content[begin : begin + own.total_compressed_size] = b"\xff" * own.total_compressed_size
    path.write_bytes(content)


@pytest.fixture
def damaged() -> Callable[[str, Path], None]:
    return damage


@pytest.fixture
def profile() -> Profile:
    return load_profile(find_profile("smoke"))


@pytest.fixture
def steps(profile: Profile) -> Profile:
    """20, 40, 60, 80 users for 40 s each, hold of 100 users from 160 s to 220 s, recovery to 280 s, limit 1 s."""
    shape = Steps(
        kind="steps",
        steps=5,
        probe_users=1,
        breaking_point=BreakingPoint(p95_limit_ms=8000, error_rate_limit=0.05, least_user_throughput_share=0.8),
        recovery=Recovery(duration_s=60, window_s=10, windows=3, p95_limit_ms=1000),
    )
    return profile.model_copy(update={"users": 100, "ramp_up_s": 160, "duration_s": 60, "shape": shape, "slos": ()})


@pytest.fixture
def spike(profile: Profile) -> Profile:
    """Hold to 60 s, ramp to 70 s, spike to 100 s, ramp down to 115 s, recovery to 275 s: 17 full windows, limit 1 s."""
    shape = Spike(
        kind="spike",
        base_users=10,
        base_s=60,
        ramp_down_s=15,
        recovery=Recovery(duration_s=160, window_s=10, windows=3, p95_limit_ms=1000),
    )
    return profile.model_copy(update={"users": 100, "ramp_up_s": 10, "duration_s": 275, "shape": shape, "slos": ()})


@pytest.fixture
def spans_of() -> Callable[..., list[PhaseSpan]]:
    return planned_spans


@pytest.fixture
def staged() -> Callable[..., Sample]:
    """A sample whose phase and stage are those of the profile at its offset."""

    def make(profile: Profile, offset_s: float, latency_us: int = 1000, **changes: Any) -> Sample:
        stage = next(stage for stage in profile.stages() if stage.start_s <= offset_s < stage.end_s)
        return make_sample(offset_s, latency_us, phase=stage.phase, stage=stage.name, **changes)

    return make


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
