"""When arrivals are due."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.schedule import ArrivalSchedule
from include.loadtest.profile.shape import Arrival

pytestmark = pytest.mark.unit
SMOKE = load_profile(find_profile("smoke"))


def profile_of(rate_rpm: float, ramp_up_s: int, duration_s: int) -> Profile:
    changes = {"arrival": Arrival(rate_rpm=rate_rpm, max_users=10), "ramp_up_s": ramp_up_s, "duration_s": duration_s}
    return SMOKE.model_copy(update=changes)


def test_a_hold_has_evenly_spaced_arrivals_from_its_first_moment() -> None:
    """Ten a second for 60 s are 600, the first at 0, none at the end."""
    schedule = ArrivalSchedule(profile_of(600, 0, 60))
    assert schedule.planned == 600
    assert [schedule.due(number)[0] for number in (0, 1, 599)] == pytest.approx([0, 0.1, 59.9])
    assert schedule.due(600) is None


def test_a_ramp_rises_linearly() -> None:
    """Over 10 s to ten a second come 50 arrivals: a quarter of them in the first half."""
    schedule = ArrivalSchedule(profile_of(600, 10, 60))
    dues = [schedule.due(number) for number in range(schedule.planned)]
    assert schedule.planned == 650
    assert sum(due[0] < 5 for due in dues) == 13
    assert [due[1].phase for due in dues] == ["ramp_up"] * 50 + ["hold"] * 600
    assert dues[50][0] == pytest.approx(10)


@given(rate_rpm=st.floats(0.5, 6000), ramp_up_s=st.integers(0, 60), duration_s=st.integers(1, 60))
def test_arrivals_are_in_order_and_inside_of_their_stage(rate_rpm: float, ramp_up_s: int, duration_s: int) -> None:
    """Whatever the rate: as many as its integral says, each before the load's end, never two at once."""
    profile = profile_of(rate_rpm, ramp_up_s, duration_s)
    schedule = ArrivalSchedule(profile)
    dues = [schedule.due(number) for number in range(schedule.planned)]
    offsets_s = [due[0] for due in dues]
    assert abs(schedule.planned - rate_rpm / 60 * (ramp_up_s / 2 + duration_s)) < 1.001
    assert all(before < after for before, after in itertools.pairwise(offsets_s))
    assert all(due[1].start_s - 1e-6 <= due[0] <= due[1].end_s + 1e-6 for due in dues)
    assert offsets_s[0] == 0


def test_a_closed_profile_has_no_schedule() -> None:
    """Its users start when they want to."""
    with pytest.raises(ValueError, match="has no arrivals"):
        ArrivalSchedule(SMOKE)
