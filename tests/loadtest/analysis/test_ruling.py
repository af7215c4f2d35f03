"""One word for a run and its repeats."""

import random

import pytest

from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.ruling import Word, rule
from tests.helpers.made_runs import SETTINGS, STALL_LIMIT_S, made_run, made_runs

pytestmark = pytest.mark.unit

CHAT = {"endpoint:chat": 1.25}


def _rule(baseline: list[RunFigures], *new: RunFigures):  # type: ignore[no-untyped-def]
    return rule(baseline, new, SETTINGS, STALL_LIMIT_S)


def test_the_word_follows_the_repeats() -> None:
    """Slower: suspected until the repeats are there, then called; not repeated by others: nothing."""
    generator = random.Random(7)
    baseline = [made_run(f"b{n}", generator) for n in range(12)]
    slow = [made_run(f"s{n}", generator, factors=CHAT) for n in range(3)]
    normal = [made_run(f"n{n}", generator, noise=0.005, factors={"endpoint:chat": 0.97}) for n in range(2)]
    assert _rule(baseline, slow[0]).word is Word.SUSPECTED
    assert _rule(baseline, slow[0], slow[1]).word is Word.SUSPECTED
    assert _rule(baseline, slow[0], normal[0]).word is Word.OK
    called = _rule(baseline, *slow)
    assert called.word is Word.REGRESSION
    assert called.text.startswith("endpoint:chat: body +2")
    assert called.text.endswith("against 12 runs, measured by 3")
    assert _rule(baseline, slow[0], *normal).word is Word.OK
    better = [made_run(f"f{n}", generator, factors={"endpoint:chat": 0.75}) for n in range(3)]
    assert _rule(baseline, *better).word is Word.IMPROVEMENT
    assert _rule(baseline, better[0]).word is Word.OK


def test_a_stalled_run_is_an_incident_and_a_stalled_repeat_is_none() -> None:
    """STALL whatever else; a repeat that stalled does not count as a repeat."""
    generator = random.Random(2)
    baseline = [made_run(f"b{n}", generator) for n in range(12)]
    slow = [made_run(f"s{n}", generator, factors=CHAT) for n in range(2)]
    stalled = made_run("x", generator, factors=CHAT, stall_s=5.0)
    assert _rule(baseline, stalled).word is Word.STALL
    assert _rule(baseline, slow[0], slow[1], stalled).word is Word.SUSPECTED


def test_too_few_runs_say_so() -> None:
    """One below the least is not enough, and stalled ones do not count."""
    runs = made_runs(SETTINGS.min_runs, 3)
    new = made_run("n", random.Random(4), factors={"endpoint:chat": 3})
    assert _rule(runs[1:], new).word is Word.NOT_ENOUGH_RUNS
    assert _rule(runs, new).word is Word.SUSPECTED
    frozen = made_run("x", random.Random(5), stall_s=9.0)
    assert _rule([*runs[1:], frozen], new).word is Word.NOT_ENOUGH_RUNS
    nothing = RunFigures("empty", {})
    assert "no endpoint has enough requests" in _rule(runs, nothing).text


def test_a_slow_host_is_named_and_nothing_is_called() -> None:
    """The probe says that the machine was slow: undecided."""
    baseline = [made_run(f"b{n}", random.Random(n), probe_ms=100 + n % 3) for n in range(12)]
    slow = [made_run(f"s{n}", random.Random(50 + n), factors=CHAT, probe_ms=150) for n in range(3)]
    ruling = _rule(baseline, *slow)
    assert ruling.word is Word.HOST_NOISE
    assert "the host was slow" in ruling.text
    fine = [made_run(f"f{n}", random.Random(80 + n), probe_ms=150) for n in range(3)]
    assert _rule(baseline, *fine).word is Word.OK


def test_a_repeat_on_a_slow_host_is_no_repeat() -> None:
    """The candidate was slow by itself, but one of two repeats ran on a slow host: the suspicion stays."""
    baseline = [made_run(f"b{n}", random.Random(n), probe_ms=100 + n % 3) for n in range(12)]
    slow = [made_run(f"s{n}", random.Random(50 + n), factors=CHAT, probe_ms=101) for n in range(2)]
    slowed = made_run("x", random.Random(60), factors=CHAT, probe_ms=150)
    assert _rule(baseline, *slow, slowed).word is Word.SUSPECTED
    assert _rule(baseline, *slow, made_run("y", random.Random(60), factors=CHAT, probe_ms=102)).word is Word.REGRESSION
