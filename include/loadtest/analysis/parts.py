"""The Parquet parts of a bundle's folder as columns: the one reader of what capacity and diagnosis look at."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def columns_of(folder: Path, names: Sequence[str]) -> Iterator[list[list[Any]]]:
    """The named columns of each part, times as ns since 1970; parts in order of their names.

    A part that cannot be read, or has not all of them, is left out: metrics.json names the damaged ones.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pq.read_table(path, columns=list(names))
            columns = [_listed(table.column(name)) for name in names]
        except (OSError, KeyError, pa.ArrowException):
            continue
        yield columns


def _listed(column: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", tz="UTC")).cast(pa.int64())
    return list(column.to_pylist())


def count_rows(folder: Path) -> int:
    """Rows of all parts whose footer can be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    total = 0
    for path in folder.glob("*.parquet"):
        try:
            total += pq.read_metadata(path).num_rows
        except (OSError, pa.ArrowException):
            continue
    return total
