"""A slow host told from a slow product."""

import math
import random

import pytest

from include.loadtest.analysis.columns import columns
from include.loadtest.analysis.figures import BODY, RunFigures
from include.loadtest.analysis.host import slow_host
from tests.helpers.made_runs import made_run, made_runs

pytestmark = pytest.mark.unit


def _baseline(generator: random.Random) -> list[RunFigures]:
    """Runs whose tax takes as long as the CPU time that it costs."""
    nights = [generator.gauss(0, 0.08) for _ in range(12)]
    return [
        made_run(f"b{n}", generator, noise=0.01, factors={"endpoint:tax": math.exp(night)}, cpu=2.0 * math.exp(night))
        for n, night in enumerate(nights)
    ]


def _reason(
    baseline: list[RunFigures], run: RunFigures, scope: str = "endpoint:tax", *, has_companions: bool = True
) -> str | None:
    table = {(column.measure, column.scope): column for column in columns(baseline, [run])}
    return slow_host(table[BODY, scope], baseline, run, has_companions=has_companions)


def test_longer_without_the_cpu_time_it_costs_is_the_host() -> None:
    """Half as long again for the usual CPU time is a CPU given to others; with the CPU time it is the product."""
    generator = random.Random(1)
    baseline = _baseline(generator)
    hog = made_run("hog", generator, factors={"endpoint:tax": 1.5}, cpu=2.0)
    product = made_run("product", generator, factors={"endpoint:tax": 1.5}, cpu=3.0)
    assert "computes, and took longer" in (_reason(baseline, hog) or "")
    assert _reason(baseline, product) is None
    assert _reason(baseline, hog, has_companions=False) is None


def test_an_endpoint_that_waits_says_nothing_of_the_cpu() -> None:
    """A chat that got slower by waiting costs no CPU time, and is the product's all the same."""
    generator = random.Random(2)
    baseline = _baseline(generator)
    assert _reason(baseline, made_run("r", generator, factors={"endpoint:chat": 1.5}, cpu=2.0), "endpoint:chat") is None


def test_a_slower_probe_is_the_host_whatever_the_endpoint() -> None:
    """The same piece of work took a third longer than on other nights; a few per cent are noise."""
    baseline = [made_run(f"b{n}", random.Random(n), probe_ms=100 + n % 4) for n in range(8)]
    assert "fixed piece of CPU work" in (_reason(baseline, made_run("r", random.Random(9), probe_ms=135)) or "")
    assert _reason(baseline, made_run("r", random.Random(9), probe_ms=104)) is None


def test_without_readings_nothing_is_said() -> None:
    """No CPU time, no probe, or too few runs that have them."""
    run = made_run("r", random.Random(1), factors={"endpoint:tax": 1.5}, cpu=2.0, probe_ms=300)
    assert _reason(made_runs(12, 3), run) is None
    assert _reason([made_run(f"b{n}", random.Random(n), cpu=2.0, probe_ms=100) for n in range(4)], run) is None
