"""A spike test's key figures are those of its spike."""

from typing import Any

import pytest

from include.loadtest.reporting.key_phase import key_phase

pytestmark = pytest.mark.unit


def row(phase: str, n: int) -> dict[str, Any]:
    return {"metric": "error_rate", "scope": "all", "phase": phase, "value": 0.0, "n": n}


def test_the_spike_where_one_was_sent() -> None:
    """A run that ended before it, and any other test, has the figures of its hold."""
    assert key_phase([row("hold", 60), row("spike", 9_000), row("recovery", 500)]) == "spike"
    assert key_phase([row("hold", 60), row("spike", 0)]) == "hold"
    assert key_phase([row("ramp_up", 60), row("hold", 9_000)]) == "hold"
    assert key_phase([]) == "hold"
