"""The test's own part in what is slow or refused."""

import pytest

from include.loadtest.analysis.bottleneck import generator
from tests.helpers.made_cases import START_S, after, made_case, made_requests

pytestmark = pytest.mark.unit


def test_a_generator_that_is_held_back_is_named() -> None:
    """By the profile's own limits of validity, with how little the target had to do meanwhile."""
    requests = made_requests(lambda _, __, ms: ms + 900)
    (found,) = generator.starved(made_case({("generator", "loop_lag_ms"): after(20, 800.0, 5.0)}, requests=requests))
    assert (found.cause, found.plain) == ("generator", True)
    assert found.since_s == pytest.approx(START_S + 20, abs=5)
    assert any("had 2 requests in work while users waited for 7" in one.text for one in found.evidence)


def test_a_busy_machine_of_the_generator_is_not_its_core() -> None:
    """Where the target is elsewhere, the generator's machine has the same source; one core of many is not at fault."""
    case = made_case({("generator", "cpu_pct"): 97.0}, without=[("generator", "loop_lag_ms")], shares_host=False)
    assert generator.starved(case) == []
    assert generator.starved(made_case({("generator", "cpu_pct"): 97.0})) != []
    assert generator.starved(made_case({("host", "cpu_steal_pct"): 40.0})) != []


def test_a_hiccup_of_the_generator_is_none() -> None:
    """A single late reading, or a healthy generator."""
    assert generator.starved(made_case({("generator", "loop_lag_ms"): after(56, 800.0, 5.0)})) == []
    assert generator.starved(made_case()) == []


def test_refused_requests_are_the_limiter_s() -> None:
    """With the share, where most of them are, and since when; two refusals are none."""
    limited = made_requests(outcome=lambda at_s, name: "rejected" if at_s > 20 and name == "chat_simple" else "ok")
    (found,) = generator.rate_limiter(made_case(requests=limited))
    assert "most of them at chat_simple" in found.facts
    assert found.since_s == pytest.approx(START_S + 20, abs=2)
    twice = made_requests(outcome=lambda at_s, _: "rejected" if at_s in (20.0, 21.0) else "ok")
    assert generator.rate_limiter(made_case(requests=twice)) == []
