"""Draws are repeatable, and a deck's shares are exact."""

from collections import Counter
from itertools import islice

import pytest

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.scenarios.draws import Draws, Zipf, scenario_order

pytestmark = pytest.mark.unit


def test_every_complete_deck_has_the_exact_shares() -> None:
    """30/25/20/10/10/5 % are 6, 5, 4, 2, 2 and 1 cards of every 20, for every user."""
    deck = load_profile(find_profile("smoke")).deck()
    for user in (1, 2, 200):
        order = scenario_order(deck, 7, user)
        for _ in range(50):
            assert Counter(islice(order, 20)) == Counter(deck)


def test_users_and_decks_are_shuffled_differently() -> None:
    """No two users walk in step, and no user repeats one order."""
    deck = load_profile(find_profile("smoke")).deck()
    orders = {tuple(islice(scenario_order(deck, 7, user), 20)) for user in range(1, 101)}
    assert len(orders) == 100
    one = list(islice(scenario_order(deck, 7, 1), 40))
    assert one[:20] != one[20:]


def test_equal_keys_give_equal_draws() -> None:
    """The values pin the generator: another engine must draw the same."""
    assert Draws(1, 2, 3).below(1000) == Draws(1, 2, 3).below(1000)
    draws = Draws(20241205, 1, 0)
    assert [draws.below(1000) for _ in range(5)] == PINNED


PINNED = [120, 654, 321, 79, 987]


def test_uniform_draws_fill_their_range() -> None:
    """A chi-square of ten equal bins stays below its 99.9 % point (27.9)."""
    draws = Draws(11)
    bins = Counter(int(draws.uniform(0, 10)) for _ in range(10_000))
    assert sum((bins[index] - 1000) ** 2 / 1000 for index in range(10)) < 27.9


def test_zipf_ranks_have_their_probabilities() -> None:
    """Rank r is drawn with probability proportional to 1 ÷ (r + 1)."""
    zipf, draws = Zipf(4, 1.0), Draws(5)
    counts = Counter(zipf.rank(draws) for _ in range(25_000))
    for rank, expected in enumerate((12_000, 6_000, 4_000, 3_000)):
        assert abs(counts[rank] - expected) < 4 * expected**0.5
