"""Level and spread of earlier runs."""

import numpy as np
import pytest

from include.loadtest.analysis.spread import BORROWED_RUNS, borrowed_variance, level, shrunk

pytestmark = pytest.mark.unit


def test_an_odd_run_moves_neither_level_nor_spread() -> None:
    """One night that is ten times slower: the level stays within a part of the usual spread."""
    normal = np.random.default_rng(1).normal(0, 0.04, 12)
    centre, variance = level(normal, borrowed_variance(0.02))
    odd_centre, odd_variance = level(np.append(normal, 2.3), borrowed_variance(0.02))
    assert abs(odd_centre - centre) < 0.02
    assert odd_variance < 3 * variance


def test_the_variance_of_normal_runs_is_right_on_average() -> None:
    """What the cut at two standard deviations takes away is given back: over many samples within a tenth."""
    generator = np.random.default_rng(2)
    found = [level(generator.normal(0, 0.1, 20), 0.01)[1] for _ in range(400)]
    assert np.mean(found) == pytest.approx(0.01, rel=0.1)


def test_few_runs_borrow_and_many_speak_for_themselves() -> None:
    """With six runs' weight the borrowed variance decides for three, and hardly for two hundred."""
    assert shrunk(0.0, 3, 0.04)[0] == pytest.approx(np.sqrt(6 * 0.04 / 8))
    assert shrunk(0.01, 200, 0.04)[0] == pytest.approx(0.1, rel=0.06)
    assert shrunk(0.0, 3, 0.04)[1] == 2 + BORROWED_RUNS
