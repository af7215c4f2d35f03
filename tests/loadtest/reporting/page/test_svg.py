"""Pictures drawn on the server: their marks stand where the figures are, foreign text is text."""

import pytest

from include.loadtest.reporting.page.svg import histogram, interval_bar, meter, sparkline
from tests.helpers.report_pages import EVIL_IMAGE, made_charts

pytestmark = pytest.mark.unit


def test_a_gap_breaks_a_sparkline() -> None:
    """A value that is not known is no zero; with fewer than two there is no line."""
    assert sparkline([1.0, 2.0, None, 3.0, 4.0], label="P95").count("M") == 2
    assert sparkline([None, 1.0], label="P95") == ""


def test_a_histogram_marks_percentiles_and_the_limit() -> None:
    """A percentile without a value has no mark, a lower bound its sign."""
    (scenario, _) = made_charts()["scenarios"]
    picture = histogram(scenario, (10.0, 1000.0), 500.0)
    assert ">P50<" in picture
    assert ">≥P99<" in picture
    assert "P99.9" not in picture
    assert "limit 500 ms" in picture
    assert 'class="limit"' not in histogram(scenario, (10.0, 1000.0), 5_000.0)


def test_each_bar_has_its_count_as_a_title() -> None:
    """For the mouse, as a chart's hover."""
    scenario = {"scenario": "a", "n": 3, "counts": [0, 3], "edges_ms": [10.0, 20.0, 40.0], "percentiles": []}
    assert "<title>20 to 40 ms: 3</title>" in histogram(scenario, (10.0, 100.0))


def test_names_in_a_picture_are_text() -> None:
    """Of a scenario, and of a sparkline."""
    scenario = {"scenario": EVIL_IMAGE, "n": 0, "counts": [], "edges_ms": [], "percentiles": []}
    assert "<img" not in histogram(scenario, (1.0, 10.0))
    assert "<img" not in sparkline([1.0, 2.0], label=EVIL_IMAGE)


def test_an_interval_stays_in_its_picture() -> None:
    """A value beyond the reach stands at the end; an open end is the value itself."""
    assert 'cx="154.0"' in interval_bar(None, 50.0, 60.0, 40.0)
    assert "+50.0 %, between +50.0 and +60.0 %" in interval_bar(None, 50.0, 60.0, 40.0)


def test_a_meter_fills_with_what_is_used() -> None:
    """Half of the room is half of the bar."""
    assert 'width="39.5"' in meter(50.0, "met")
