"""Stalls: somebody waits for an answer and nothing comes back, to anybody.

The percentiles of a closed load hardly show one, since a user who waits asks for nothing more.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from include.loadtest.metrics.blocks import Kept, Store
from include.loadtest.metrics.ends import Gaps, answers_in, gaps_between, joined
from include.loadtest.metrics.phases import Stretch
from include.loadtest.metrics.reading import Reading

if TYPE_CHECKING:
    from include.loadtest.metrics.blocks import Numbers

_BATCHES = (1, 1000, 1_000_000_000)
"""So many of the longest gaps are looked into at once; in a busy run the longest alone decides."""
_WINDOW_ANSWERS = 1_000_000
_MOST_SHORT_GAPS = 1_000_000


@dataclass(frozen=True)
class Stall:
    """The longest time in a phase with a request in flight and no answer to any; `answers` ended in the phase.

    A request is in flight from its intended start to its end. `start_us`: since 1970 (UTC); `waiting`: requests that
    were in flight during the stall. All three are None where no request was in flight.
    """

    answers: int
    seconds: float | None = None
    start_us: int | None = None
    waiting: int | None = None


def longest_stalls(read: Reading) -> dict[str, Stall]:
    """The longest stall by phase.

    Not every end is sorted: the reading knows all gaps between answers that are at least a slot of time long, and only
    the requests in flight in the longest gaps are looked at one by one. Only where no stall is that long, the ends of
    the phase are sorted, window by window.
    """
    gaps = read.answers.gaps()
    found = {}
    for phase in dict.fromkeys(part.phase for part in read.parts):
        own = [number for number, part in enumerate(read.parts) if part.phase == phase]
        answers = int(read.answers.counts[own].sum())
        stall = _longest(read, gaps.chosen(np.isin(gaps.stretch, own)), answers)
        if stall.seconds is None or stall.seconds * 1e6 < read.answers.slot_us:
            stall = _longest(read, joined([_short_gaps(read, number) for number in own]), answers)
        found[phase] = stall
    return found


def _longest(read: Reading, gaps: Gaps, answers: int) -> Stall:
    """The longest stall in the gaps of a phase. No shorter gap is looked into than the longest stall found."""
    order = np.lexsort((gaps.from_us, -gaps.length_us))
    best = Stall(answers)
    for batch in _BATCHES:
        chosen = np.sort(order[:batch])
        if len(chosen):
            best = _in_flight(gaps.chosen(chosen), read.store, answers)
        if batch >= len(order):
            break
        if best.seconds is not None and gaps.length_us[order[batch]] <= best.seconds * 1e6:
            break
    return best


def _in_flight(gaps: Gaps, store: Store, answers: int) -> Stall:
    """Within each gap the requests in flight, joined to unbroken times of waiting; the longest of them."""
    none = np.zeros(0, np.int64)
    blocks = store.blocks(int(gaps.from_us[0]), int(gaps.to_us[-1]))
    found = [(none, none, none), *(_inside(gaps, block) for block in blocks)]
    gap, from_us, to_us = (np.concatenate(column) for column in zip(*found, strict=True))
    if not len(gap):
        return Stall(answers)
    order = np.lexsort((to_us, from_us, gap))
    gap, from_us, to_us = gap[order], from_us[order], to_us[order]
    # Gaps follow each other, so what was in flight in an earlier one never reaches into a later one.
    reached_us = np.maximum.accumulate(to_us)
    first = np.flatnonzero(np.r_[True, (gap[1:] != gap[:-1]) | (from_us[1:] > reached_us[:-1])])
    last = np.r_[first[1:], len(gap)] - 1
    length_us = reached_us[last] - from_us[first]
    longest = int(np.argmax(length_us))  # the first of equal ones, in order of time
    waiting = int(last[longest] - first[longest]) + 1
    return Stall(answers, int(length_us[longest]) / 1e6, int(from_us[first[longest]]), waiting)


def _inside(gaps: Gaps, block: Kept) -> tuple["Numbers", "Numbers", "Numbers"]:
    """The numbers of gaps in which requests of the block are in flight, from when to when: a row for each of both."""
    start_us, end_us = block.start_us, block.end_us
    near = (start_us < gaps.to_us[-1]) & (end_us > gaps.from_us[0])
    start_us, end_us = start_us[near], end_us[near]
    low = np.searchsorted(gaps.to_us, start_us, "right")
    high = np.searchsorted(gaps.from_us, end_us, "left")
    crossed = np.where(end_us > start_us, np.maximum(high - low, 0), 0)
    ends = np.cumsum(crossed)
    gap = np.repeat(low - (ends - crossed), crossed) + np.arange(int(crossed.sum()))
    from_us = np.maximum(np.repeat(start_us, crossed), gaps.from_us[gap])
    return gap, from_us, np.minimum(np.repeat(end_us, crossed), gaps.to_us[gap])


def _short_gaps(read: Reading, number: int) -> Gaps:
    """The longest of all gaps of a stretch, as many as memory is for, from its ends in windows of time."""
    part = read.parts[number]
    windows = -(-int(read.answers.counts[number]) // _WINDOW_ANSWERS)
    edges = np.linspace(part.start_us, part.end_us, max(1, windows) + 1).astype(np.int64)
    found, from_us = Gaps(*(np.zeros(0, np.int64),) * 3), part.start_us
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        ends_us = np.sort(_answers_between(read, number, low, high))
        within = Stretch(part.phase, from_us, part.end_us if high == part.end_us else from_us)
        own = gaps_between(number, within, ends_us, ends_us, 1)
        found = joined([found, own])
        found = found.chosen(np.sort(np.argsort(-found.length_us, kind="stable")[:_MOST_SHORT_GAPS]))
        from_us = int(ends_us[-1]) if len(ends_us) else from_us
    return found


def _answers_between(read: Reading, number: int, low_us: int, high_us: int) -> "Numbers":
    """When the answers of a stretch came that came within a window."""
    is_answer = answers_in(read.cells)
    found: list[Numbers] = [np.zeros(0, np.int64)]
    for block in read.store.blocks(low_us - 1, high_us):
        end_us = block.end_us
        near = is_answer[block.cell] & (end_us >= low_us) & (end_us < high_us)
        end_us = end_us[near]
        found.append(end_us[read.answers.timeline.at(end_us) == number])
    return np.concatenate(found)
