"""When a load has to end so that the LLM is never asked more often than the profile allows."""

from typing import Any

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.llm_cap import BLIND_S, ORDER_S, Cap, Pace, Tally, cap_of
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.parts import ThinkTime
from include.loadtest.profile.rules import LlmCap
from include.loadtest.profile.shape import Arrival
from include.loadtest.target.settings import TargetFile, load_target_file

pytestmark = pytest.mark.unit
CAP = Cap(100, "100 calls")


def profile(**changes: Any) -> Profile:
    return load_profile(find_profile("smoke")).model_copy(update=changes)


def file(price_eur: float | None = None) -> TargetFile:
    return load_target_file("demo").model_copy(update={"llm_price_eur_a_call": price_eur})


@pytest.mark.parametrize(
    ("cap", "price_eur", "calls"),
    [
        (LlmCap(max_calls=70), None, 70),
        (LlmCap(max_cost_eur=0.3), 0.1, 3),
        (LlmCap(max_cost_eur=0.29), 0.1, 2),
        (LlmCap(max_calls=70, max_cost_eur=5.0), 0.1, 50),
        (LlmCap(max_calls=40, max_cost_eur=5.0), 0.1, 40),
    ],
)
def test_the_tighter_of_calls_and_cost_counts(cap: LlmCap, price_eur: float | None, calls: int) -> None:
    """A cost is as many whole calls as it pays."""
    found = cap_of(profile(llm=cap), file(price_eur))
    assert found is not None
    assert found.calls == calls
    assert found.text.startswith(f"{calls} calls (llm.max_")


def test_without_the_key_nothing_is_capped() -> None:
    """A committed profile has none."""
    assert cap_of(profile(), file(0.1)) is None


def test_a_cost_without_a_price_is_refused() -> None:
    """The line says where the price belongs."""
    with pytest.raises(
        ConfigError, match=r"llm\.max_cost_eur needs .* llm_price_eur_a_call in include/profiles/target"
    ):
        cap_of(profile(llm=LlmCap(max_calls=5, max_cost_eur=1.0)), file())


@pytest.mark.parametrize("think", [ThinkTime(min=0, max=0), ThinkTime(min=0, max=2)])
def test_a_cap_beside_a_least_think_time_of_nothing_is_refused(think: ThinkTime) -> None:
    """Quick answers would bring any number of questions in a second; on a schedule nobody thinks."""
    capped = profile(llm=LlmCap(max_calls=400), think_time_s=think)
    with pytest.raises(ConfigError, match=r"^profile smoke: llm caps .* think_time_s\.min is 0, .* or remove llm$"):
        cap_of(capped, file())
    assert cap_of(capped.model_copy(update={"arrival": Arrival(rate_rpm=600, max_users=10)}), file()) is not None
    assert cap_of(profile(think_time_s=think), file()) is None


def test_the_pace_is_the_most_that_the_profile_allows() -> None:
    """10 users who think for 0.5 s at least, 65 % of whose scenarios may ask the LLM; on a schedule its rate."""
    assert Pace.of(profile(), 1) == Pace(10.0, pytest.approx(13.0))
    assert Pace.of(profile(), 2) == Pace(20.0, pytest.approx(26.0))
    assert Pace.of(profile(arrival=Arrival(rate_rpm=600, max_users=10)), 1) == Pace(10.0, pytest.approx(6.5))


def test_the_load_ends_while_what_may_still_come_fits_under_the_cap() -> None:
    """10 under way and 4 a second: with a look just made 15 more may come, so 85 go on and 86 do not."""
    pace = Pace(10, 4)
    tally = Tally(CAP, 0, 1000, 0)
    tally.note(1085, 100)
    assert 10 + 4 * ORDER_S == 15
    assert tally.decide(pace, 100) is None
    tally.note(1086, 101)
    stop = tally.decide(pace, 101)
    assert stop is not None
    assert stop.code == "cost_cap"
    assert "86 calls of the LLM were counted since the warm-up began, and up to 15 more" in stop.text
    assert "the cap is 100 calls" in stop.text


def test_an_old_look_reserves_what_came_since() -> None:
    """A page that hangs ends the load before the cap can be passed unseen."""
    tally = Tally(CAP, 80, 80, 0)
    assert tally.decide(Pace(5, 4), 2.4) is None
    stop = tally.decide(Pace(5, 4), 2.6)
    assert stop is not None
    assert stop.code == "cost_cap"


def test_a_rate_that_was_seen_counts_where_it_is_above_the_profiles() -> None:
    """Somebody else asks the LLM too."""
    tally = Tally(CAP, 0, 0, 0)
    tally.note(30, 1)
    assert tally.decide(Pace(0, 1), 1) is None
    tally.note(60, 2)
    assert tally.decide(Pace(0, 1), 2) is None
    assert tally.decide(Pace(0, 1), 2.7) is not None


def test_a_counter_that_is_blind_ends_the_load_after_five_seconds() -> None:
    """However far the cap is; the reason is another one, and says what was wrong."""
    tally = Tally(Cap(10**6, "many"), 0, 0, 0)
    tally.note_failure("/metrics: no answer within 1.5 s")
    assert tally.decide(Pace(1, 1), BLIND_S) is None
    stop = tally.decide(Pace(1, 1), BLIND_S + 0.1)
    assert stop is not None
    assert (stop.code, "no answer within 1.5 s" in stop.text) == ("cap_unwatched", True)


def test_a_counter_that_falls_is_believed_no_longer() -> None:
    """A restart, or one of several processes that count: what came meanwhile is not known."""
    tally = Tally(Cap(10**6, "many"), 0, 50, 0)
    tally.note(49, 1)
    stop = tally.decide(Pace(1, 1), 1)
    assert stop is not None
    assert (stop.code, "it fell from 50 to 49" in stop.text) == ("cap_unwatched", True)


def test_a_counter_of_another_process_ends_the_load_at_once() -> None:
    """However far the cap is, and whatever it is read to be afterwards."""
    tally = Tally(Cap(10**6, "many"), 0, 50, 0)
    tally.note_lost("another process answers")
    tally.note(60, 1)
    stop = tally.decide(Pace(1, 1), 1)
    assert stop is not None
    assert (stop.code, "another process answers" in stop.text) == ("cap_unwatched", True)
