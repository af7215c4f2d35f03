"""Samples are written in parts, exactly, and a killed writer loses the open part only."""

from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from include.loadtest.recorder import SAMPLE_SCHEMA, PartWriter, Sample, ns

pytestmark = pytest.mark.unit


def sample(iteration: int) -> Sample:
    start = 1_795_552_331_043_229_463
    scenario = ("simple_query", "chat_simple", iteration, "hold", "hold")
    return Sample(start, start + 5, 1234, None, *scenario, "ok", None, 200, 17, None, "w0", 1)


def test_a_part_has_the_schema_and_the_exact_values(tmp_path) -> None:
    """Nanoseconds stay nanoseconds, None stays null."""
    writer = PartWriter(tmp_path, "w0", SAMPLE_SCHEMA)
    writer.add(sample(0))
    writer.flush()
    table = pq.read_table(tmp_path / "w0-000000.parquet")
    assert table.schema == SAMPLE_SCHEMA
    row = table.to_pylist()[0]
    assert table.column("intended_start").cast("int64").to_pylist() == [1_795_552_331_043_229_463]
    assert (row["latency_us"], row["ttfb_us"], row["cache_hit"], row["user"]) == (1234, None, None, 1)


def test_closed_parts_survive_what_never_gets_closed(tmp_path) -> None:
    """Rows of the open part are in no file; no half-written file is left beside the parts."""
    writer = PartWriter(tmp_path, "w0", SAMPLE_SCHEMA, max_rows=10)
    for iteration in range(25):
        writer.add(sample(iteration))
    parts = sorted(path.name for path in tmp_path.iterdir())
    assert parts == ["w0-000000.parquet", "w0-000001.parquet"]
    assert sum(pq.read_metadata(tmp_path / name).num_rows for name in parts) == 20


def test_nothing_is_written_without_rows(tmp_path) -> None:
    """An empty part would say that something was measured."""
    PartWriter(tmp_path, "w0", SAMPLE_SCHEMA).flush()
    assert list(tmp_path.iterdir()) == []


def test_nanoseconds_of_a_time_are_exact() -> None:
    """A float of seconds would lose microseconds."""
    assert ns(datetime(2026, 11, 24, 20, 15, 0, 123457, tzinfo=UTC)) % 1_000_000_000 == 123_457_000
