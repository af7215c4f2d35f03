"""The scalability law is shown only where its peak is known."""

import random

import pytest

from include.loadtest.analysis.capacity.usl import usl_peak

pytestmark = pytest.mark.unit
RATE, S, K = 60.0, 0.02, 0.0002


def law(n: float) -> float:
    return RATE * n / (1 + S * (n - 1) + K * n * (n - 1))


def test_the_peak_of_a_curve_that_bends_is_found() -> None:
    """sqrt(0.98 / 0.0002) = 70 users, with an interval around it, from steps on both sides."""
    draw = random.Random(3)
    found = usl_peak([(n, law(n) * (1 + draw.gauss(0, 0.005))) for n in (10.0, 25.0, 50.0, 75.0, 100.0, 125.0)], 187.5)
    assert found is not None
    assert found["users_low"] < 70 < found["users_high"]
    assert found["rpm_low"] < law(70) < found["rpm_high"]
    assert found["users"] == pytest.approx(70, abs=5)


def test_a_straight_line_has_no_peak() -> None:
    """Far below saturation any curvature fits: nothing is shown."""
    draw = random.Random(3)
    points = [(n, 40 * n * (1 + draw.gauss(0, 0.01))) for n in (5.0, 10.0, 15.0, 20.0, 25.0)]
    assert usl_peak(points, 37.5) is None


def test_a_peak_out_of_reach_is_not_shown() -> None:
    """The steps end at 50 users; only up to 60 may be spoken of, and the peak is at 70."""
    assert usl_peak([(n, law(n)) for n in (10.0, 20.0, 30.0, 40.0, 50.0)], 60.0) is None


def test_four_steps_are_too_few() -> None:
    """Three parameters need two more points."""
    assert usl_peak([(n, law(n)) for n in (10.0, 50.0, 70.0, 100.0)], 150.0) is None
