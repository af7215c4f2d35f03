"""The utilisation law finds the demand of a request, and how sure it is of it."""

import random

import pytest

from include.loadtest.analysis.capacity.law import fitted, student

pytestmark = pytest.mark.unit


def test_demand_and_what_is_busy_without_load_are_found_exactly_without_noise() -> None:
    """0.2 cores idle and 30 ms of a core an answer: two cores end at (2 - 0.2) / 0.03 = 60 answers a second."""
    line = fitted([(x, 0.2 + 0.03 * x) for x in (10.0, 20.0, 30.0, 40.0)])
    assert line is not None
    assert (line.demand_s, line.idle) == (pytest.approx(0.03), pytest.approx(0.2))
    assert line.throughput_at(2) == pytest.approx(60)
    assert line.interval_at(2) == pytest.approx((60, 60))


@pytest.mark.parametrize("with_idle", [True, False])
@pytest.mark.parametrize("points", [[], [(1.0, 0.1), (2.0, 0.2)], [(5.0, 0.1), (5.0, 0.2), (5.0, 0.3)]])
def test_too_few_points_or_one_throughput_give_nothing(points: list[tuple[float, float]], with_idle: bool) -> None:
    """A line needs points that differ."""
    assert fitted(points, with_idle=with_idle) is None


def test_a_line_through_zero_is_surer() -> None:
    """The same noisy points: where nothing can be busy without load, the interval is narrower, from three points on."""
    points = [(10.0, 0.32), (20.0, 0.58), (30.0, 0.93), (40.0, 1.18)]
    free, through_zero = fitted(points), fitted(points, with_idle=False)
    assert free is not None
    assert through_zero is not None
    assert through_zero.idle == 0
    widths = [high - low for low, high in (line.interval_at(2) or (0, 0) for line in (through_zero, free))]
    assert 0 < widths[0] < widths[1]
    three = fitted(points[:3], with_idle=False)
    assert three is not None
    assert three.interval_at(2) is not None


def test_three_points_have_a_value_and_no_interval() -> None:
    """One degree of freedom says nothing."""
    line = fitted([(1.0, 0.1), (2.0, 0.2), (3.0, 0.31)])
    assert line is not None
    assert line.interval_at(1) is None
    assert line.follows_load


@pytest.mark.parametrize("with_idle", [True, False])
def test_the_interval_holds_the_truth_as_often_as_it_says(with_idle: bool) -> None:
    """95 % of 400 noisy lines, within what chance allows (3 standard errors: 91.7 to 98.3 %)."""
    draw, hits = random.Random(7), 0
    for _ in range(400):
        line = fitted([(x, 0.03 * x + draw.gauss(0, 0.02)) for x in (5.0, 10.0, 15.0, 20.0, 25.0)], with_idle=with_idle)
        assert line is not None
        ends = line.interval_at(1)
        hits += ends is not None and ends[0] <= 1 / 0.03 <= ends[1]
    assert 0.917 <= hits / 400 <= 0.983


def test_what_does_not_rise_with_the_load_has_no_end() -> None:
    """A flat scatter: the slope is not known to be positive, and Fieller's interval is open."""
    line = fitted([(10.0, 0.5), (20.0, 0.4), (30.0, 0.55), (40.0, 0.45)])
    assert line is not None
    assert not line.follows_load
    assert line.interval_at(1) is None


def test_student_is_that_of_the_tables() -> None:
    """2.776 with 4 degrees of freedom."""
    assert student(4) == pytest.approx(2.776, abs=0.001)
