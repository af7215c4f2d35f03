"""The breaking point lies between two steps, and its reason is named."""

import pytest

from include.loadtest.analysis.capacity.breaking import breaking_point, saturated_from
from tests.loadtest.analysis.capacity.conftest import made_steps

pytestmark = pytest.mark.unit
LINEAR = [(25, 25.0), (50, 50.0), (75, 75.0), (100, 100.0)]


def row(metric: str, value: float | None) -> dict:
    return {"metric": metric, "scope": "all", "value": value}


def test_the_first_broken_limit_is_it() -> None:
    """metrics.json says 75: it lies above 50."""
    found = breaking_point(made_steps(LINEAR), [row("breaking_point_users", 75.0)])
    assert (found["above_users"], found["at_users"], found["by"]) == (50, 75, "limit")
    assert found["text"] == "between 50 and 75 users: a limit is broken"


def test_a_step_without_gain_is_one_too() -> None:
    """The throughput stays, though no limit is broken."""
    steps = made_steps([(25, 25.0), (50, 50.0), (100, 50.5)], seconds=300)
    found = breaking_point(steps, [row("breaking_point_users", None)])
    assert (found["above_users"], found["at_users"], found["by"]) == (50, 100, "no_gain")
    assert saturated_from(steps) == 100


def test_the_first_step_may_break() -> None:
    """Then nothing is known to be carried."""
    found = breaking_point(made_steps(LINEAR), [row("breaking_point_users", 25.0)])
    assert (found["above_users"], found["text"]) == (None, "up to 25 users: a limit is broken")


def test_what_was_not_reached_is_said_with_the_users() -> None:
    """And nothing at all is known without a step."""
    assert breaking_point(made_steps(LINEAR), [])["text"] == "not reached up to 100 users"
    assert breaking_point([], [])["text"] == "not known"
    assert saturated_from(made_steps(LINEAR)) is None


def test_users_who_wait_longer_are_no_end_of_the_throughput() -> None:
    """Each of 36 users gets 73 % of what each of 9 got (`saturation_users`), and the throughput still rises."""
    steps = made_steps([(9, 2.2), (18, 4.2), (36, 6.5)], seconds=300)
    assert breaking_point(steps, [row("saturation_users", 36.0)])["at_users"] is None
    assert saturated_from(steps) is None
