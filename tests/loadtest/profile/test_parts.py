"""The small parts of a profile refuse what makes no sense, with the line where it stands."""

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.profile import PROFILES_DIR, find_profile, load_profile, load_profile_text
from include.loadtest.profile.parts import Growth, Plan

pytestmark = pytest.mark.unit


def with_plan(plan: str):
    text = (PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8")
    return load_profile_text(text + f"plan: {plan}\n", "mine.yaml").plan


@pytest.mark.parametrize(
    ("growth", "expected"), [("5", (5, 5)), ("{low: 3, high: 8}", (3, 8)), ("null", None), ("-2.5", (-2.5, -2.5))]
)
def test_growth_is_a_number_a_range_or_not_stated(growth: str, expected: tuple[float, float] | None) -> None:
    """One number is a range of itself."""
    plan = with_plan(f"{{normal_users: 50, peak_factor: 2, growth_pct_a_month: {growth}}}")
    assert plan is not None
    assert plan.growth_range_pct == expected


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("{normal_users: 0, peak_factor: 2}", "plan.normal_users"),
        ("{normal_users: 50, peak_factor: 0.5}", "plan.peak_factor"),
        ("{normal_users: 50}", "plan.peak_factor: missing"),
        ("{normal_users: 50, peak_factor: 2, growth: 5}", "plan.growth: unknown key; did you mean growth_pct_a_month"),
        ("{normal_users: 50, peak_factor: 2, growth_pct_a_month: 900}", "plan.growth_pct_a_month"),
        ("{normal_users: 50, peak_factor: 2, growth_pct_a_month: 5 %}", "plan.growth_pct_a_month"),
        ("{normal_users: 50, peak_factor: 2, growth_pct_a_month: {low: 8, high: 3}}", "swap them"),
        ("{normal_users: 50, peak_factor: 2, growth_pct_a_month: {low: 3, hi: 8}}", "plan.growth_pct_a_month"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_with_its_line(plan: str, message: str) -> None:
    """One line: file, number, key, what is wrong."""
    with pytest.raises(ConfigError, match=message) as caught:
        with_plan(plan)
    assert str(caught.value).startswith("mine.yaml:27: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["capacity", "stress_test"])
def test_stepped_profiles_plan_with_the_documents_users_and_state_no_growth(name: str) -> None:
    """50 users, twice as many before a deadline; the document names no growth, so none is invented."""
    assert load_profile(find_profile(name)).plan == Plan(normal_users=50, peak_factor=2)


def test_a_range_that_is_one_number_is_allowed() -> None:
    """Low and high may be equal."""
    assert Growth(low=5, high=5).low == 5
