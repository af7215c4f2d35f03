"""The cache: emptied, without room, missing what is asked, or late."""

import pytest

from include.loadtest.analysis.bottleneck import cache
from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from tests.helpers.made_cases import START_S, Value, after, counted, made_case, made_requests, moment

pytestmark = pytest.mark.unit
HITS, MISSES, PING = ("redis", "keyspace_hits"), ("redis", "keyspace_misses"), ("redis", "ping_ms")
LOST: dict[tuple[str, str], Value] = {("redis", "keys"): after(30, 5.0, 80.0)}
FALLING: dict[tuple[str, str], Value] = {HITS: counted(after(30, 5.0, 8.5)), MISSES: counted(after(30, 5.0, 1.5))}
POOR: dict[tuple[str, str], Value] = {HITS: counted(4.0), MISSES: counted(6.0)}


def test_an_emptied_cache_is_an_event_of_its_own() -> None:
    """By the server's count of the command, since when; or by its keys and what is found, where that is not read."""
    (found,) = cache.misses(made_case({("redis", "flush_commands"): after(30, 1.0)}))
    assert (found.cause, found.strength, found.plain) == ("cache_misses", "strong", True)
    assert "emptied by a command once" in found.sentence
    lost = made_case({**LOST, **FALLING}, without=[("redis", "flush_commands")])
    (found,) = cache.misses(lost)
    assert (found.strength, found.plain) == ("strong", True)
    assert "lost 75 of its 80 keys at once and 51 % of the lookups were found (before that: 85 %)" in found.facts


def test_keys_that_nobody_misses_are_no_fault() -> None:
    """Those that expire together are counted; and a hit rate that is as good as before says that none was needed."""
    assert cache.misses(made_case(LOST)) == []
    expired = {**LOST, ("redis", "expired_keys"): after(30, 70.0)}
    unknown = [HITS, MISSES]
    assert cache.misses(made_case(expired, without=unknown)) == []
    (found,) = cache.misses(made_case(LOST, without=unknown))
    assert (found.strength, found.plain, found.weight) == ("moderate", False, None)


def test_misses_weigh_as_much_as_the_calls_that_a_usual_rate_would_have_spared() -> None:
    """Half of the calls here, by the time that they take; not known where nobody measures the LLM."""
    (found,) = cache.misses(made_case(POOR))
    assert found.weight == pytest.approx(1.0 * (0.7 - 0.4) / 0.6 / made_case().in_flight, rel=0.05)
    assert cache.misses(made_case(POOR, without=["llm"]))[0].weight is None


def test_a_low_hit_rate_is_named_only_where_it_is_proved() -> None:
    """Below 70 % beyond what so few lookups vary by; a healthy rate, or nine lookups, prove nothing."""
    (found,) = cache.misses(made_case(POOR))
    assert "40 % of the lookups were found (expected: 70 %)" in found.facts
    assert cache.misses(made_case()) == []
    assert cache.misses(made_case({HITS: counted(0.06), MISSES: counted(0.09)})) == []


def test_a_profile_that_asks_new_questions_expects_fewer_hits() -> None:
    """They reach the LLM whatever the cache holds."""
    case = made_case()
    profile = case.profile.model_copy(
        update={"questions": case.profile.questions.model_copy(update={"new_share": 0.5})}
    )
    asking = made_case({HITS: counted(4.6), MISSES: counted(5.4)})
    assert cache.misses(asking)
    object.__setattr__(asking, "profile", profile)
    assert cache.misses(asking) == []


def test_evictions_are_named_with_the_room_and_the_hit_rate() -> None:
    """They come before the misses that they bring about."""
    figures: dict[tuple[str, str], Value] = {
        **POOR,
        ("redis", "evicted_keys"): counted(after(30, 8.0)),
        ("redis", "memory_limit_bytes"): 2e6,
        ("redis", "used_memory_bytes"): 2e6,
    }
    (found,) = cache.evictions(made_case(figures))
    assert found.plain
    assert found.since_s == pytest.approx(START_S + 30, abs=5)
    assert "40 % of the lookups were found" in found.facts


def test_a_full_cache_that_finds_what_is_asked_for_works_as_it_should() -> None:
    """It throws its oldest keys away; and a dozen keys beside an emptied cache are not what makes it miss."""
    assert cache.evictions(made_case({("redis", "evicted_keys"): counted(8.0)})) == []
    few: dict[tuple[str, str], Value] = {**POOR, ("redis", "evicted_keys"): counted(after(30, 0.4))}
    (found,) = cache.evictions(made_case(few))
    assert (found.strength, found.plain, found.weight) == ("moderate", False, None)
    late: dict[tuple[str, str], Value] = {**FALLING, ("redis", "evicted_keys"): counted(after(30, 8.0))}
    assert cache.evictions(made_case(late))[0].plain


def test_a_full_cache_that_evicts_nothing_needs_misses() -> None:
    """With them it takes no more; without them it is only well used."""
    full: dict[tuple[str, str], Value] = {
        ("redis", "memory_limit_bytes"): 2e6,
        ("redis", "used_memory_bytes"): 2e6,
    }
    assert "takes no more" in cache.evictions(made_case({**full, **POOR}))[0].facts
    assert cache.evictions(made_case(full)) == []


def test_a_slow_cache_is_seen_by_its_ping() -> None:
    """A PING far beyond what a cache takes; some ms on a busy machine are none."""
    requests = made_requests(lambda _, name, ms: ms + (200 if name.startswith("chat") else 0))
    (found,) = cache.late(made_case({PING: 150.0}, requests=requests))
    assert (found.cause, found.strength, found.plain) == ("cache_slow", "strong", True)
    assert cache.late(made_case({PING: 30.0})) == []


def test_slow_commands_that_block_the_server_are_a_slow_cache() -> None:
    """By the time that its SLOWLOG says, with the command; a few short ones are none."""
    seen = [
        {"kind": "slow_command", "ts": moment(n), "command": "KEYS answer:*", "duration_ms": 400} for n in range(40)
    ]
    (found,) = cache.late(made_case(observations=seen))
    assert found.plain
    assert "blocked it for 27 % of the time" in found.facts
    assert "KEYS answer:*" in found.facts
    assert cache.late(made_case(observations=seen[:2])) == []


def test_a_cache_that_answers_the_monitoring_no_more_is_slow() -> None:
    """Its silence began within the load."""
    silent = Silence("redis", Span(START_S + 20, START_S + 40), "Timeout reading from socket")
    (found,) = cache.late(made_case(silences=[silent]))
    assert "no answer for 20 s" in found.facts
    assert (found.strength, found.plain) == ("moderate", False)
    for reason in ("connection refused", "Connection closed by server."):
        assert cache.late(made_case(silences=[Silence("redis", silent.span, reason)])) == []
