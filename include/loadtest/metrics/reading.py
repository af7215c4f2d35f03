"""The samples, read once: everything that one look at each row gives, and the rows to look into again."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.loadtest.metrics.blocks import NO_TTFB, Cell, Reader, Store, UnknownWordError
from include.loadtest.metrics.corrected import Cycles
from include.loadtest.metrics.ends import Answers, Minutes
from include.loadtest.metrics.histogram import LATENCY, TTFT, Histogram, Rows
from include.loadtest.metrics.phases import Piece, Stretch
from include.loadtest.parts import some_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Reading:
    """What was read. `cycles_us`: a user's mean time between starts, by phase; none for users who wait for nobody."""

    parts: Sequence[Stretch]
    stages: Sequence[Piece]
    cells: Sequence[Cell]
    histogram: Histogram
    cycles_us: Mapping[str, int]
    minutes: Minutes
    answers: Answers
    store: Store

    def rows(self) -> Iterator[Rows]:
        """All latencies and times to a first token once more."""
        for block in self.store.blocks():
            yield LATENCY, block.cell, block.latency_us
            if block.ttfb_us.strides != (0,):
                has = block.ttfb_us != NO_TTFB
                yield TTFT, block.cell[has], block.ttfb_us[has]


@contextmanager
def reading(
    opened: "DuckDBPyConnection", parts: Sequence[Stretch], stages: Sequence[Piece], *, is_closed: bool = True
) -> Iterator[Reading]:
    """Read the view `samples`; `stages` make up the `parts`. Only users of a closed load have cycles.

    The names of phases, endpoints and so on are looked up in some of the parts; where others have more of them, the
    samples are read again with the names of all.
    """
    try:
        found = _read(Reader(opened, some_of("samples")), parts, stages, is_closed=is_closed)
    except UnknownWordError:
        found = _read(Reader(opened, "samples"), parts, stages, is_closed=is_closed)
    try:
        yield found
    finally:
        found.store.close()


def _read(reader: Reader, parts: Sequence[Stretch], stages: Sequence[Piece], *, is_closed: bool) -> Reading:
    histogram, cycles, minutes, answers = Histogram(), Cycles(reader.phases), Minutes(parts, stages), Answers(parts)
    store = Store()
    try:
        for block in reader.blocks():
            store.add(block)
            histogram.add((LATENCY, block.cell, block.latency_us), len(reader.cells))
            has = block.ttfb_us != NO_TTFB
            if has.any():
                histogram.add((TTFT, block.cell[has], block.ttfb_us[has]), len(reader.cells))
            end_us = block.end_us
            minutes.add(block, end_us, len(reader.cells))
            answers.add(block, end_us, reader.cells)
            if is_closed:
                cycles.add(block, reader.cells)
    except BaseException:
        store.close()
        raise
    return Reading(parts, stages, reader.cells, histogram, cycles.means_us(), minutes, answers, store)
