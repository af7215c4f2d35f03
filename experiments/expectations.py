"""What is expected of the change test, kind of run by kind, and what is said of a case against it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from experiments.claims import Claim
from experiments.scoring import Rate, rate
from include.loadtest.analysis.ruling import Word

AA, CC_105, CC_113, CC_130, TAX_113 = "aa", "chat_complex_105", "chat_complex_113", "chat_complex_130", "tax_113"
HOST_NOISE, HOG, FREEZE = "host_noise", "host_noise_same_core", "freeze"
CREEP = tuple(f"creep_search_{week}" for week in range(1, 7))
CHANGED = (CC_105, CC_113, CC_130, TAX_113, *CREEP)
BLAMES = (Word.REGRESSION, Word.SUSPECTED)
REPEATS = 2


@dataclass(frozen=True)
class Scored:
    """A judged case: `run` is its candidate, of `kind`; `scope` is that of the worst measure, as `endpoint:search`."""

    kind: str
    run: str
    repeats: int
    word: Word
    scope: str
    fold: str = ""


@dataclass(frozen=True)
class Cases:
    """Which cases an expectation or a row of the comparison is about; `repeated` None: with any number of repeats."""

    text: str
    kinds: tuple[str, ...]
    repeated: bool | None = None

    def has(self, kind: str, repeats: int) -> bool:
        """Whether a case is one of them."""
        return kind in self.kinds and self.repeated in (None, repeats >= REPEATS)


@dataclass(frozen=True)
class Expectation:
    """That a share of cases is hit, at most or at least `limit`."""

    cases: Cases
    said: str
    hit: Callable[[Scored], bool]
    limit: float
    at_most: bool = False

    def claim(self, name: str, title: str, scored: Sequence[Scored]) -> Claim:
        """Judged by the share of cases; the interval counts their runs. Of folds the one furthest off is shown too."""
        own = [case for case in scored if self.cases.has(case.kind, case.repeats)]
        found = rate((case.run, self.hit(case)) for case in own)
        measured = found.text()
        folds = list(self._folds(own))
        if folds:
            furthest = max(folds) if self.at_most else min(folds)
            measured += (
                f"; of {len(folds)} folds ({len(own) // len(folds)} cases each) the furthest {100 * furthest:.1f} %"
            )
        sign = "<=" if self.at_most else ">="
        return Claim(
            name,
            f"{title}: {self.cases.text}: {self.said}",
            f"{sign} {100 * self.limit:g} %",
            measured,
            self.met(found),
        )

    def met(self, found: Rate) -> bool:
        """Whether the share is as expected; that of no case never is."""
        if found.value is None:
            return False
        return found.value <= self.limit if self.at_most else found.value >= self.limit

    def _folds(self, own: Iterable[Scored]) -> Iterator[float]:
        by_fold: dict[str, list[bool]] = {}
        for case in own:
            by_fold.setdefault(case.fold, []).append(self.hit(case))
        yield from (sum(hits) / len(hits) for fold, hits in by_fold.items() if fold)


def said(*words: Word) -> Callable[[Scored], bool]:
    """That one of these words is said."""
    return lambda case: case.word in words


def regression_on(endpoint: str) -> Callable[[Scored], bool]:
    """That REGRESSION is said, of that endpoint."""
    return lambda case: case.word is Word.REGRESSION and case.scope == f"endpoint:{endpoint}"


UNCHANGED = Cases("unchanged, two repeats", (AA,), True)
PLUS_5 = Cases("chat_complex ×1.05, two repeats", (CC_105,), True)
PLUS_13 = Cases("chat_complex ×1.13, two repeats", (CC_113,), True)
PLUS_30 = Cases("chat_complex ×1.30, two repeats", (CC_130,), True)
TAX = Cases("tax ×1.13, two repeats", (TAX_113,), True)
NOISY = Cases("CPU hog beside the target, repeats missing", (HOST_NOISE, HOG), False)
NOISY_ALL_NIGHT = Cases("CPU hog beside the target, and beside both repeats", (HOST_NOISE, HOG), True)
FROZEN = Cases("frozen 5 s", (FREEZE,))
CREEPING = Cases("creep, weeks 4-6", CREEP[3:])

EXPECTED = (
    Expectation(UNCHANGED, "REGRESSION", said(Word.REGRESSION), 0.015, at_most=True),
    Expectation(
        Cases("unchanged, repeats missing", (AA,), False), "SUSPECTED", said(Word.SUSPECTED), 0.10, at_most=True
    ),
    Expectation(PLUS_5, "REGRESSION", said(Word.REGRESSION), 0.20, at_most=True),
    Expectation(PLUS_13, "REGRESSION, on chat_complex", regression_on("chat_complex"), 0.90),
    Expectation(PLUS_30, "REGRESSION, on chat_complex", regression_on("chat_complex"), 0.99),
    Expectation(TAX, "REGRESSION", said(Word.REGRESSION), 0.40),
    Expectation(Cases("changed", CHANGED), "IMPROVEMENT", said(Word.IMPROVEMENT), 0.05, at_most=True),
    Expectation(NOISY, "REGRESSION", said(Word.REGRESSION), 0.0, at_most=True),
    Expectation(Cases("CPU hog on the target's core", (HOG,), False), "HOST_NOISE", said(Word.HOST_NOISE), 0.90),
    Expectation(FROZEN, "STALL", said(Word.STALL), 1.0),
    Expectation(CREEPING, "SUSPECTED or REGRESSION", said(*BLAMES), 0.90),
)

EXPECTED_OF_REDRAWN = (*EXPECTED, Expectation(NOISY_ALL_NIGHT, "REGRESSION", said(Word.REGRESSION), 0.05, at_most=True))
"""The recorded cases have no noisy run with two repeats."""

COMPARED = (UNCHANGED, PLUS_5, PLUS_13, PLUS_30, TAX, NOISY, FROZEN, CREEPING)
"""Rows of the comparison: how often each method blames the product."""


def comparison(
    name: str, cases: Cases, scored: Mapping[str, Scored], methods: Mapping[str, Mapping[str, bool]]
) -> Claim:
    """How often each method blames the product; `methods` by their name, then case."""
    own = {case: one.run for case, one in scored.items() if cases.has(one.kind, one.repeats)}
    shown = (
        f"{method} {rate((run, blamed[case]) for case, run in own.items()).text()}"
        for method, blamed in methods.items()
    )
    return Claim(name, f"compared: {cases.text}: the product is blamed", "shown", "; ".join(shown), True)
