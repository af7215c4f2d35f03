"""One reading of the samples, as blocks of numbers; a temporary file keeps what single rows are looked up in later.

A run of ten million requests has thousands of parts, and opening and decoding them is most of what its metrics cost.
So they are read once. Memory does not grow with the rows: they go by in blocks, and what is kept of them is on disk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, LOWER_BOUND_OUTCOMES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Mask = NDArray[np.bool_]

BLOCK_ROWS = 100_000
QUICK_US = 1_000_000
NO_TTFB = -1
NOBODY = -1
"""The number of the user in a row that names none."""
_WORDS = ("phase", "stage", "scenario", "endpoint", "outcome")
_MOST_CODES = 1 << 22
_TIMES = np.iinfo(np.int64)


class Cell(NamedTuple):
    """What requests have in common that are counted together. `is_quick`: a 429 or 503 within `QUICK_US`."""

    phase: str
    stage: str
    scenario: str
    endpoint: str
    outcome: str
    is_quick: bool

    @property
    def is_latency(self) -> bool:
        """Whether percentiles of latencies count these requests."""
        return self.outcome in LATENCY_OUTCOMES

    @property
    def is_bound(self) -> bool:
        """Whether their latencies are lower bounds only."""
        return self.outcome in LOWER_BOUND_OUTCOMES


@dataclass(frozen=True)
class Kept:
    """Requests, a column each: the number of the cell, intended start in µs since 1970, µs to the first token."""

    cell: "Numbers"
    start_us: "Numbers"
    latency_us: "Numbers"
    ttfb_us: "Numbers"

    @property
    def end_us(self) -> "Numbers":
        """When each of them was over."""
        return self.start_us + self.latency_us


@dataclass(frozen=True)
class Block(Kept):
    """What is not kept besides: the intended start in ns, and the number of the user."""

    start_ns: "Numbers"
    user: "Numbers"


class _Place(NamedTuple):
    """Where a block is in the file, how long it is, and from when to when its requests were in flight."""

    offset: int
    rows: int
    has_ttfb: bool
    start_us: int
    end_us: int


class Store:
    """Blocks in a temporary file, to be read as often as wanted."""

    def __init__(self) -> None:
        self._file = TemporaryFile(prefix="loadtest-samples-")  # noqa: SIM115 - closed by `close`
        self._blocks: list[_Place] = []

    def add(self, block: Kept) -> None:
        """Keep a block. Raises OSError where the disk is full."""
        if not len(block.cell):
            return
        has_ttfb = bool((block.ttfb_us != NO_TTFB).any())
        span = int(block.start_us.min()), int(block.end_us.max())
        self._blocks.append(_Place(self._file.tell(), len(block.cell), has_ttfb, *span))
        self._file.write(block.cell.astype(np.int32).data)
        for column in (block.start_us, block.latency_us, *((block.ttfb_us,) if has_ttfb else ())):
            self._file.write(np.ascontiguousarray(column).data)

    def blocks(self, from_us: int = _TIMES.min, to_us: int = _TIMES.max) -> Iterator[Kept]:
        """The blocks with requests that were in flight between these times, and some that were not."""
        for place in self._blocks:
            if place.start_us >= to_us or place.end_us <= from_us:
                continue
            self._file.seek(place.offset)
            rows = place.rows
            cell = np.frombuffer(self._file.read(4 * rows), np.int32).astype(np.int64)
            start_us, latency_us = (np.frombuffer(self._file.read(8 * rows), np.int64) for _ in range(2))
            ttfb_us = np.broadcast_to(np.int64(NO_TTFB), rows)
            if place.has_ttfb:
                ttfb_us = np.frombuffer(self._file.read(8 * rows), np.int64)
            yield Kept(cell, start_us, latency_us, ttfb_us)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()


class UnknownWordError(Exception):
    """A row has a name that was not among those which were looked up before."""


class Reader:
    """The rows of the view `samples`, and the cells that they fall into. Names are those in the view `names_from`."""

    def __init__(self, opened: "DuckDBPyConnection", names_from: str) -> None:
        self._opened = opened
        self._words = [_words(opened, column, names_from) for column in _WORDS]
        self._numbers = np.full(self._codes if self._codes <= _MOST_CODES else 0, -1, np.int64)
        self._sparse: dict[int, int] = {}
        self.cells: list[Cell] = []

    @property
    def phases(self) -> list[str]:
        """The names of the phases."""
        return self._words[0]

    @property
    def _codes(self) -> int:
        return 2 * int(np.prod([max(1, len(words)) for words in self._words], dtype=object))

    def blocks(self) -> Iterator[Block]:
        """All rows, in no order. Raises UnknownWordError, and duckdb.Error where they cannot be read."""
        if not all(self._words):
            return
        names = ", ".join(
            f"TRY_CAST({column} AS ENUM ({', '.join(map(_quoted, words))})) AS {column}"
            for column, words in zip(_WORDS, self._words, strict=True)
        )
        is_quick = f"(coalesce(status IN (429, 503), false) AND latency_us < {QUICK_US})::UTINYINT"
        numbers = (
            f"epoch_ns(intended_start) AS start_ns, latency_us, coalesce(ttfb_us, {NO_TTFB}) AS ttfb_us, "
            f'coalesce("user", {NOBODY}) AS own_user, {is_quick} AS is_quick'
        )
        rows = self._opened.sql(f"SELECT {numbers}, {names} FROM samples")  # noqa: S608 - names are quoted
        for batch in _batches(rows.to_arrow_reader(BLOCK_ROWS)):
            yield self._block(batch)

    def _block(self, batch: Any) -> Block:
        start_ns, latency_us, ttfb_us, user, quick = (_numbers(batch.column(place)) for place in range(5))
        codes = np.zeros(len(quick), np.int64)
        for place, words in enumerate(self._words, 5):
            column = batch.column(place)
            if column.null_count:
                raise UnknownWordError
            codes = codes * len(words) + _numbers(column.indices)
        return Block(self._cells_of(codes * 2 + quick), start_ns // 1000, latency_us, ttfb_us, start_ns, user)

    def _cells_of(self, codes: "Numbers") -> "Numbers":
        """The numbers of the cells; those that are new get the next ones."""
        if not len(self._numbers):
            different, places = np.unique(codes, return_inverse=True)
            return np.array([self._number(int(code)) for code in different], np.int64)[places]
        found = self._numbers[codes]
        if len(found) and found.min() < 0:
            for code in np.unique(codes[found < 0]):
                self._numbers[code] = self._number(int(code))
            found = self._numbers[codes]
        return found

    def _number(self, code: int) -> int:
        if code not in self._sparse:
            self._sparse[code] = len(self.cells)
            self.cells.append(self._cell(code))
        return self._sparse[code]

    def _cell(self, code: int) -> Cell:
        rest, quick = divmod(code, 2)
        found: list[str] = []
        for words in reversed(self._words):
            rest, place = divmod(rest, len(words))
            found.insert(0, words[place])
        phase, stage, scenario, endpoint, outcome = found
        return Cell(phase, stage, scenario, endpoint, outcome, bool(quick))


def _batches(reader: Any) -> Iterator[Any]:
    """What Arrow hands over. Raises duckdb.Error: Arrow itself gives a failure of DuckDB's as one of the disk's."""
    import duckdb
    from pyarrow import ArrowException

    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            return
        except (OSError, ArrowException) as error:
            raise duckdb.IOException(str(error)) from error
        yield batch


def _numbers(column: Any) -> "Numbers":
    """A column of whole numbers without nulls. Arrow's own `to_numpy` imports pandas, 0.3 s of CPU."""
    values = np.frombuffer(column.buffers()[1], str(column.type))  # Arrow and numpy name them alike
    return values[column.offset : column.offset + len(column)]


def _words(opened: "DuckDBPyConnection", column: str, names_from: str) -> list[str]:
    statement = f"SELECT DISTINCT {column} FROM {names_from} WHERE {column} IS NOT NULL ORDER BY 1"  # noqa: S608 - names of this module
    return [row[0] for row in opened.execute(statement).fetchall()]


def _quoted(word: str) -> str:
    return "'" + word.replace("'", "''") + "'"

