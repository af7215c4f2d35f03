"""What a series of runs can find."""

import random

import pytest

from include.loadtest.analysis.change import examine
from include.loadtest.analysis.figures import BODY, RunFigures
from include.loadtest.analysis.sensitivity import sensitivities
from tests.helpers.made_runs import SETTINGS, made_run

pytestmark = pytest.mark.unit


def _chat(noise: float, seed: int = 1):  # type: ignore[no-untyped-def]
    generator = random.Random(seed)
    baseline = [made_run(f"b{n}", generator, noise=noise) for n in range(12)]
    evidence = examine(baseline, [made_run("n", generator, noise=noise)], SETTINGS)
    found = {(one.measure, one.scope): one for one in sensitivities(evidence, SETTINGS)}
    return found[BODY, "endpoint:chat"]


def test_noisy_runs_find_only_large_changes() -> None:
    """Three times the noise, about three times the smallest change, and more runs for the relevant one."""
    quiet, noisy = _chat(0.03), _chat(0.15)
    assert 0.05 < quiet.suspected < 0.15
    assert noisy.suspected > 3 * quiet.suspected
    assert noisy.runs_for_relevant is None or noisy.runs_for_relevant > (quiet.runs_for_relevant or 0)
    assert quiet.confirmed > SETTINGS.relevant_change


def test_the_stated_change_is_found_four_times_out_of_five() -> None:
    """Planted at the size that each system's own runs state, it is suspected in 70 to 90 % of 300 systems."""
    hits = 0
    for seed in range(300):
        generator = random.Random(seed)
        baseline = [made_run(f"b{n}", generator) for n in range(12)]
        factor = {"endpoint:chat": 1 + _stated(baseline, generator)}
        evidence = examine(baseline, [made_run("n", generator, factors=factor)], SETTINGS)
        hits += any(one.is_suspected(SETTINGS) for one in evidence if one.scope == "endpoint:chat")
    assert 0.70 <= hits / 300 <= 0.90


def _stated(baseline: list[RunFigures], generator: random.Random) -> float:
    evidence = examine(baseline, [made_run("n", generator)], SETTINGS)
    found = {(one.measure, one.scope): one for one in sensitivities(evidence, SETTINGS)}
    return found[BODY, "endpoint:chat"].suspected
