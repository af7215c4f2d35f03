"""Growth meets the limit in the month that a calculation by hand gives."""

from datetime import date

import pytest

from include.loadtest.analysis.capacity.growth import month_after, months_until, plan_document
from include.loadtest.profile.parts import Growth, Plan

pytestmark = pytest.mark.unit
START = date(2026, 11, 20)


def test_five_per_cent_a_month_as_by_hand() -> None:
    """From 50 users to 100, month by month, with the figures written out.

    50 x 1.05 = 52.50, 55.13, 57.88, 60.78, 63.81, 67.00, 70.36, 73.87, 77.57, 81.44, 85.52, 89.79, 94.28, 98.996 after
    14 months, 103.95 after 15: the limit is met in the 15th.
    """
    by_hand = [
        52.50,
        55.13,
        57.88,
        60.78,
        63.81,
        67.00,
        70.36,
        73.87,
        77.57,
        81.44,
        85.52,
        89.79,
        94.28,
        98.996,
        103.95,
    ]
    load = 50.0
    for month, expected in enumerate(by_hand, start=1):
        load *= 1.05
        assert load == pytest.approx(expected, abs=0.01), month
    assert by_hand[13] < 100 <= by_hand[14]
    assert months_until(100, 50, 5) == 15


@pytest.mark.parametrize(
    ("limit", "now", "growth", "months"),
    [(100, 100, 5, 0), (100, 120, 5, 0), (110, 100, 10, 1), (121, 100, 10, 2), (100, 50, 0, None), (100, 50, -3, None)],
)
def test_edges_of_the_month(limit: float, now: float, growth: float, months: int | None) -> None:
    """Exactly at the limit counts as met; what does not grow never meets it."""
    assert months_until(limit, now, growth) == months


def test_slow_growth_beyond_ten_years_is_no_plan() -> None:
    """0.1 % a month doubles in 58 years."""
    assert months_until(100, 50, 0.1) is None


def test_months_cross_the_year() -> None:
    """15 months after November 2026 it is February 2028."""
    assert month_after(START, 15) == "2028-02"
    assert month_after(START, 1) == "2026-12"


def test_a_range_of_limits_and_of_growth_gives_a_range_of_months() -> None:
    """Earliest: 100 users at 8 % (10 months); latest: 125 users at 3 % (31). The peak of 100 users is there already."""
    plan = Plan(normal_users=50, peak_factor=2, growth_pct_a_month=Growth(low=3, high=8))
    found = plan_document(plan, 100, 125, START)
    normal, peak = found["loads"]["normal"], found["loads"]["peak"]
    assert (normal["earliest_months"], normal["latest_months"]) == (10, 31)
    assert (normal["earliest"], normal["latest"]) == ("2027-09", "2029-06")
    assert (peak["users_now"], peak["earliest_months"], peak["latest_months"]) == (100, 0, 8)
    assert "meets the limit between 2027-09 and 2029-06" in found["sentence"]
    assert "3 to 8 % more users a month (stated in the profile, not measured)" in found["sentence"]


def test_without_growth_no_month_is_named() -> None:
    """The sentence says what is missing, and how far the load is from the limit now."""
    found = plan_document(Plan(normal_users=50, peak_factor=2), 75, 100, START)
    assert found["loads"]["normal"]["earliest"] is None
    assert found["sentence"] == (
        "No growth is configured (plan.growth_pct_a_month of the profile), so no month is named. Now the normal load: "
        "50 users, of a limit between 75 and 100; the load at a tax deadline: 100 users, at the limit already."
    )


def test_without_an_upper_end_no_latest_month_is_named() -> None:
    """What was not tested has no date."""
    found = plan_document(Plan(normal_users=50, peak_factor=2, growth_pct_a_month=5), 100, None, START)
    assert found["loads"]["normal"]["latest"] is None
    assert "meets the limit in 2028-02 at the earliest, a latest month is not known" in found["sentence"]


def test_without_any_limit_nothing_is_said() -> None:
    """No step, no month."""
    plan = Plan(normal_users=50, peak_factor=2, growth_pct_a_month=5)
    assert plan_document(plan, None, None, START)["sentence"] == (
        "When growth meets the limit is not known: no limit was found."
    )


def test_more_users_than_are_carried_are_named() -> None:
    """The peak lies beyond what was shown, and the limit is not known to be below it."""
    found = plan_document(Plan(normal_users=50, peak_factor=2, growth_pct_a_month=5), 75, None, START)
    assert "100 users, more than the 75 that are shown to be carried" in found["sentence"]
