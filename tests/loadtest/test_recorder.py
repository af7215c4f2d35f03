"""Samples are written in parts, exactly, and a killed writer loses the open part only."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from include.loadtest import recorder
from include.loadtest.recorder import SAMPLE_SCHEMA, PartWriter, Sample, ns

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]


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


def test_a_part_that_cannot_be_written_is_tried_again_with_the_next(tmp_path, monkeypatch) -> None:
    """A disk that is full for a while loses nothing; while it is, the rows are counted."""
    writer = PartWriter(tmp_path, "w0", SAMPLE_SCHEMA)
    write = recorder.write_part
    monkeypatch.setattr(recorder, "write_part", refuse)
    for iteration in range(3):
        writer.add(sample(iteration))
        writer.flush()
    assert (writer.unwritten_rows, list(tmp_path.iterdir())) == (3, [])
    monkeypatch.setattr(recorder, "write_part", write)
    writer.flush()
    assert writer.unwritten_rows == 0
    rows = [row for path in sorted(tmp_path.iterdir()) for row in pq.read_table(path).to_pylist()]
    assert [row["iteration"] for row in rows] == [0, 1, 2]


def test_what_is_kept_for_the_disk_is_bounded_and_its_loss_is_counted(tmp_path, monkeypatch) -> None:
    """Memory does not grow with a run."""
    writer = PartWriter(tmp_path, "w0", SAMPLE_SCHEMA)
    monkeypatch.setattr(recorder, "write_part", refuse)
    monkeypatch.setattr(recorder, "MAX_UNWRITTEN_ROWS", 2)
    for iteration in range(3):
        writer.add(sample(iteration))
        writer.flush()
    assert writer.unwritten_rows == 3
    monkeypatch.undo()
    writer.flush()
    assert writer.unwritten_rows > 0


def refuse(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_nothing_is_written_without_rows(tmp_path) -> None:
    """An empty part would say that something was measured."""
    PartWriter(tmp_path, "w0", SAMPLE_SCHEMA).flush()
    assert list(tmp_path.iterdir()) == []


def test_nanoseconds_of_a_time_are_exact() -> None:
    """A float of seconds would lose microseconds."""
    assert ns(datetime(2026, 11, 24, 20, 15, 0, 123457, tzinfo=UTC)) % 1_000_000_000 == 123_457_000


def test_the_first_part_imports_nothing_any_more_once_writing_is_prepared(tmp_path) -> None:
    """Else all threads of a collector, or a generator, would stand still in the middle of a load."""
    code = f"""
import sys
from pathlib import Path
from include.loadtest.recorder import RESOURCE_SCHEMA, PartWriter, Reading, prepare_writing
prepare_writing()
before = set(sys.modules)
writer = PartWriter(Path({str(tmp_path)!r}), "host-1", RESOURCE_SCHEMA)
writer.add(Reading(1, "host", "here", "cpu_pct", 1.0, "%"))
writer.flush()
print(len([name for name in set(sys.modules) - before if name.startswith("pandas")]))
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "0\n"
    assert list(tmp_path.glob("host-1-*.parquet"))
