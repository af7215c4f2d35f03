"""Latencies corrected for users who waited: the starts that a late answer kept a user from are filled in.

In a closed load a user who waits starts nothing, so a stall leaves few slow rows, however many requests people would
have made meanwhile (coordinated omission). HdrHistogram's rule (Gil Tene, `copyCorrectedForCoordinatedOmission`): a
latency L of a user who starts anew every C stands also for the starts that it kept back, which would have waited L − C,
L − 2C, … as long as that is at least C.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from include.loadtest.metrics.blocks import BLOCK_ROWS, NOBODY, Block, Cell, Kept
from include.loadtest.metrics.histogram import FILL, Rows

if TYPE_CHECKING:
    from include.loadtest.metrics.blocks import Numbers

_NEVER = np.iinfo(np.int64)


class Cycles:
    """How often each user started in each phase, first and last when."""

    def __init__(self, phases: Sequence[str]) -> None:
        self._phases = list(phases)
        self._starts, self._first_ns, self._last_ns = (np.zeros(0, np.int64) for _ in range(3))

    def add(self, block: Block, cells: Sequence[Cell]) -> None:
        """Count the starts of a block; those of nobody are no user's cycle."""
        numbers = np.array([self._phases.index(cell.phase) for cell in cells], np.int64)
        key, start_ns = block.user * len(self._phases) + numbers[block.cell], block.start_ns
        if (block.user <= NOBODY).any():
            has_user = block.user > NOBODY
            key, start_ns = key[has_user], start_ns[has_user]
        self._grow(int(key.max(initial=-1)) + 1)
        np.add.at(self._starts, key, 1)
        np.minimum.at(self._first_ns, key, start_ns)
        np.maximum.at(self._last_ns, key, start_ns)

    def _grow(self, size: int) -> None:
        more = max(0, size - len(self._starts))
        more += -more % max(1, len(self._phases))
        self._starts = np.pad(self._starts, (0, more))
        self._first_ns = np.pad(self._first_ns, (0, more), constant_values=_NEVER.max)
        self._last_ns = np.pad(self._last_ns, (0, more), constant_values=_NEVER.min)

    def means_us(self) -> dict[str, int]:
        """By phase the mean over its users of the mean time between a user's successive intended starts.

        A phase where no user started twice has none.
        """
        found = {}
        for number, phase in enumerate(self._phases):
            starts, first_ns, last_ns = (
                column[number :: len(self._phases)] for column in (self._starts, self._first_ns, self._last_ns)
            )
            again = starts > 1
            if again.any():
                mean_ns = ((last_ns[again] - first_ns[again]) / (starts[again] - 1)).mean()
                found[phase] = math.floor(mean_ns / 1000 + 0.5)
        return {phase: cycle_us for phase, cycle_us in found.items() if cycle_us > 0}


def cycles_of(cells: Sequence[Cell], cycles_us: Mapping[str, int]) -> "Numbers":
    """The cycle of each cell's phase; 0 where nothing is filled in: there is none, or its rows are no latencies."""
    return np.array([cycles_us.get(cell.phase, 0) if cell.is_latency else 0 for cell in cells], np.int64)


def fills(blocks: Iterable[Kept], cycle_us: "Numbers") -> Iterator[Rows]:
    """What is filled in, a row a missing start, no more than `BLOCK_ROWS` at once; `cycle_us` is each cell's.

    A user's latencies add up to no more than its cycles, so there are hardly more rows filled in than measured: but
    the cycle is the mean of all users, and a few who wait for long among many quick ones have many rows each.
    """
    for block in blocks:
        own_us = cycle_us[block.cell]
        slow = (own_us > 0) & (block.latency_us >= 2 * own_us)
        cell, own_us, latency_us = block.cell[slow], own_us[slow], block.latency_us[slow]
        missing = latency_us // own_us - 1
        ends = np.cumsum(missing)
        for begin in range(0, int(missing.sum()), BLOCK_ROWS):
            places = np.arange(begin, min(begin + BLOCK_ROWS, int(ends[-1])))
            row = np.searchsorted(ends, places, side="right")
            number = places - (ends - missing)[row] + 1
            yield FILL, cell[row], latency_us[row] - number * own_us[row]
