"""What the summary says of stalls and held-back starts."""

from typing import Any

import pytest

from include.loadtest.reporting.waiting import waiting_section

pytestmark = pytest.mark.unit


def report(stall_s: float | None, p95_ms: float | None, corrected_ms: float | None) -> dict[str, Any]:
    def row(metric: str, value: float | None, unit: str, **further: Any) -> dict[str, Any]:
        return {"metric": metric, "scope": "all", "phase": "hold", "value": value, "unit": unit, **further}

    return {
        "manifest": {"profile": {"stall_limit_s": 3.0}},
        "metrics": [
            row("longest_stall_s", stall_s, "s", waiting=9, **{"from": "2026-11-24T20:00:20.000000Z"}),
            row("latency_p95_ms", p95_ms, "ms"),
            row("latency_p95_corrected_ms", corrected_ms, "ms", lower_bound=True),
        ],
    }


def test_a_stall_over_the_limit_is_told_with_time_length_and_who_waited() -> None:
    """A person can look up the moment in the target's log."""
    text = waiting_section(report(10.04, 100, 100))
    assert "from 2026-11-24 20:00:20 UTC nothing finished for 10.04 s while 9 requests waited (limit 3 s)" in text
    assert "corrected" not in text


def test_a_corrected_percentile_is_shown_where_it_tells_another_story() -> None:
    """Beside the plain one, with its mark of a lower bound."""
    text = waiting_section(report(1, 100, 5000))
    assert "P95 100 ms, corrected ≥ 5,000 ms" in text
    assert "Stall" not in text


@pytest.mark.parametrize("figures", [(3.0, 100, 110), (None, None, None), (1, 100, None)])
def test_nothing_notable_is_no_section(figures: tuple[Any, Any, Any]) -> None:
    """Up to the limits, and where nothing was measured."""
    assert waiting_section(report(*figures)) == ""
