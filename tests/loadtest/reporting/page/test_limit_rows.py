"""The table of limits and the key figures: the report's own figures, the worst first."""

import pytest

from include.loadtest.reporting.page.limit_rows import limit_rows, margin_text, tiles
from tests.loadtest.reporting.conftest import ROW, SLO

pytestmark = pytest.mark.unit

P95 = ROW | {"metric": "latency_p95_ms", "value": 4100.0, "unit": "ms", "lower_bound": True}


def report_of(*slos: dict, metrics: tuple[dict, ...] = (P95,)) -> dict:
    return {"slos": list(slos), "metrics": list(metrics), "manifest": None}


def test_a_row_has_observed_interval_n_limit_margin_and_outcome() -> None:
    """As the summary writes them; of a lower bound the margin is one too."""
    (row,) = limit_rows(report_of(SLO))
    assert (row.observed, row.interval, row.n, row.limit) == ("≥ 4,100 ms", "3,900 ms – …", "100", "< 4,000 ms")
    assert (row.margin, row.outcome, row.filled_pct) == ("at least 2.5 % beyond", "❌ missed (close)", 100.0)


def test_the_worst_comes_first_and_what_need_not_be_judged_last() -> None:
    """A required limit that was not judged is no good news."""
    met = SLO | {"metric": "a", "outcome": "met"}
    optional = SLO | {"metric": "b", "outcome": "not_judged", "required": False}
    required = SLO | {"metric": "c", "outcome": "not_judged"}
    warning = SLO | {"metric": "d", "level": "warning"}
    rows = limit_rows(report_of(met, optional, required, warning, SLO))
    assert [row.metric for row in rows] == ["latency_p95_ms", "d", "c", "a", "b"]


@pytest.mark.parametrize(
    ("comparator", "observed", "text", "margin"),
    [
        ("<", 2000.0, "2,000 ms", "50 % within"),
        ("<", 2000.0, "≤ 2,000 ms", "at least 50 % within"),
        (">", 5000.0, "≥ 5,000", "at least 25 % within"),
        (">", 3000.0, "≤ 3,000", "at least 25 % beyond"),
        ("<", None, "not measured", "–"),
    ],
)
def test_a_bound_makes_the_margin_one(comparator, observed, text, margin) -> None:
    """Never more than what was seen."""
    assert margin_text(SLO | {"comparator": comparator, "observed": observed}, text) == margin


def test_a_tile_shows_a_figure_of_the_hold_with_its_limit() -> None:
    """And its line where it is drawn; a figure that is not there has no tile."""
    charts = {"latency": {"p95_ms": [1.0, None, 2.0]}}
    (tile,) = tiles(report_of(SLO), charts)
    assert (tile.value, tile.note, tile.outcome_key) == ("≥ 4,100 ms", "limit < 4,000 ms · n=100", "missed")
    assert tile.line == (1.0, None, 2.0)
    assert tiles(report_of(SLO), None)[0].line == ()


def test_a_figure_without_a_limit_has_no_outcome() -> None:
    """It is shown, not judged."""
    row = ROW | {"metric": "cache_hit_rate", "value": 0.8, "unit": "ratio", "lower_bound": False}
    (tile,) = tiles(report_of(metrics=(row,)), None)
    assert (tile.value, tile.note, tile.outcome) == ("80 %", "n=100", "")


def test_a_spike_test_shows_its_spike() -> None:
    """With the spike's own limit, not the figures and the limit of the quiet time before it."""
    row = ROW | {"metric": "error_rate", "unit": "ratio", "value": 0.0, "n": 60, "lower_bound": False}
    spike = row | {"phase": "spike", "value": 0.04, "n": 9_000}
    slo = SLO | {"metric": "error_rate", "unit": "ratio", "observed": 0.0, "limit": 0.01, "outcome": "met"}
    own = slo | {"phase": "spike", "observed": 0.04, "limit": 0.05, "outcome": "near"}
    (tile,) = tiles(report_of(slo, own, metrics=(row, spike)), None)
    assert (tile.value, tile.note, tile.outcome_key) == ("4 %", "limit < 5 % · n=9,000", "near")
