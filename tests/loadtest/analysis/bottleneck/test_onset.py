"""Since when latencies are higher: found where they are, and not where they only wander."""

import numpy as np
import pytest

from include.loadtest.analysis.bottleneck.onset import ALL, NEW, change_point, latency_shift
from tests.helpers.made_cases import LOAD, START_S, made_requests

pytestmark = pytest.mark.unit


def test_a_step_is_found_at_its_place() -> None:
    """With its direction; a series without one is nothing that chance would not do."""
    step = np.array([1.0, 2.0] * 10 + [8.0, 9.0] * 10)
    place, p, rises = change_point(step)
    assert (place, rises) == (20, True)
    assert p < 0.001
    assert change_point(np.array([1.0, 2.0] * 20))[1] > 0.5


def test_healthy_latencies_have_no_shift() -> None:
    """Of a hundred loads with kept and new answers none is called changed."""
    assert [seed for seed in range(100) if latency_shift(made_requests(seed=seed), LOAD) is not None] == []


def test_a_delay_of_everything_begins_when_it_begins() -> None:
    """To within two seconds, with the means before and after."""
    shift = latency_shift(made_requests(lambda at_s, _, ms: ms + (300 if at_s >= 25 else 0)), LOAD)
    assert shift is not None
    assert shift.scope == ALL
    assert shift.at_s == pytest.approx(START_S + 25, abs=2)
    assert shift.after_ms - shift.before_ms == pytest.approx(300, abs=60)


def test_a_delay_of_one_endpoint_is_named() -> None:
    """The narrowest part that explains the lost time."""
    requests = made_requests(lambda at_s, name, ms: ms + (400 if at_s >= 25 and name == "legal_search" else 0))
    shift = latency_shift(requests, LOAD)
    assert shift is not None
    assert shift.scope == "legal_search"


def test_new_answers_that_get_slower_are_seen_beside_kept_ones() -> None:
    """They keep their ranks among all answers, so they are looked at alone."""
    shift = latency_shift(made_requests(lambda at_s, _, ms: ms + (2500 if at_s >= 30 and ms > 500 else 0)), LOAD)
    assert shift is not None
    assert shift.scope == NEW


def test_a_slow_down_that_nobody_feels_is_none() -> None:
    """Twice as long, but some milliseconds: significant, and irrelevant."""
    assert latency_shift(made_requests(lambda at_s, _, ms: ms * (2 if at_s >= 25 and ms < 300 else 1)), LOAD) is None


def test_latencies_that_fall_are_none() -> None:
    """A warm-up is no fault."""
    assert latency_shift(made_requests(lambda at_s, _, ms: ms + (300 if at_s < 25 else 0)), LOAD) is None
