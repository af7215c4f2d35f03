"""The words of a load are made from the profile and the target's file, and say what they rest on."""

import pytest

from include.loadtest.orchestration.load_text import about, estimate_of, llm_calls, load_sentence, suite_sentence
from include.loadtest.profile import Overrides, Profile, find_profile, load_profile, load_profile_text
from include.loadtest.profile.suites import load_suite
from include.loadtest.target.settings import TargetFile, load_target_file

pytestmark = pytest.mark.unit


def profile_of(name: str, users: int | None = None, duration_s: int | None = None) -> Profile:
    return load_profile(find_profile(name), Overrides(users, duration_s))


def changed(name: str, **changes: str) -> Profile:
    """A committed profile with lines put after its seed."""
    text = find_profile(name).read_text(encoding="utf-8")
    lines = "".join(f"\n{key}: {value}" for key, value in changes.items())
    return load_profile_text(text.replace("\nseed: 20241205", f"\nseed: 20241205{lines}"), "made")


def test_the_estimate_of_a_steady_load_is_what_its_numbers_give() -> None:
    """10 users for a minute, and half of them over 5 s of ramp; 60 a minute without waiting, 20 by the minimum."""
    found = estimate_of(profile_of("smoke"))
    assert found is not None
    assert found.most == pytest.approx(60 * 10 * (60 + 2.5) / 60)
    assert found.least == pytest.approx(20 * 10 * (60 + 2.5) / 60)
    assert (found.least_a_user_rpm, found.most_a_user_rpm, found.keeps_minimum) == (20, 60, True)


def test_without_a_minimum_every_answer_takes_its_whole_time_out() -> None:
    """One request in 61 s a user: the stress test has a time-out of 60 s, and no least throughput."""
    found = estimate_of(profile_of("stress_test"))
    assert found is not None
    assert found.least_a_user_rpm == pytest.approx(60 / 61)
    assert not found.keeps_minimum
    assert "every answer taking its whole time-out" in load_sentence(profile_of("stress_test"))


def test_arrivals_come_as_their_schedule_says() -> None:
    """One number, whoever is there."""
    text = find_profile("smoke").read_text(encoding="utf-8").replace("users: 10\n", "")
    made = load_profile_text(f"{text}arrival: {{rate_rpm: 240, max_users: 10}}\n", "made")
    found = estimate_of(made)
    assert found is not None
    assert found.least == found.most == pytest.approx(240 * 65 / 60)
    assert "About 260 requests, by its schedule of arrivals." in load_sentence(made)


def test_a_spike_names_its_phases_and_the_users_of_each() -> None:
    """The phases in order; where users stay the same and are not all, how many."""
    assert load_sentence(profile_of("spike_test")).startswith(
        "spike_test: 100 users; hold 1 min with 10, ramp-up 30 s, spike 5.33 min, ramp-down 10 s, recovery 3 min with "
        "10: 10 min of load"
    )


def test_checks_have_no_estimate_but_a_longest_time() -> None:
    """They end when they are done."""
    checks = profile_of("italian_market")
    assert (estimate_of(checks), llm_calls(checks, None)) == (None, None)
    assert "one requirement after the other, at most 40 min" in load_sentence(checks)


def test_overrides_change_the_sentence() -> None:
    """Users and minutes of the run, not of the committed profile; the limits are those of its row."""
    sentence = load_sentence(profile_of("peak_hours", users=30, duration_s=120))
    assert "30 users; ramp-up 30 s, hold 2 min" in sentence
    assert "its own minimum of 600 requests a minute" in sentence


def test_above_the_table_nothing_is_judged_and_that_is_said() -> None:
    """A steady load of 150 users has no limits of its own left but what the profile states for resources."""
    sentence = load_sentence(profile_of("peak_hours", users=150))
    assert "latency_p95_ms" not in sentence.partition("Judged:")[2]
    assert "every answer taking its whole time-out" in sentence


def test_calls_of_the_llm_lie_between_new_questions_and_an_empty_cache() -> None:
    """55 % ask, 15 % of it is new; 65 % may reach the LLM, with two calls a question on the stand-in."""
    found = llm_calls(profile_of("smoke"), load_target_file("demo"))
    assert found == pytest.approx((20 * 10.4166667 * 0.55 * 0.15, 60 * 10.4166667 * 0.65 * 2))
    assert "up to 2 calls a question" in load_sentence(profile_of("smoke"), load_target_file("demo"))


def test_a_price_makes_euros_of_the_calls() -> None:
    """Only where the target's file states one; else it says that it does not."""
    priced = TargetFile(name="priced", llm_price_eur_a_call=0.02)
    assert "0.34 to 8.12 EUR at 0.02 EUR a call" in load_sentence(profile_of("smoke"), priced)
    assert "what a call costs is not stated" in load_sentence(profile_of("smoke"), TargetFile(name="unpriced"))


def test_a_cap_is_told_with_and_without_a_target() -> None:
    """And one that cannot be kept says why: preflight refuses it."""
    capped, priced = changed("smoke", llm="{max_calls: 500, max_cost_eur: 4}"), TargetFile(name="x")
    assert "more than 500 calls or 4 EUR." in load_sentence(capped)
    with_price = priced.model_copy(update={"llm_price_eur_a_call": 0.01})
    assert "more than 400 calls (llm.max_cost_eur 4 at 0.01 EUR a call)." in load_sentence(capped, with_price)
    assert "Its cap cannot be kept: profile smoke: llm.max_cost_eur needs the price" in load_sentence(capped, priced)
    assert "are not capped" in load_sentence(profile_of("smoke"))


def test_a_suite_adds_its_runs_up() -> None:
    """Runs, minutes, the most users, requests from the one to the other end."""
    sentence = suite_sentence(load_suite("quick"))
    assert sentence == "quick: 2 runs, 35 s of load, up to 5 users, about 34 to 100 requests."
    assert suite_sentence(load_suite("italian_market")) == "italian_market: 1 run, 40 min of load, up to 21 users."


@pytest.mark.parametrize(
    ("count", "text"), [(0.18, "0.2"), (1, "1"), (17.2, "17"), (208, "210"), (625, "620"), (540_000.0, "540,000")]
)
def test_an_estimate_has_two_digits(count: float, text: str) -> None:
    """More would be made up."""
    assert about(count) == text
