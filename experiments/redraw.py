"""Cases drawn anew from recorded runs, so that no run of a case's baseline is ever judged in the same half."""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.expectations import AA, HOG, HOST_NOISE
from include.loadtest.backtest.replay import Case

SPLITS = 30
_PAIRS = 3
_LEAST_FOR_REPEATS = 3


@dataclass(frozen=True)
class Drawn:
    """A case with what is known of it: its `fold`, and the `kind` of its candidate."""

    name: str
    fold: str
    kind: str
    case: Case


def redrawn(kinds: Mapping[str, str], splits: int = SPLITS) -> Iterator[Drawn]:
    """Cases of `splits` seeded splits of the runs of each kind (`kinds` by run) into two halves.

    Each split makes two folds. In a fold the unchanged runs of one half are the baseline, and the runs of the other
    half of every kind are judged: without repeats, and with two others of the half as repeats where it has three. A
    kind with a single run stands in both folds. Two noisy runs a kind are too few for repeats: of them, each is judged
    besides with two of the other noisy runs as its repeats, the host being noisy all night.
    """
    for seed in range(splits):
        draw = random.Random(seed)  # noqa: S311 - seeded, to be repeated
        halves = {kind: _halves(runs, draw) for kind, runs in _by_kind(kinds).items()}
        for side in (0, 1):
            fold = f"s{seed}.{side}"
            baseline = halves[AA][1 - side]
            own = ((kind, runs) for kind, both in halves.items() for runs in _judged(both[side], draw))
            noisy = ((kinds[runs[0]], runs) for runs in _noisy(kinds))
            for number, (kind, runs) in enumerate(itertools.chain(own, noisy)):
                yield Drawn(f"{fold}/{number}", fold, kind, Case(list(baseline), [runs[0]], list(runs[1:])))


def _by_kind(kinds: Mapping[str, str]) -> dict[str, list[str]]:
    by_kind: dict[str, list[str]] = {}
    for run, kind in sorted(kinds.items()):
        by_kind.setdefault(kind, []).append(run)
    return by_kind


def _halves(runs: Sequence[str], draw: random.Random) -> tuple[Sequence[str], Sequence[str]]:
    if len(runs) == 1:
        return runs, runs
    mixed = draw.sample(runs, len(runs))
    return mixed[: len(mixed) // 2], mixed[len(mixed) // 2 :]


def _judged(runs: Sequence[str], draw: random.Random) -> Iterator[tuple[str, ...]]:
    """Each run alone, then each with pairs of the others as repeats: all pairs, or some drawn by chance."""
    yield from ((run,) for run in runs)
    if len(runs) < _LEAST_FOR_REPEATS:
        return
    for run in runs:
        pairs = list(itertools.combinations([other for other in runs if other != run], 2))
        yield from ((run, *pair) for pair in draw.sample(pairs, min(_PAIRS, len(pairs))))


def _noisy(kinds: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Each noisy run, with all pairs of the others after it."""
    noisy = sorted(run for run, kind in kinds.items() if kind in (HOST_NOISE, HOG))
    for run in noisy:
        yield from ((run, *pair) for pair in itertools.combinations([other for other in noisy if other != run], 2))
