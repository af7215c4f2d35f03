"""A trend's picture shows each run at its time and value, and names itself for those who do not see it."""

import re

import pytest

from include.loadtest.reporting.review_chart import trend_chart
from tests.helpers.planted_review import drawn_trends

pytestmark = pytest.mark.unit
TRENDS = drawn_trends()


def test_each_run_has_its_place_and_its_sign() -> None:
    """Dots for PASS, squares for the others, each with its run, moment, value and verdict."""
    picture = str(trend_chart(TRENDS.points[0], TRENDS.document or {}))
    assert (picture.count("<circle"), picture.count("<rect")) == (2, 6)
    assert "<title>peak_hours-1, 2027-01-11 04:05:06 UTC: 4,060 ms, WARN</title>" in picture
    places = [float(x) for x in re.findall(r"[ML]([\d.]+) ", re.search(r' d="([^"]*)"', picture)[1])]  # type: ignore[index]
    assert places == sorted(places)
    assert places[0] > 64
    assert places[-1] < 468


def test_it_has_a_name_with_its_figures() -> None:
    """Metric, profile, number of runs, range and the last value."""
    label = re.search(r'aria-label="([^"]*)"', str(trend_chart(TRENDS.points[0], TRENDS.document or {})))
    assert label is not None
    assert label[1] == "latency_p95_ms of peak_hours: 8 runs, 4,000 ms to 4,420 ms, the last 4,420 ms"


def test_foreign_names_are_escaped() -> None:
    """They stand in an attribute."""
    assert "<script>" not in str(trend_chart(TRENDS.points[1], TRENDS.document or {}))


def test_values_of_zero_are_drawn_on_the_ground() -> None:
    """A scale without a range divides by nothing."""
    flat = {**TRENDS.points[0], "points": [{**one, "value": 0.0} for one in TRENDS.points[0]["points"]]}
    picture = str(trend_chart(flat, TRENDS.document or {}))
    assert set(re.findall(r"[ML][\d.]+ ([\d.]+)", picture)) == {"138.0"}


def test_one_run_is_no_trend() -> None:
    """No picture."""
    single = drawn_trends(runs=1)
    assert str(trend_chart(single.points[0], single.document or {})) == ""
