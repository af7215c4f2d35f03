"""A measure's line, and ratios of pairs that were taken in turn."""

import pytest

from experiments.bench.measure import Measure, Pairs, at_most, in_turn

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("ratio", "met", "shown"), [(1.1504, True, "1.150 | <= 1.15 | ok"), (None, False, "– | <= 1.15 | missed")]
)
def test_a_measure_is_one_line(ratio: float | None, met: bool, shown: str) -> None:
    """Six fields, whatever stands in the texts."""
    line = Measure("a", "1 µs |\n of CPU", "2 µs", ratio, "<= 1.15", met).line()
    assert line == f"a | 1 µs / of CPU | 2 µs | {shown}"


def test_the_ratio_is_the_median_of_the_pairs_ratios() -> None:
    """Not the ratio of the medians: what slows the machine for a while slows both of a pair."""
    pairs = Pairs(ours=(2.0, 30.0, 4.0), peers=(1.0, 10.0, 4.0))
    assert pairs.ratios == (2.0, 3.0, 1.0)
    assert (pairs.ratio, pairs.our_median, pairs.peer_median) == (2.0, 4.0, 4.0)
    assert pairs.spread() == "3 pairs 1.00–3.00"


def test_rivals_are_measured_in_turn_and_each_begins_a_pair() -> None:
    """A B, B A, A B: what comes second has no advantage."""
    order: list[str] = []

    def taken(name: str, value: float) -> float:
        order.append(name)
        return value

    pairs = in_turn(3, lambda: taken("a", 3.0), lambda: taken("b", 2.0))
    assert "".join(order) == "abbaab"
    assert pairs == Pairs((3.0, 3.0, 3.0), (2.0, 2.0, 2.0))


@pytest.mark.parametrize(("ratio", "met"), [(1.15, True), (1.1504, True), (1.1506, False)])
def test_a_ratio_is_judged_as_it_is_printed(ratio: float, met: bool) -> None:
    """A line never says 1.150 <= 1.15 and missed."""
    assert at_most(1.15, ratio) is met
