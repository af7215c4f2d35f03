"""The parts of a bundle's folder, as columns."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.loadtest.analysis.parts import columns_of, count_rows

pytestmark = pytest.mark.unit


def _write(path: Path, **columns: pa.Array) -> None:
    pq.write_table(pa.table(columns), path)


def test_parts_come_as_columns_with_their_times_in_ns(tmp_path: Path) -> None:
    """Whatever unit of time a part has; nulls stay."""
    moments = [datetime(2026, 1, 1, tzinfo=UTC), None]
    for number, unit in enumerate(("us", "ns")):
        times = pa.array(moments, type=pa.timestamp(unit, tz="UTC"))
        _write(tmp_path / f"{number}.parquet", ts=times, value=pa.array([1.0, 2.0]), other=pa.array([1, 2]))
    at_ns = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000_000
    assert list(columns_of(tmp_path, ("ts", "value"))) == 2 * [[[at_ns, None], [1.0, 2.0]]]
    assert count_rows(tmp_path) == 4


def test_parts_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    """Damaged ones, and those without a column."""
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    _write(tmp_path / "b.parquet", other=pa.array([1]))
    _write(tmp_path / "c.parquet", value=pa.array([3.0]))
    assert list(columns_of(tmp_path, ("value",))) == [[[3.0]]]
    assert count_rows(tmp_path) == 2
    assert list(columns_of(tmp_path / "nothing", ("value",))) == []
