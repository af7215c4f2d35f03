"""A measure and its line, and the arithmetic of a comparison: ratios of pairs, taken in turn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Protocol

from experiments.claims import Say


@dataclass(frozen=True)
class Measure:
    """What was measured beside which peer, as texts with their units; `ratio` is measured ÷ peer, None where none is.

    `goal` says what the ratio, or the measured value, was to be; `met` whether it was.
    """

    name: str
    measured: str
    peer: str
    ratio: float | None
    goal: str
    met: bool

    def line(self) -> str:
        """`name | measured | peer | ratio | goal | ok`, or missed at its end."""
        ratio = "–" if self.ratio is None else f"{self.ratio:.3f}"
        fields = (self.name, self.measured, self.peer, ratio, self.goal)
        return " | ".join([*map(_field, fields), "ok" if self.met else "missed"])


class Module(Protocol):
    """Some measures that share what they need; what it started is stopped when its iterator ends, however it ends.

    What cannot be measured raises: a measure is never invented.
    """

    NAME: str

    def measures(self, say: Say) -> Iterator[Measure]:
        """Its measures, one after the other; `say` takes lines of progress."""
        ...


@dataclass(frozen=True)
class Pairs:
    """Values of two rivals, taken in turn, A B, B A, A B: the n-th of each were taken one right after the other."""

    ours: tuple[float, ...]
    peers: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """The median of the pairs' ratios: what slows the machine for a while slows both of a pair."""
        return median(self.ratios)

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours ÷ the peer's, pair by pair."""
        return tuple(our / peer for our, peer in zip(self.ours, self.peers, strict=True))

    @property
    def our_median(self) -> float:
        """The median of our values."""
        return median(self.ours)

    @property
    def peer_median(self) -> float:
        """The median of the peer's values."""
        return median(self.peers)

    def spread(self) -> str:
        """The pairs' ratios from the least to the most, for people."""
        low, high = min(self.ratios), max(self.ratios)
        return f"{len(self.ratios)} pairs {low:.2f}–{high:.2f}"


def in_turn(rounds: int, ours: Callable[[], float], peer: Callable[[], float]) -> Pairs:
    """Measure both so many times in turn, the first of a pair changing from pair to pair."""
    our_values: list[float] = []
    peer_values: list[float] = []
    for number in range(rounds):
        for is_ours in (True, False) if number % 2 == 0 else (False, True):
            (our_values if is_ours else peer_values).append((ours if is_ours else peer)())
    return Pairs(tuple(our_values), tuple(peer_values))


def at_most(limit: float, ratio: float) -> bool:
    """Whether the ratio meets its limit as both are printed: to three places."""
    return round(ratio, 3) <= limit


def _field(text: str) -> str:
    """On one line, and without the sign that separates fields."""
    return " ".join(text.split()).replace("|", "/")
