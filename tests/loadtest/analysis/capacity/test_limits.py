"""Each limit has the last step within it and the first beyond it; between them only where the figures rise."""

import pytest

from include.loadtest.analysis.capacity.limits import StepLimit, limits_of, users_within
from include.loadtest.profile import find_profile, load_profile
from tests.loadtest.analysis.capacity.conftest import made_steps

pytestmark = pytest.mark.unit
LOAD = [(25, 25.0), (50, 50.0), (75, 75.0), (100, 100.0)]
P95 = StepLimit("latency_p95_ms", 5000, False, "a test")


def within(values: list[float], limit: StepLimit = P95, **figures) -> tuple:
    own = {"latency_p95_ms": values, "latency_p95_at_most_ms": values, **figures}
    found = users_within(limit, made_steps(LOAD, **own))
    return found["within_users"], found["beyond_users"], found["interpolated_users"]


def test_between_two_steps_a_straight_line_is_shown_where_the_figure_rises() -> None:
    """4000 ms at 50 users and 6000 at 75: 5000 ms at 62.5."""
    assert within([1000, 4000, 6000, 9000]) == (50, 75, 62.5)


def test_no_line_through_figures_that_fall_in_between() -> None:
    """The range stays."""
    assert within([2000, 1000, 6000, 9000]) == (50, 75, None)


def test_no_line_to_a_lower_bound() -> None:
    """Requests that timed out were slower by nobody knows how much."""
    assert within([1000, 4000, 6000, 9000], lower_bound=[False, False, True, True]) == (50, 75, None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1, 2, 3, 4], (100, None, None)), ([5000, 6000, 7000, 8000], (None, 25, None))],
)
def test_ends_that_were_not_reached_are_null(values: list[float], expected: tuple) -> None:
    """Nothing beyond, and nothing within."""
    assert within(values) == expected


def test_a_step_that_does_not_tell_ends_what_is_known_to_be_within() -> None:
    """Its P95 may have been above the limit."""
    found = within([1000, 4000, 4000, 9000], latency_p95_at_most_ms=[1000, 4000, None, 9000])
    assert found == (50, 100, None)


def test_errors_at_most_and_below() -> None:
    """5 % is within "at most 5 %" and beyond "below 5 %"."""
    steps = made_steps(LOAD[:1], ungraceful_error_rate=[0.05])
    assert StepLimit("ungraceful_error_rate", 0.05, True, "").broken_by(steps[0]) is False
    assert StepLimit("ungraceful_error_rate", 0.05, False, "").broken_by(steps[0]) is True
    few = made_steps([(25, 0.1)], ungraceful_error_rate=[0.5])
    assert StepLimit("ungraceful_error_rate", 0.05, True, "").broken_by(few[0]) is None


def test_the_limits_are_those_of_profile_shape_and_table_each_once() -> None:
    """Of stress_test: its own error limit, and each P95 and error rate of the table."""
    found = {(limit.metric, limit.limit) for limit in limits_of(load_profile(find_profile("stress_test")))}
    assert found == {
        ("ungraceful_error_rate", 0.05),
        *(("latency_p95_ms", limit) for limit in (3000, 4000, 5000, 8000)),
        *(("error_rate", limit) for limit in (0.01, 0.02)),
    }
