"""Broken parts are named and left out; the others count."""

from pathlib import Path

import duckdb
import pytest

from include.loadtest.parts import SAMPLE_COLUMNS, with_files, with_parts
from include.loadtest.recorder import SAMPLE_SCHEMA, Sample, write_part

pytestmark = pytest.mark.unit
ROW = Sample(0, 0, 60, None, "simple_query", "chat", 0, "hold", "hold", "ok", None, 200, 1, None, "w0", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "samples").mkdir()
    return tmp_path / "samples"


def part(folder: Path, rows: int, name: str = "w0-000000") -> Path:
    path = folder / f"{name}.parquet"
    write_part([ROW._replace(latency_us=60 + number) for number in range(rows)], SAMPLE_SCHEMA, path)
    return path


def rows_of(folder: Path) -> tuple[int, list[str]]:
    count, unreadable = with_parts(
        folder,
        "samples",
        SAMPLE_COLUMNS,
        lambda opened: opened.execute("SELECT count(*), max(hash(*COLUMNS(*))) FROM samples").fetchone(),
    )
    assert count is not None
    return count[0], unreadable


def test_a_killed_writers_part_is_named_and_the_others_count(folder: Path) -> None:
    """Parts without a footer, without a byte, or that are no Parquet at all cost only themselves."""
    whole = part(folder, 30)
    (folder / "w0-000001.parquet").write_bytes(whole.read_bytes()[:-20])
    (folder / "w0-000002.parquet").write_bytes(b"")
    (folder / "w0-000003.parquet").write_text("not parquet")
    assert rows_of(folder) == (30, [f"samples/w0-00000{number}.parquet" for number in (1, 2, 3)])


def test_a_part_that_is_not_there_is_named(folder: Path) -> None:
    """Its writer numbered it and wrote later ones: requests are missing."""
    for name in ("w0-17-000000", "w0-17-000003", "w1-17-000000"):
        part(folder, 3, name)
    assert rows_of(folder) == (9, ["samples/w0-17-000001.parquet", "samples/w0-17-000002.parquet"])


def test_a_part_damaged_inside_is_found_when_its_rows_are_read(folder: Path) -> None:
    """A footer may be whole where the pages before it are not."""
    part(folder, 5000)
    damaged = part(folder, 5000, "w0-000001")
    content = bytearray(damaged.read_bytes())
    content[4:2000] = b"\xff" * 1996
    damaged.write_bytes(content)
    assert rows_of(folder) == (5000, ["samples/w0-000001.parquet"])


def test_a_part_with_other_columns_is_no_samples(folder: Path) -> None:
    """A file that lacks a needed column is named, not read as nulls."""
    part(folder, 1)
    duckdb.sql("SELECT 1 AS latency_us").write_parquet(str(folder / "other.parquet"))
    assert rows_of(folder) == (1, ["samples/other.parquet"])


def test_no_directory_is_no_rows(tmp_path: Path) -> None:
    """A run without a generator has no parts; that is no error here."""
    count, unreadable = with_parts(
        tmp_path / "none", "samples", SAMPLE_COLUMNS, lambda opened: opened.execute("SELECT * FROM samples").fetchall()
    )
    assert (count, unreadable) == ([], [])


def test_an_error_that_no_part_causes_is_raised(folder: Path) -> None:
    """Only damage is stepped over; a wrong query stays an error."""
    part(folder, 1)
    with pytest.raises(duckdb.Error, match="no_such_column"):
        with_parts(
            folder, "samples", SAMPLE_COLUMNS, lambda opened: opened.execute("SELECT no_such_column FROM samples")
        )


def test_of_chosen_parts_only_these_are_read(folder: Path) -> None:
    """Whoever knows which parts have a row reads no other."""
    part(folder, 3)
    chosen = part(folder, 5, "w0-000001")
    (folder / "w0-000002.parquet").write_bytes(b"")
    counted = with_files(
        [chosen], "samples", SAMPLE_COLUMNS, lambda opened: opened.execute("SELECT count(*) FROM samples").fetchall()
    )
    assert counted == [(5,)]
