"""Times of ends against plain Python."""

import numpy as np
import pytest

from include.loadtest.metrics.blocks import Cell, Kept
from include.loadtest.metrics.ends import Answers, Minutes, Timeline
from include.loadtest.metrics.phases import MINUTE_US, Piece, Stretch

pytestmark = pytest.mark.unit
OK = Cell("hold", "hold", "simple_query", "chat", "ok", False)
LATE = OK._replace(outcome="timeout")


def block(cells: list[int], ends_us: list[int]) -> Kept:
    """Requests that took no time."""
    ends, zeros = np.array(ends_us, np.int64), np.zeros(len(ends_us), np.int64)
    return Kept(np.array(cells, np.int64), ends, zeros, zeros - 1)


def test_a_time_lies_in_the_first_span_that_has_it() -> None:
    """A span's end is no longer part of it; between and outside of spans there is none."""
    spans = [(10, 20), (15, 30), (40, 50)]
    times = np.arange(0, 60)
    wanted = [next((n for n, (low, high) in enumerate(spans) if low <= us < high), -1) for us in times.tolist()]
    assert Timeline(spans).at(times).tolist() == wanted
    assert Timeline([]).at(times).tolist() == [-1] * 60


def test_minutes_run_from_the_start_of_the_stretch() -> None:
    """A stage that begins in mid-minute shares that minute with the one before it."""
    part = Stretch("hold", 0, 3 * MINUTE_US)
    middle_us = MINUTE_US * 3 // 2
    stages = [Piece("hold", "one", 0, 0, middle_us), Piece("hold", "two", 0, middle_us, part.end_us)]
    minutes = Minutes([part], stages)
    own = block([0, 0, 1, 0, 0], [0, MINUTE_US, middle_us, middle_us - 1, part.end_us])
    minutes.add(own, own.end_us, 2)
    assert minutes.slots == [(0, 0), (0, 1), (1, 1), (1, 2)]
    assert minutes.counts.tolist() == [[1, 2, 0, 0, 1], [0, 0, 1, 0, 0]]


def test_gaps_are_those_of_at_least_a_slot_between_answers() -> None:
    """What came to no answer ends no gap; the ends of the stretch do."""
    parts = [Stretch("hold", 0, 200_000), Stretch("recovery", 200_000, 230_000)]
    answers = Answers(parts)
    own = block([0, 0, 1, 0, 0], [4_000, 9_000, 60_000, 150_000, 205_000])
    answers.add(own, own.end_us, [OK, LATE])
    gaps = answers.gaps()
    assert answers.slot_us == 10_000
    assert answers.counts.tolist() == [3, 1, 1]
    assert list(zip(gaps.stretch.tolist(), gaps.from_us.tolist(), gaps.to_us.tolist(), strict=True)) == [
        (0, 9_000, 150_000),
        (0, 150_000, 200_000),
        (1, 205_000, 230_000),
    ]
