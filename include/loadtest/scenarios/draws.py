"""Seeded random draws that any engine can repeat: integer arithmetic only, the same in Python and JavaScript.

The generator is splitmix32: a 32-bit counter, advanced by the golden ratio, mixed by two multiply-xorshift rounds.
"""

import bisect
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9


class Draws:
    """One stream of draws; equal keys give equal streams, on every platform and in every engine."""

    def __init__(self, *key: int) -> None:
        self._state = 0
        for part in key:
            self._state = (self._state ^ (part & _MASK)) & _MASK
            self._state = self._next()

    def _next(self) -> int:
        self._state = (self._state + _GOLDEN) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 16)) * 0x21F0AAAD) & _MASK
        mixed = ((mixed ^ (mixed >> 15)) * 0x735A2D97) & _MASK
        return mixed ^ (mixed >> 15)

    def below(self, bound: int) -> int:
        """A whole number from 0 to bound − 1 (bound ≤ 2²⁰: the bias of the remainder stays below 1 in 4,000)."""
        return self._next() % bound

    def uniform(self, low: float, high: float) -> float:
        """A number from low (included) to high (excluded)."""
        return low + (high - low) * (self._next() / 2**32)

    def pick(self, items: Sequence[Item]) -> Item:
        """One item, each equally likely."""
        return items[self.below(len(items))]

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """A Fisher-Yates shuffle."""
        cards = list(items)
        for last in range(len(cards) - 1, 0, -1):
            other = self.below(last + 1)
            cards[last], cards[other] = cards[other], cards[last]
        return cards


def scenario_order(deck: Mapping[str, int], seed: int, user: int) -> Iterator[str]:
    """Names of a user's scenarios, without end: one shuffled deck after another.

    `deck` maps a scenario to its number of cards, so shares are exact over each complete deck.
    """
    cards = [name for name, count in deck.items() for _ in range(count)]
    number = 0
    while True:
        yield from Draws(seed, user, number, 1).shuffled(cards)
        number += 1


class Zipf:
    """Ranks 0 … size−1 with probability proportional to 1 ÷ (rank + 1)^exponent."""

    def __init__(self, size: int, exponent: float) -> None:
        total = 0.0
        self._cumulative: list[float] = []
        for rank in range(size):
            total += (rank + 1) ** -exponent
            self._cumulative.append(total)

    @property
    def cumulative(self) -> tuple[float, ...]:
        """Sums of the weights up to each rank: powers differ in the last digit between engines, so they are shared."""
        return tuple(self._cumulative)

    def rank(self, draws: Draws) -> int:
        """One draw."""
        position = draws.uniform(0, self._cumulative[-1])
        return min(bisect.bisect_right(self._cumulative, position), len(self._cumulative) - 1)
