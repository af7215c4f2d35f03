"""The CPU probe beside a run."""

import math
import random

import pytest

from include.loadtest.analysis.change import examine
from include.loadtest.analysis.figures import BODY, RunFigures
from include.loadtest.analysis.probe import has_usual_cpu, slow_probe
from tests.helpers.made_runs import LEVELS_MS, SETTINGS, made_run

pytestmark = pytest.mark.unit


def _probed(*probes_ms: float) -> list[RunFigures]:
    return [made_run(f"b{n}", random.Random(n), probe_ms=probe_ms) for n, probe_ms in enumerate(probes_ms)]


def test_usual_is_what_the_quicker_nights_had() -> None:
    """A tenth slower is not usual, one of several new runs is enough, and without probes nothing is."""
    baseline = _probed(*(100 + n % 3 for n in range(8)), 180, 190)
    assert has_usual_cpu(baseline, _probed(101, 103))
    assert not has_usual_cpu(baseline, _probed(101, 112))
    assert not has_usual_cpu(baseline, [made_run("r", random.Random(1))])
    assert not has_usual_cpu(baseline[:5], _probed(101))


def test_a_quarter_above_the_quicker_nights_is_slow_however_much_probes_differ() -> None:
    """Half of the baseline ran beside somebody else: its spread excuses nothing."""
    baseline = _probed(100, 200, 101, 150, 99, 220, 100, 170)
    assert "% longer than on the baseline's quicker nights" in (slow_probe(baseline, _probed(160)[0]) or "")
    assert slow_probe(baseline, _probed(110)[0]) is None


def test_a_product_that_is_slower_everywhere_is_called_where_the_cpu_was_as_usual() -> None:
    """Nights with a slow CPU made the endpoints companions; +15 % on all of them is not explained away by that."""

    def night(name: str, generator: random.Random, cpu: float, factor: float) -> RunFigures:
        factors = {scope: math.exp(cpu) * factor for scope in LEVELS_MS}
        return made_run(name, generator, noise=0.01, factors=factors, probe_ms=100 * math.exp(cpu))

    generator = random.Random(4)
    baseline = [night(f"b{n}", generator, max(0.0, generator.gauss(0, 0.04)), 1) for n in range(16)]
    new = [night(f"n{n}", generator, 0.0, 1.15) for n in range(3)]
    bodies = [one for one in examine(baseline, new, SETTINGS) if one.measure == BODY]
    assert all(one.is_confirmed(SETTINGS) and one.is_worse and not one.companions for one in bodies)
    slow_nights = [night(f"s{n}", generator, 0.15, 1) for n in range(3)]
    assert not any(
        one.is_confirmed(SETTINGS) for one in examine(baseline, slow_nights, SETTINGS) if one.measure == BODY
    )
