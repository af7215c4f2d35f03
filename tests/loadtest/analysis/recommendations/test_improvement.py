"""An improvement is a prediction of a named model with its interval, or "not estimated"."""

import pytest

from include.loadtest.analysis.recommendations.improvement import NONE, layer_share, shorter_wait, with_more
from tests.loadtest.analysis.recommendations.conftest import BUDGET

pytestmark = pytest.mark.unit


def test_a_shorter_wait_has_its_interval_as_a_change() -> None:
    """Minus 350 to minus 390 ms."""
    found = shorter_wait(380.0, 350.0, 390.0)
    assert "waits 380 ms less for a connection, on average (95 % 350 to 390" in found.text
    assert found.document() == {
        "figure": "wait of a request for a connection", "unit": "ms", "low": -390.0, "high": -350.0, "model": "M/M/n",
    }  # fmt: skip


def test_without_a_model_the_words_are_those_of_the_specification() -> None:
    """And there is no range."""
    assert NONE.text == "not estimated"
    assert NONE.document() is None


def test_a_layer_that_was_not_measured_has_no_share() -> None:
    """It is absent, not 0."""
    assert layer_share(BUDGET, "database") == 0.3
    assert layer_share(BUDGET, "locks") is None


def resource(name: str, rpm: float | None, low: float | None = None, high: float | None = None) -> dict:
    """Of 2 servers; 120 ms of one answer each: 1000 answers a minute, half of them a server."""
    return {
        "resource": name, "title": f"the {name}", "max_rpm": rpm, "max_low_rpm": low, "max_high_rpm": high,
        "servers": 2.0, "demand_ms": 120.0, "demand_low_ms": 110.0, "demand_high_ms": 130.0,
    }  # fmt: skip


def capacity(*resources: dict, tested: float = 1000.0, **parts) -> dict:
    maximum = {"resource": "host_cpu", "rpm": 1000.0, "low_rpm": 950.0, "high_rpm": 1050.0}
    base = {"maximum": maximum, "resources": list(resources), "not_measured": [], "tested": {"rpm": tested}}
    return base | parts


CPU = resource("host_cpu", 1000.0, 950.0, 1050.0)


def test_more_brings_more_until_the_next_one_ends() -> None:
    """1000 req/min by the CPU, 1500 (1400 to 1600) by the pool: 50 % more, between 1400/1050 and 1600/950."""
    found = with_more(capacity(CPU, resource("pool", 1500.0, 1400.0, 1600.0)), "host_cpu", 2.0)
    assert (found.low, found.high) == (pytest.approx(1400 / 1050 - 1), pytest.approx(1600 / 950 - 1))
    assert "highest throughput 50 % higher (95 % 33 to 68; utilisation law, what ends then: the pool)" in found.text


def test_a_further_server_adds_its_own_throughput() -> None:
    """Half as much again: one of 2 servers more at 120 (110 to 130) ms: 500 (462 to 545) req/min."""
    found = with_more(capacity(CPU), "host_cpu", 1.5)
    assert found.low == pytest.approx((950 + 60_000 / 130) / 1050 - 1)
    assert found.high == pytest.approx((1050 + 60_000 / 110) / 950 - 1)


@pytest.mark.parametrize(
    ("known", "name"),
    [
        (None, "host_cpu"),
        (capacity(CPU), "pool"),
        (capacity(CPU, not_measured=["database_pool"]), "host_cpu"),
        (capacity(CPU, resource("pool", 1500.0)), "host_cpu"),
        (capacity(CPU, tested=900.0), "host_cpu"),
        (capacity(resource("host_cpu", None)), "host_cpu"),
    ],
)
def test_what_the_law_cannot_say_is_not_estimated(known: dict | None, name: str) -> None:
    """No steps, another ends first, one is unknown, no interval, beyond 1.5 times what was tested, no line."""
    assert with_more(known, name, 2.0) is NONE
