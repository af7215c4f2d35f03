"""The highest throughput is measured, predicted within 1.5 times what was tested, or not said at all."""

from typing import Any

import pytest

from include.loadtest.analysis.capacity.maximum import maximum_of, resource_rows, within_reach
from include.loadtest.analysis.capacity.usage import RESOURCES, Use, Used
from tests.loadtest.analysis.capacity.conftest import made_steps

pytestmark = pytest.mark.unit
STEPS = made_steps([(10, 10.0), (20, 20.0), (30, 30.0), (40, 40.0)])


def used(name: str, servers: float | None, demand_s: float, idle: float = 0.0) -> Used:
    """A resource with exactly that demand in each of the steps."""
    resource = next(one for one in RESOURCES if one.name == name)
    return Used(resource, servers, tuple(Use(users, users, idle + demand_s * users) for users in (10, 20, 30, 40)))


def rows(*own: Used, below: int | None = None) -> list[dict[str, Any]]:
    return resource_rows(own, below_users=below)


def test_the_resource_that_ends_first_comes_first() -> None:
    """One core at 20 ms an answer ends at 50 answers a second, a pool of 4 at 60 ms at 67."""
    found = rows(used("database_pool", 4, 0.06), used("application_process", 1, 0.02))
    assert [(row["resource"], round(row["max_rpm"])) for row in found] == [
        ("application_process", 3000),
        ("database_pool", 4000),
    ]
    assert found[0]["demand_ms"] == pytest.approx(20)
    assert found[0]["busy_share_at_top"] == pytest.approx(0.8)


def test_what_is_within_reach_is_predicted_with_its_users() -> None:
    """3000 req/min of 2400 tested; 40 users bring 2400, so 50 bring 3000."""
    found = maximum_of(STEPS, rows(used("application_process", 1, 0.02)), None)
    assert (found["state"], round(found["rpm"]), round(found["users"])) == ("predicted", 3000, 50)
    assert (found["low_rpm"], found["high_rpm"]) == (pytest.approx(3000), pytest.approx(3000))
    assert found["text"].startswith(
        "predicted: 3,000 req/min (95 % 3,000 to 3,000) with about 50 users; what ends then: "
    )


def test_more_than_one_and_a_half_times_the_tested_load_is_refused() -> None:
    """One core at 16 ms ends at 62.5 answers a second, 1.56 times the 40 tested: no figure, but what to test."""
    found = maximum_of(STEPS, rows(used("application_process", 1, 0.016)), None)
    assert found["state"] == "not_predicted"
    assert [found[name] for name in ("rpm", "low_rpm", "high_rpm", "users")] == [None] * 4
    assert found["text"] == "not predicted: more than 1.5 x what was tested; test up to 60 users"
    assert found["test_up_to_users"] == 60


def test_an_end_out_of_reach_is_open() -> None:
    """A noisy line: the point is within 1.5 times the tested load, its upper end is not."""
    noisy = Used(
        next(one for one in RESOURCES if one.name == "application_process"),
        1.0,
        tuple(Use(users, users, busy) for users, busy in ((10, 0.22), (20, 0.38), (30, 0.62), (40, 0.78))),
    )
    found = maximum_of(STEPS, rows(noisy), None)
    assert found["state"] == "predicted"
    assert found["high_rpm"] is None or found["high_rpm"] <= 1.5 * 2400
    assert "…" in found["text"] or found["high_rpm"] is not None


def test_ends_beyond_reach_stand_nowhere_in_the_document() -> None:
    """A row keeps its demand, and loses its end and the ends of its interval; one within reach keeps them."""
    found = within_reach(rows(used("application_process", 1, 0.02), used("database_pool", 4, 0.06)), 2400)
    assert [(row["beyond_reach"], row["max_rpm"] is None) for row in found] == [(False, False), (True, True)]
    assert (found[1]["max_low_rpm"], found[1]["max_high_rpm"]) == (None, None)
    assert found[1]["demand_ms"] == pytest.approx(60)


def test_a_saturated_step_is_a_measurement() -> None:
    """Whatever a line would say."""
    steps = made_steps([(10, 10.0), (20, 20.0), (40, 21.0)])
    found = maximum_of(steps, rows(used("application_process", 1, 0.02)), 40)
    assert (found["state"], found["rpm"], found["users"]) == ("measured", 1260, 40)
    assert found["low_rpm"] < 1260 < found["high_rpm"]


def test_saturated_steps_are_no_part_of_the_line() -> None:
    """Below 40 users three steps are left, which give a value without an interval."""
    row = rows(used("application_process", 1, 0.02), below=40)[0]
    assert (row["steps"], row["max_low_rpm"]) == (3, None)


def test_what_is_hardly_used_or_has_no_known_limit_ends_nowhere() -> None:
    """2 % of the pool in the highest step; calls of the LLM."""
    found = rows(used("database_pool", 4, 0.002), used("llm", None, 0.5))
    assert [row["max_rpm"] for row in found] == [None, None]
    assert maximum_of(STEPS, found, None)["state"] == "not_known"


def test_other_work_on_the_machine_does_not_bend_the_line() -> None:
    """20 ms an answer by the load itself; others use 0.9, 0.1, 0.3 and 0.7 cores meanwhile, 0.5 on average.

    Two cores end at (2 - 0.5) / 0.02 = 75 answers a second, whatever order the others came in.
    """
    host = next(one for one in RESOURCES if one.name == "host_cpu")
    others = (0.9, 0.1, 0.3, 0.7)
    uses = tuple(Use(10 * n, 10 * n, 0.2 * n + other, 0.2 * n) for n, other in enumerate(others, start=1))
    row = rows(Used(host, 2, uses))[0]
    assert row["demand_ms"] == pytest.approx(20)
    assert row["max_rpm"] == pytest.approx(75 * 60)


def test_a_prediction_below_what_was_served_is_what_was_served() -> None:
    """The line ends at 39 answers a second; 40 were measured."""
    found = maximum_of(STEPS, rows(used("application_process", 1, 0.0256)), None)
    assert found["rpm"] == 2400


def test_without_a_step_nothing_is_known() -> None:
    """No load, no figure."""
    assert maximum_of([], [], None)["text"] == "not known: no step ran to its end"
