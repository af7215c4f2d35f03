"""The test itself, on systems whose truth is known."""

import math
import random
from dataclasses import replace

import pytest

from include.loadtest.analysis.change import Evidence, examine
from include.loadtest.analysis.figures import BODY, TAIL, Point, RunFigures
from tests.helpers.made_runs import SETTINGS, made_run, made_runs, made_series

pytestmark = pytest.mark.unit

CHAT = "endpoint:chat"


def _found(factor: float, seed: int, runs: int, **options: float) -> dict[tuple[str, str], Evidence]:
    generator = random.Random(seed)
    baseline = [made_run(f"b{n}", generator) for n in range(12)]
    new = [made_run(f"n{n}", generator, factors={CHAT: factor}, **options) for n in range(runs)]  # type: ignore[arg-type]
    return {(one.measure, one.scope): one for one in examine(baseline, new, SETTINGS)}


def test_unchanged_runs_are_seldom_suspected_and_hardly_ever_called() -> None:
    """Of 400 unchanged systems at most the allowed share is suspected by one run; of their repeats 1 % is called."""
    suspected = called = 0
    for seed in range(400):
        suspected += any(one.is_suspected(SETTINGS) and one.is_worse for one in _found(1, seed, 1).values())
        called += any(one.is_confirmed(SETTINGS) for one in _found(1, seed, 3).values())
    assert suspected <= SETTINGS.suspicion_rate * 400
    assert called <= 4


def test_a_relevant_change_is_found_on_its_endpoint_with_its_size() -> None:
    """+20 % of one endpoint, with two repeats: always called there, nowhere else; the interval holds the truth."""
    inside = 0
    for seed in range(60):
        found = _found(1.2, seed, 3)
        assert [key for key, one in found.items() if one.is_confirmed(SETTINGS) and key[0] == BODY] == [(BODY, CHAT)]
        inside += found[BODY, CHAT].ci_low <= 0.2 <= found[BODY, CHAT].ci_high
    assert inside >= 54


def test_a_small_change_is_not_called_however_significant() -> None:
    """+5 % is below the relevant limit, also with almost no noise."""
    baseline = made_runs(30, 1, noise=0.001)
    generator = random.Random(2)
    new = [made_run(f"n{n}", generator, noise=0.001, factors={CHAT: 1.05}) for n in range(3)]
    assert not any(one.is_confirmed(SETTINGS) for one in examine(baseline, new, SETTINGS))


def test_only_the_tail_moved_and_it_says_so() -> None:
    """The slowest requests take half as long again: the tail is called, the body is not."""
    found = _found(1, 3, 3, tail_factor=1.5)
    called = {measure for (measure, _), one in found.items() if one.is_confirmed(SETTINGS)}
    assert called == {TAIL}


def test_better_is_better_by_the_same_test() -> None:
    """A fall of latency and a rise of throughput are improvements, their opposites are not."""
    assert not _found(0.8, 4, 3)[BODY, CHAT].is_worse
    before = [100 + (n % 3) for n in range(12)]
    for higher, new, worse in ((True, [130] * 3, False), (True, [70] * 3, True), (False, [130] * 3, True)):
        baseline, later = made_series(before, higher_is_better=higher), made_series(new, higher_is_better=higher)
        (one,) = examine(baseline, later, SETTINGS)
        assert one.is_confirmed(SETTINGS)
        assert (one.is_worse, one.change) == (worse, pytest.approx(new[0] / 101 - 1, abs=0.01))


def test_one_odd_new_run_calls_nothing() -> None:
    """The mean of three runs of which one is twice as slow is relevant, but two of them do not show it."""
    (one,) = examine(made_series([100 + n % 3 for n in range(12)]), made_series([200, 100, 101]), SETTINGS)
    assert one.change > 0.1
    assert not one.is_confirmed(SETTINGS)


def test_a_run_without_repeats_is_never_final() -> None:
    """However slow."""
    (one,) = examine(made_series([100 + n % 3 for n in range(12)]), made_series([300]), SETTINGS)
    assert one.is_suspected(SETTINGS)
    assert not one.is_confirmed(SETTINGS)


def test_a_body_that_is_slower_by_less_than_its_median_counts_by_the_median() -> None:
    """Median +14 %, the rest +7 %: 9 % on average, and relevant all the same; +7 % everywhere is not."""

    def run(name: str, generator: random.Random, median: float, rest: float) -> RunFigures:
        made = made_run(name, generator, noise=0.01)
        factors = {place: median if place == "latency_p50_ms" else rest for place in made.points[CHAT]}
        moved = {place: Point(point.log + math.log(factors[place]), 0.03) for place, point in made.points[CHAT].items()}
        return replace(made, points=dict(made.points) | {CHAT: moved})

    generator = random.Random(8)
    baseline = [run(f"b{n}", generator, 1, 1) for n in range(12)]
    for median, called in ((1.14, True), (1.07, False)):
        new = [run(f"n{n}", generator, median, 1.07) for n in range(3)]
        (body,) = [one for one in examine(baseline, new, SETTINGS) if (one.measure, one.scope) == (BODY, CHAT)]
        assert body.change < SETTINGS.relevant_change
        assert body.is_confirmed(SETTINGS) is called
