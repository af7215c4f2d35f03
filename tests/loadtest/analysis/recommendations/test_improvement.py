"""An improvement is a bound or a prediction of a named model, or "not estimated"."""

import pytest

from include.loadtest.analysis.recommendations.improvement import (
    NONE,
    budget_ms,
    layer_share,
    shorter_by_at_most,
    with_twice,
)
from tests.loadtest.analysis.recommendations.conftest import BUDGET

pytestmark = pytest.mark.unit


def test_amdahls_bound_has_an_interval_from_nothing() -> None:
    """30 % of the time in the database: between 0 and 30 % less."""
    found = shorter_by_at_most(layer_share(BUDGET, "database"), "the database")
    assert found.document() == {"figure": "mean time of a request", "low": 0.0, "high": 0.3, "model": "Amdahl"}
    assert "0 to 30 % shorter, at most" in found.text


@pytest.mark.parametrize("share", [None, 0.0, -0.1, 1.2])
def test_without_a_share_nothing_is_estimated(share: float | None) -> None:
    """And the words are those of the specification."""
    assert shorter_by_at_most(share, "x") is NONE
    assert NONE.text == "not estimated"
    assert NONE.document() is None


def test_a_request_has_a_time_only_where_no_layer_is_missing() -> None:
    """Without "elsewhere" a layer was not measured."""
    assert budget_ms(BUDGET) == 1000
    assert budget_ms(BUDGET[:-1]) is None
    assert layer_share(BUDGET, "locks") is None


def resource(name: str, max_rpm: float | None) -> dict:
    return {"resource": name, "title": f"the {name}", "max_rpm": max_rpm, "beyond_reach": False}


def test_twice_as_much_brings_twice_as_much_until_the_next_one_ends() -> None:
    """1000 req/min by the CPU, 1500 by the pool: 50 % more, not 100 %."""
    found = with_twice({"resources": [resource("host_cpu", 1000), resource("pool", 1500)]}, "host_cpu")
    assert (found.low, found.high) == (0.0, pytest.approx(0.5))
    assert "then the pool ends" in found.text
    alone = with_twice({"resources": [resource("host_cpu", 1000), resource("pool", None)]}, "host_cpu")
    assert alone.high == pytest.approx(1.0)


def test_a_gain_ends_where_nothing_may_be_said() -> None:
    """The pool ends beyond 1.5 times the 900 tested: 1350 at most, 35 % more than the CPU's 1000."""
    far = resource("pool", None) | {"beyond_reach": True}
    found = with_twice({"resources": [resource("host_cpu", 1000), far], "tested": {"rpm": 900}}, "host_cpu")
    assert found.high == pytest.approx(0.35)
    assert "nothing is said of more than 1.5 x what was tested" in found.text


def test_more_of_what_does_not_end_first_brings_nothing_that_a_model_knows() -> None:
    """The pool ends first; and without a stepped load nothing is known."""
    assert with_twice({"resources": [resource("pool", 900), resource("host_cpu", 1000)]}, "host_cpu") is NONE
    assert with_twice(None, "host_cpu") is NONE
