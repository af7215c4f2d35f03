"""When requests were over: counts by minute, and the times without an answer that a stall may hide in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from include.loadtest.metrics.blocks import Cell, Kept
from include.loadtest.metrics.phases import MINUTE_US, Piece, Stretch
from include.loadtest.profile.vocabulary import ANSWER_OUTCOMES

if TYPE_CHECKING:
    from include.loadtest.metrics.blocks import Mask, Numbers

_NONE = np.iinfo(np.int64)
_SLOT_US = 10_000
_MOST_SLOTS = 4_000_000


class Timeline:
    """Which of some spans a time lies in: where several do, the first of them; -1 for none."""

    def __init__(self, spans: Sequence[tuple[int, int]]) -> None:
        self._edges = np.unique(np.array(spans, np.int64).reshape(-1))
        owners = [
            next((number for number, (start_us, end_us) in enumerate(spans) if start_us <= edge < end_us), -1)
            for edge in self._edges.tolist()
        ]
        self._owners = np.array([-1, *owners], np.int64)

    def at(self, us: "Numbers") -> "Numbers":
        """The number of the span of each time."""
        return self._owners[np.searchsorted(self._edges, us, "right")]


class Minutes:
    """Requests by cell and by the minute of their piece's stretch in which they ended."""

    def __init__(self, parts: Sequence[Stretch], stages: Sequence[Piece]) -> None:
        self._timeline = Timeline([(piece.start_us, piece.end_us) for piece in stages])
        begins = [parts[piece.stretch].start_us for piece in stages]
        firsts = [(piece.start_us - begin) // MINUTE_US for piece, begin in zip(stages, begins, strict=True)]
        lasts = [(piece.end_us - 1 - begin) // MINUTE_US for piece, begin in zip(stages, begins, strict=True)]
        self.slots = [
            (number, minute)
            for number, (first, last) in enumerate(zip(firsts, lasts, strict=True))
            for minute in range(first, last + 1)
        ]
        """Number of the piece, and minute from the start of its stretch."""
        lengths = [last - first + 1 for first, last in zip(firsts, lasts, strict=True)]
        before = np.cumsum([0, *lengths])[:-1]
        # A piece's slots follow each other: the slot of a minute is its own number and this; outside of all, the last.
        self._shift = np.array([*(before - np.array(firsts, np.int64)), 0], np.int64)
        self._begins = np.array([*begins, 0], np.int64)
        self.counts = np.zeros((0, len(self.slots) + 1), np.int64)

    def add(self, block: Kept, end_us: "Numbers", cells: int) -> None:
        """Count a block; there are so many cells by now."""
        if not self.slots:
            return
        width = len(self.slots) + 1
        if cells > len(self.counts):
            self.counts = np.pad(self.counts, ((0, cells - len(self.counts)), (0, 0)))
        piece = self._timeline.at(end_us)
        slot = (end_us - self._begins[piece]) // MINUTE_US + self._shift[piece]
        slot[piece < 0] = width - 1
        np.add.at(self.counts.reshape(-1), block.cell * width + slot, 1)


@dataclass(frozen=True)
class Gaps:
    """Times without an answer, in order: of which stretch, from when to when (µs since 1970)."""

    stretch: "Numbers"
    from_us: "Numbers"
    to_us: "Numbers"

    def chosen(self, which: "Mask | Numbers") -> "Gaps":
        """Some of them."""
        return Gaps(self.stretch[which], self.from_us[which], self.to_us[which])

    @property
    def length_us(self) -> "Numbers":
        """How long they are."""
        return self.to_us - self.from_us


class Answers:
    """The first and the last answer in each slot of time: so all gaps are known that are at least a slot long."""

    def __init__(self, parts: Sequence[Stretch]) -> None:
        self._parts = parts
        self.timeline = Timeline([(part.start_us, part.end_us) for part in parts])
        self._start_us = min((part.start_us for part in parts), default=0)
        length_us = max((part.end_us for part in parts), default=0) - self._start_us
        self.slot_us = max(_SLOT_US, -(-length_us // _MOST_SLOTS))
        # The slots of a later stretch lie behind those of an earlier one, also where two share a slot of time.
        slots = length_us // self.slot_us + 1 + len(parts)
        self._first_us = np.full(slots + 1, _NONE.max, np.int64)
        self._last_us = np.full(slots + 1, _NONE.min, np.int64)
        self.counts = np.zeros(len(parts) + 1, np.int64)
        """Answers by stretch; the last number is of those outside of all."""

    def add(self, block: Kept, end_us: "Numbers", cells: Sequence[Cell]) -> None:
        """Count a block."""
        stretch = np.where(answers_in(cells)[block.cell], self.timeline.at(end_us), -1)
        self.counts += np.bincount(stretch % len(self.counts), minlength=len(self.counts))
        slot = np.where(stretch < 0, -1, (end_us - self._start_us) // self.slot_us + stretch)
        np.minimum.at(self._first_us, slot, end_us)
        np.maximum.at(self._last_us, slot, end_us)

    def gaps(self) -> Gaps:
        """Those of at least a slot."""
        used = np.flatnonzero(self._last_us[:-1] != _NONE.min)
        first_us, last_us = self._first_us[used], self._last_us[used]
        owner = self.timeline.at(first_us)
        found = [
            gaps_between(number, part, first_us[owner == number], last_us[owner == number], self.slot_us)
            for number, part in enumerate(self._parts)
        ]
        return joined(found)


def answers_in(cells: Sequence[Cell]) -> "Mask":
    """Which cells are of requests that came to an answer."""
    return np.array([cell.outcome in ANSWER_OUTCOMES for cell in cells], bool)


def gaps_between(number: int, part: Stretch, first_us: "Numbers", last_us: "Numbers", least_us: int) -> Gaps:
    """Gaps of a stretch of at least so many µs, between times of answers that are given by their first and last."""
    from_us, to_us = np.r_[part.start_us, last_us], np.r_[first_us, part.end_us]
    long = to_us - from_us >= least_us
    return Gaps(np.full(int(long.sum()), number, np.int64), from_us[long], to_us[long])


def joined(gaps: Sequence[Gaps]) -> Gaps:
    """All of them, in order."""
    none = np.zeros(0, np.int64)
    columns = [np.concatenate([none, *(getattr(one, name) for one in gaps)]) for name in Gaps.__dataclass_fields__]
    order = np.lexsort((columns[2], columns[1]))
    return Gaps(*(column[order] for column in columns))
