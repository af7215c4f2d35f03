"""Exact places among any number of rows, without sorting them or holding them.

Rows are counted in narrow buckets (at most 1/64 wide); the counts tell in which bucket each wanted place lies, and of
these buckets only the rows are looked at, as values with how often they occur.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from include.loadtest.metrics.blocks import Mask, Numbers

LATENCY, TTFT, FILL = range(3)
"""What a row is: a request's latency, its time to the first token, or a missing start's latency (see `corrected`)."""
_KINDS = 3
_MANTISSA_BITS = 6
_DOUBLE_BITS = 52
_ONE = 1023 << _MANTISSA_BITS  # the bucket of 1 µs, before they are numbered from 1
BUCKETS = 40 << _MANTISSA_BITS
"""Up to 12 days; what is longer is in the last one."""

Rows = tuple[int, "Numbers", "Numbers"]
"""A kind, cells and µs."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Rows of some kinds in some cells."""

    kinds: tuple[int, ...]
    cells: "Mask"


def bucket_of(us: "Numbers") -> "Numbers":
    """The number of each one's bucket, which never falls where the value rises: the upper bits of a double."""
    bits = us.astype(np.float64).view(np.int64)
    bits >>= _DOUBLE_BITS - _MANTISSA_BITS
    bits -= _ONE - 1
    np.maximum(bits, 0, out=bits)  # 0 and what is below it: the sign is the highest bit
    return np.minimum(bits, BUCKETS - 1, out=bits)


class Histogram:
    """Counts by kind, cell and bucket."""

    def __init__(self) -> None:
        self.counts: NDArray[np.int64] = np.zeros((_KINDS, 0, BUCKETS), np.int64)

    def add(self, rows: Rows, cells: int) -> None:
        """Count rows; there are so many cells by now."""
        kind, cell, us = rows
        if cells > self.counts.shape[1]:
            more = np.zeros((_KINDS, cells - self.counts.shape[1], BUCKETS), np.int64)
            self.counts = np.concatenate([self.counts, more], axis=1)
        np.add.at(self.counts[kind].reshape(-1), cell * BUCKETS + bucket_of(us), 1)

    def of(self, selection: Selection) -> "Numbers":
        """The selected rows by bucket."""
        found: Numbers = sum(
            (self.counts[kind, selection.cells].sum(axis=0) for kind in selection.kinds), np.zeros(BUCKETS, np.int64)
        )
        return found

    def has_from(self, cells: "Mask", us: int) -> bool:
        """Whether there may be a latency of that length or longer in the cells."""
        return bool(self.counts[LATENCY, cells, int(bucket_of(np.array([us]))[0]) :].any())


@dataclass(frozen=True)
class _Place:
    """A wanted place, from 1: the bucket in which it is, and the place in there."""

    number: int
    rank: int
    bucket: int
    in_bucket: int


def exact_values(
    histogram: Histogram, wanted: Sequence[tuple[Selection, Iterable[int]]], rows: Iterator[Rows]
) -> list[Mapping[int, int]]:
    """For each selection the values in µs at its wanted places, by place. `rows` are those that were counted."""
    places = [place for number, one in enumerate(wanted) for place in _located(histogram, number, *one)]
    is_wanted = np.zeros(histogram.counts.shape, bool)
    for place in places:
        selection = wanted[place.number][0]
        for kind in selection.kinds:
            is_wanted[kind, selection.cells, place.bucket] = True
    values_us, owners, counts = _gathered(is_wanted, rows)
    buckets = bucket_of(values_us)
    found: list[dict[int, int]] = [{} for _ in wanted]
    masks = [_owners(selection, histogram.counts.shape[1]) for selection, _ in wanted]
    for place in places:
        low, high = np.searchsorted(buckets, (place.bucket, place.bucket + 1))
        below = np.cumsum(np.where(masks[place.number][owners[low:high]], counts[low:high], 0))
        found[place.number][place.rank] = int(values_us[low + np.searchsorted(below, place.in_bucket)])
    return list(found)


def _located(histogram: Histogram, number: int, selection: Selection, ranks: Iterable[int]) -> list[_Place]:
    upto = np.cumsum(histogram.of(selection))
    buckets = [(rank, int(np.searchsorted(upto, rank))) for rank in sorted(set(ranks))]
    return [
        _Place(number, rank, bucket, rank - (int(upto[bucket - 1]) if bucket else 0)) for rank, bucket in buckets
    ]


def _owners(selection: Selection, cells: int) -> "Mask":
    """Which kinds of which cells are selected, one after the other."""
    found = np.zeros((_KINDS, cells), bool)
    found[list(selection.kinds)] = selection.cells
    return found.reshape(-1)


def _gathered(is_wanted: "NDArray[np.bool_]", rows: Iterator[Rows]) -> tuple["Numbers", "Numbers", "Numbers"]:
    """The different values of the wanted buckets in order, whose they are, and how often each occurs."""
    cells = is_wanted.shape[1]
    found = []
    for kind, cell, us in rows:
        own = is_wanted[kind].reshape(-1)[cell * BUCKETS + bucket_of(us)]
        found.append(_counted(us[own], kind * cells + cell[own], np.ones(int(own.sum()), np.int64)))
    if not found:
        return (np.zeros(0, np.int64),) * 3
    return _counted(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _counted(us: "Numbers", owner: "Numbers", count: "Numbers") -> tuple["Numbers", "Numbers", "Numbers"]:
    """Equal ones as one, in order of the value."""
    if not len(us):
        return us, owner, count
    order = np.lexsort((owner, us))
    us, owner, count = us[order], owner[order], count[order]
    first = np.flatnonzero(np.r_[True, (us[1:] != us[:-1]) | (owner[1:] != owner[:-1])])
    return us[first], owner[first], np.add.reduceat(count, first)
