"""What is expected of the change test is compared with what was said."""

import pytest

from experiments.expectations import (
    Cases,
    Expectation,
    Scored,
    comparison,
    regression_on,
    said,
)
from include.loadtest.analysis.ruling import Word

pytestmark = pytest.mark.unit
TAX = "endpoint:tax"


def scored(
    word: Word, count: int, *, kind: str = "aa", repeats: int = 2, scope: str = TAX, fold: str = ""
) -> list[Scored]:
    return [Scored(kind, f"{kind}{index}", repeats, word, scope, fold) for index in range(count)]


@pytest.mark.parametrize(("at_most", "ok"), [(True, False), (False, True)])
def test_a_share_is_held_against_its_limit(at_most: bool, ok: bool) -> None:
    """Two of ten are more than 15 %; cases of other kinds or with too few repeats do not count."""
    expectation = Expectation(Cases("unchanged", ("aa",), True), "said", said(Word.REGRESSION), 0.15, at_most)
    cases = [*scored(Word.REGRESSION, 2), *scored(Word.OK, 8)]
    others = [*scored(Word.REGRESSION, 9, kind="tax_113"), *scored(Word.REGRESSION, 9, repeats=1)]
    claim = expectation.claim("regression", "880 cases", [*cases, *others])
    assert claim.ok is ok
    assert claim.measured.startswith("20.0 % of 10 cases, 8 runs")


def test_no_case_meets_no_expectation() -> None:
    """Missing data is never a success."""
    expectation = Expectation(Cases("unchanged", ("aa",)), "said", said(Word.OK), 1.0, at_most=True)
    claim = expectation.claim("regression", "880 cases", scored(Word.OK, 3, kind="freeze"))
    assert (claim.measured, claim.ok) == ("no case", False)


def test_the_fold_furthest_off_is_shown() -> None:
    """A mean over folds may hide one that fails."""
    expectation = Expectation(Cases("unchanged", ("aa",)), "said", said(Word.OK), 0.4)
    cases = [
        *scored(Word.OK, 9, fold="s0.0"),
        *scored(Word.OK, 1, fold="s0.1"),
        *scored(Word.REGRESSION, 3, fold="s0.1"),
    ]
    assert expectation.claim("regression", "", cases).measured.endswith("of 2 folds (6 cases each) the furthest 25.0 %")


def test_a_regression_on_another_endpoint_is_no_hit() -> None:
    """Nor is a suspicion on the right one."""
    hit = regression_on("tax")
    (right,) = scored(Word.REGRESSION, 1)
    (other,) = scored(Word.REGRESSION, 1, scope="endpoint:search")
    (suspicion,) = scored(Word.SUSPECTED, 1)
    assert (hit(right), hit(other), hit(suspicion)) == (True, False, False)


def test_methods_are_compared_on_the_same_cases() -> None:
    """A row has every method's share; it is shown, not judged."""
    cases = {one.run: one for one in scored(Word.OK, 4)}
    methods = {"rule": dict.fromkeys(cases, False), "naive": dict.fromkeys(cases, True)}
    claim = comparison("regression", Cases("unchanged", ("aa",)), cases, methods)
    assert "rule 0.0 % of 4 cases" in claim.measured
    assert "naive 100.0 % of 4 cases" in claim.measured
    assert (claim.expected, claim.ok) == ("shown", True)
