"""Broken parts are named and left out; the others count."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.parts import SAMPLE_COLUMNS, with_parts

pytestmark = pytest.mark.unit


def rows_of(directory: Path) -> tuple[int, list[str]]:
    count, unreadable = with_parts(
        directory,
        "samples",
        SAMPLE_COLUMNS,
        lambda opened: opened.execute("SELECT count(*), max(hash(*COLUMNS(*))) FROM samples").fetchone(),
    )
    return count[0], unreadable


def test_a_killed_writers_part_is_named_and_the_others_count(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Parts without a footer, without a byte, or that are no Parquet at all cost only themselves."""
    whole = maker.samples([sample(60)] * 30, "w0-000000")
    cut = maker.samples([sample(60)] * 30, "w0-000001")
    cut.write_bytes(whole.read_bytes()[:-20])
    (maker.bundle.samples_dir / "w0-000002.parquet").write_bytes(b"")
    (maker.bundle.samples_dir / "w0-000003.parquet").write_text("not parquet")
    document = compute_metrics(maker.bundle, profile, spans)
    assert document["unreadable_parts"] == [f"samples/w0-00000{number}.parquet" for number in (1, 2, 3)]
    assert row_of(document, "latency_p95_ms")["n"] == 30


def test_a_part_that_is_not_there_is_named(maker: Any, sample: Any) -> None:
    """Its writer numbered it and wrote later ones: requests are missing."""
    for name in ("w0-17-000000", "w0-17-000003", "w1-17-000000"):
        maker.samples([sample(60)] * 3, name)
    count, missing = rows_of(maker.bundle.samples_dir)
    assert (count, missing) == (9, ["samples/w0-17-000001.parquet", "samples/w0-17-000002.parquet"])


def test_a_part_damaged_inside_is_found_when_its_rows_are_read(maker: Any, sample: Any) -> None:
    """A footer may be whole where the pages before it are not."""
    maker.samples([sample(60, step) for step in range(5000)], "w0-000000")
    damaged = maker.samples([sample(60, step) for step in range(5000)], "w0-000001")
    content = bytearray(damaged.read_bytes())
    content[4:2000] = b"\xff" * 1996
    damaged.write_bytes(content)
    count, unreadable = rows_of(maker.bundle.samples_dir)
    assert (count, unreadable) == (5000, ["samples/w0-000001.parquet"])


def test_a_part_with_other_columns_is_no_samples(maker: Any, sample: Any) -> None:
    """A file that lacks a needed column is named, not read as nulls."""
    maker.samples([sample(60)])
    target = maker.bundle.samples_dir / "other.parquet"
    duckdb.sql("SELECT 1 AS latency_us").write_parquet(str(target))
    assert rows_of(maker.bundle.samples_dir) == (1, ["samples/other.parquet"])


def test_no_directory_is_no_rows(tmp_path: Path) -> None:
    """A run without a generator has no parts; that is no error here."""
    count, unreadable = with_parts(
        tmp_path / "none", "samples", SAMPLE_COLUMNS, lambda opened: opened.execute("SELECT * FROM samples").fetchall()
    )
    assert (count, unreadable) == ([], [])


def test_an_error_that_no_part_causes_is_raised(maker: Any, sample: Any) -> None:
    """Only damage is stepped over; a wrong query stays an error."""
    maker.samples([sample(60)])
    with pytest.raises(duckdb.Error, match="no_such_column"):
        with_parts(
            maker.bundle.samples_dir,
            "samples",
            SAMPLE_COLUMNS,
            lambda opened: opened.execute("SELECT no_such_column FROM samples"),
        )
