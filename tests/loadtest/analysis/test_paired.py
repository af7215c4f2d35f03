"""Two releases measured in turns."""

import random

import pytest

from include.loadtest.analysis.figures import RunFigures
from include.loadtest.analysis.paired import rule_paired
from include.loadtest.analysis.ruling import Ruling, Word
from tests.helpers.made_runs import SETTINGS, STALL_LIMIT_S, made_run

pytestmark = pytest.mark.unit

SLOW = {"endpoint:chat": 1.2}


def _paired(ours: list[RunFigures], theirs: list[RunFigures]) -> Ruling:
    generator = random.Random(1)
    baseline = [made_run(f"b{n}", generator) for n in range(12)]
    return rule_paired(baseline, ours, theirs, SETTINGS, STALL_LIMIT_S)


def _arm(seed: int, factors: dict[str, float], **options: float) -> list[RunFigures]:
    generator = random.Random(seed)
    return [made_run(f"r{n}", generator, factors=factors, **options) for n in range(2)]  # type: ignore[arg-type]


def test_what_hits_both_arms_is_no_regression() -> None:
    """A host that slows both by a fifth cancels out; a candidate that is slower alone is called."""
    assert _paired(_arm(2, SLOW), _arm(3, SLOW)).word is Word.OK
    ruling = _paired(_arm(2, SLOW), _arm(3, {}))
    assert ruling.word is Word.REGRESSION
    assert "endpoint:chat: body" in ruling.text
    assert _paired(_arm(2, {}), _arm(3, SLOW)).word is Word.OK


def test_an_arm_with_too_few_runs_leaves_the_suspicion() -> None:
    """A stalled run does not count."""
    assert _paired(_arm(2, SLOW)[:1], _arm(3, {})).word is Word.SUSPECTED
    assert _paired(_arm(2, SLOW), _arm(3, {}, stall_s=9.0)).word is Word.SUSPECTED
