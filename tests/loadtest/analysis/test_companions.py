"""What endpoints have in common."""

import math
import random

import pytest

from include.loadtest.analysis.change import examine
from include.loadtest.analysis.figures import BODY, RunFigures
from tests.helpers.made_runs import SETTINGS, made_run

pytestmark = pytest.mark.unit

COMPUTING = ("endpoint:tax", "endpoint:search")


def _night(generator: random.Random, name: str, *, cpu: float, tax: float = 1.0) -> RunFigures:
    """A run on a CPU that is slower by `cpu`: what computes takes so much longer."""
    factors = {scope: math.exp(cpu) for scope in COMPUTING}
    factors["endpoint:tax"] *= tax
    return made_run(name, generator, noise=0.015, factors=factors)


def _tax_of(new: RunFigures, baseline: list[RunFigures]):  # type: ignore[no-untyped-def]
    found = {(one.measure, one.scope): one for one in examine(baseline, [new], SETTINGS)}
    return found[BODY, "endpoint:tax"]


def _baseline(generator: random.Random) -> list[RunFigures]:
    return [_night(generator, f"b{n}", cpu=generator.gauss(0, 0.1)) for n in range(12)]


def test_a_slow_cpu_is_taken_out_and_a_slow_endpoint_stays() -> None:
    """On a night with a slow CPU the endpoint is as it should be; +20 % of its own is found at its size."""
    generator = random.Random(5)
    baseline = _baseline(generator)
    slow_night = _tax_of(_night(generator, "n", cpu=0.15), baseline)
    assert slow_night.companions == ("endpoint:search",) or "endpoint:search" in slow_night.companions
    assert abs(slow_night.change) < 0.07
    assert not slow_night.is_suspected(SETTINGS)
    slower = _tax_of(_night(generator, "n", cpu=0.1, tax=1.2), baseline)
    assert slower.change == pytest.approx(0.2, abs=0.07)
    assert slower.is_suspected(SETTINGS)


def test_endpoints_that_move_by_themselves_have_no_companions() -> None:
    """Independent noise explains nothing."""
    generator = random.Random(6)
    baseline = [made_run(f"b{n}", generator) for n in range(12)]
    found = examine(baseline, [made_run("n", generator)], SETTINGS)
    assert sum(bool(one.companions) for one in found) <= 1
