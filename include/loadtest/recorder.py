"""Writes samples: one row a request, in Parquet parts that are closed every few seconds.

Memory holds the open part only, so it does not grow with a run, and a killed generator loses at most that part. Parts
appear by renaming a finished file. One writer each: the worker's name is in the file's name.
"""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

LOG = logging.getLogger("loadtest.recorder")
MAX_UNWRITTEN_ROWS = 500_000
"""About 200 MB: so much is kept for a disk that may have room again."""
TIMESTAMP = pa.timestamp("ns", tz="UTC")

SAMPLE_SCHEMA = pa.schema(
    [
        ("intended_start", TIMESTAMP),
        ("start", TIMESTAMP),
        ("latency_us", pa.int64()),
        ("ttfb_us", pa.int64()),
        ("scenario", pa.string()),
        ("endpoint", pa.string()),
        ("iteration", pa.int64()),
        ("phase", pa.string()),
        ("stage", pa.string()),
        ("outcome", pa.string()),
        ("error", pa.string()),
        ("status", pa.int32()),
        ("bytes", pa.int64()),
        ("cache_hit", pa.bool_()),
        ("worker", pa.string()),
        ("user", pa.int32()),
    ]
)
RESOURCE_SCHEMA = pa.schema(
    [
        ("ts", TIMESTAMP),
        ("source", pa.string()),
        ("instance", pa.string()),
        ("metric", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
    ]
)


class Sample(NamedTuple):
    """One request; times in ns since the epoch (UTC), durations in µs. The order is that of SAMPLE_SCHEMA."""

    intended_start: int
    start: int
    latency_us: int
    ttfb_us: int | None
    scenario: str
    endpoint: str
    iteration: int
    phase: str
    stage: str
    outcome: str
    error: str | None
    status: int | None
    bytes: int | None
    cache_hit: bool | None
    worker: str
    user: int


class Reading(NamedTuple):
    """One reading of a resource; `ts` in ns since the epoch (UTC). The order is that of RESOURCE_SCHEMA."""

    ts: int
    source: str
    instance: str
    metric: str
    value: float
    unit: str


def write_part(rows: Sequence[Sequence[Any]], schema: pa.Schema, path: Path) -> None:
    """Write rows as one Parquet file, whole or not at all."""
    columns = [pa.array(column, type=field.type) for column, field in zip(zip(*rows, strict=True), schema, strict=True)]
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        pq.write_table(pa.Table.from_arrays(columns, schema=schema), temporary, compression="zstd")
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def prepare_writing() -> None:
    """Take the cost of the first part now: pyarrow imports pandas with it, 0.3 s of CPU that hold up all threads."""
    pa.array([0])


def run_inline(work: Callable[[], None]) -> None:
    """The plain way to run a piece of work: now."""
    work()


class PartWriter:
    """Collects rows and writes a part when `flush` is called or `max_rows` are open.

    `submit` runs the writing, for example in a thread, so that the caller's hot path only appends to a list. A part
    that cannot be written (a full disk) is kept and tried again with the next flush, up to `MAX_UNWRITTEN_ROWS`.
    """

    def __init__(
        self,
        directory: Path,
        stem: str,
        schema: pa.Schema,
        *,
        max_rows: int = 50_000,
        submit: Callable[[Callable[[], None]], object] = run_inline,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._stem, self._schema = directory, stem, schema
        self._max_rows, self._submit = max_rows, submit
        self._rows: list[Sequence[Any]] = []
        self._parts = 0
        self._failed: deque[tuple[list[Sequence[Any]], Path]] = deque()
        self._given_up_rows = 0

    @property
    def unwritten_rows(self) -> int:
        """Rows of closed parts that could not be written so far, or at all."""
        return self._given_up_rows + sum(len(rows) for rows, _ in tuple(self._failed))

    def add(self, row: Sequence[Any]) -> None:
        """Append a row in the schema's order."""
        self._rows.append(row)
        if len(self._rows) >= self._max_rows:
            self.flush()

    def flush(self) -> None:
        """Close the open part and try again what could not be written; without rows, nothing is written."""
        for _ in range(len(self._failed)):
            self._submit(partial(self._write, *self._failed.popleft()))
        if not self._rows:
            return
        rows, self._rows = self._rows, []
        path = self._directory / f"{self._stem}-{self._parts:06d}.parquet"
        self._parts += 1
        self._submit(partial(self._write, rows, path))

    def _write(self, rows: list[Sequence[Any]], path: Path) -> None:
        try:
            write_part(rows, self._schema, path)
        except OSError as error:
            LOG.warning("%s could not be written: %s", path.name, error.strerror or error)
            if self.unwritten_rows + len(rows) > MAX_UNWRITTEN_ROWS:
                self._given_up_rows += len(rows)
            else:
                self._failed.append((rows, path))


def ns(moment: datetime) -> int:
    """Nanoseconds since the epoch of an aware datetime, exact to its microsecond."""
    whole = int(moment.timestamp())
    return whole * 1_000_000_000 + moment.microsecond * 1000
