"""Where the time of a request goes."""

import pytest

from include.loadtest.analysis.bottleneck.budget import time_budget
from tests.helpers.made_cases import Value, counted, made_case, made_requests

pytestmark = pytest.mark.unit


def test_layers_are_what_is_in_them_by_the_rate_of_requests() -> None:
    """0.8 calls of the LLM at a time and 8 requests a second: 100 ms a request; what is left is elsewhere."""
    case = made_case({("llm", "llm_wait_seconds_sum"): counted(0.8)}, requests=made_requests(lambda _, __, ___: 500.0))
    found = {one["layer"]: one for one in time_budget(case)}
    assert found["llm"]["ms_per_request"] == pytest.approx(100, rel=0.05)
    assert found["llm"]["share"] == pytest.approx(0.2, rel=0.05)
    assert sum(one["ms_per_request"] for one in found.values()) == pytest.approx(500, rel=0.05)


def test_an_unmeasured_layer_is_absent_and_so_is_the_rest() -> None:
    """Without the LLM nobody knows what is elsewhere; without any source there is no budget."""
    layers = {one["layer"] for one in time_budget(made_case(without=["llm"]))}
    assert layers == {"cpu", "database", "locks", "cache"}
    assert time_budget(made_case(without=["llm", "postgres", "redis", "process", "app"])) == []


def test_no_layer_holds_more_than_users_wait_for() -> None:
    """Work for users who have given up is in the servers still: the milliseconds fit the share, and no rest is told."""
    figures: dict[tuple[str, str], Value] = {("llm", "llm_wait_seconds_sum"): counted(80.0)}
    case = made_case(figures, requests=made_requests(lambda _, __, ___: 500.0))
    found = {one["layer"]: one for one in time_budget(case)}
    assert found["llm"]["share"] == 1.0
    assert found["llm"]["ms_per_request"] == pytest.approx(500, rel=0.05)
    assert "elsewhere" not in found
