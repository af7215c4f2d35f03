"""The drawing of a series: no peak is lost, what is not measured is no zero, an intended change begins anew."""

from datetime import UTC, datetime, timedelta

import pytest

from include.loadtest.history.series import Baseline, IntendedChange, Point
from include.loadtest.orchestration.web.trend_chart import (
    HEIGHT_PX,
    Axis,
    Window,
    draw,
    shown_interval,
    thinned,
)

pytestmark = pytest.mark.unit
START = datetime(2026, 3, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=100))


def point(day: float, value: float | None = 100.0, verdict: str = "PASS", spread: float | None = 5.0) -> Point:
    ends = (None, None) if value is None or spread is None else (value - spread, value + spread)
    return Point(f"smoke-{day:g}", verdict, START + timedelta(days=day), value, *ends, None if value is None else 50)


def test_places_in_per_cent_and_pixels() -> None:
    """The highest value is near the top; what has no value lies on the axis and is joined by no line."""
    drawing = draw([point(0, 0.0), point(50, None, "ABORTED"), point(100, 100.0)], "ms", WINDOW)
    assert [dot.x_pct for dot in drawing.dots] == [0.0, 50.0, 100.0]
    assert drawing.dots[1].y_px == HEIGHT_PX
    assert drawing.dots[2].y_px < drawing.dots[0].y_px <= HEIGHT_PX
    assert drawing.line.count("L") == 1
    assert drawing.intervals.count("M") == 2


def test_only_the_window_is_drawn_but_a_baseline_reaches_in() -> None:
    """Its runs are older, its level is shown from the window's edge to its end."""
    old = [point(day, value) for day, value in ((-9, 90.0), (-8, 110.0), (-7, 100.0))]
    steps = (("pinned", START, "anna", "May"), ("retired", START + timedelta(days=40), "bob", "June"))
    baseline = Baseline(3, "k", "retired", steps, tuple(one.run_id for one in old))
    drawing = draw([*old, point(10), point(20)], "ms", WINDOW, [baseline])
    assert len(drawing.dots) == 2
    (band,) = drawing.bands
    assert (band.x_pct, band.width_pct) == (0.0, 40.0)
    assert "3 runs, 90 ms to 110 ms, median 100 ms" in band.text
    assert not any(dot.in_baseline for dot in drawing.dots)


def test_a_proposal_is_no_level_and_a_pinned_run_is_ringed() -> None:
    """Only what others are compared with is a band."""
    runs = [point(10), point(20)]
    proposed = Baseline(1, "k", "proposed", (("proposed", START, "a", "b"),), ("smoke-10",))
    pinned = Baseline(2, "k", "pinned", (("pinned", START, "a", "b"),), ("smoke-20",))
    drawing = draw(runs, "ms", WINDOW, [proposed, pinned])
    assert [band.number for band in drawing.bands] == [2]
    assert [dot.in_baseline for dot in drawing.dots] == [False, True]


def test_an_intended_change_begins_anew() -> None:
    """The line has a gap there; a change outside the window is not drawn."""
    changes = [IntendedChange(1, None, START + timedelta(days=days), START, "a", "b") for days in (-1, 15)]
    drawing = draw([point(10), point(20), point(30)], "ms", WINDOW, changes=changes)
    assert drawing.line.count("M") == 2
    assert [(change.number, place) for change, place in drawing.changes] == [(1, 15.0)]


def test_untrusted_runs_are_shown_but_not_joined() -> None:
    """Their intervals would say an accuracy that they have not."""
    drawing = draw([point(10), point(20, 500.0, "INCONCLUSIVE"), point(30)], "ms", WINDOW)
    assert len(drawing.dots) == 3
    assert "50" not in [part.split()[0] for part in drawing.line.replace("L", "M").split("M") if part][1]
    assert drawing.intervals.count("M") == 2


def test_regressions_are_marked_even_where_the_drawing_is_thinned() -> None:
    """Each of them, whichever neighbours are left out."""
    points = [
        point(index / 50, 100.0 + index % 7, "REGRESSION" if index % 100 == 3 else "PASS") for index in range(5000)
    ]
    drawing = draw(points, "ms", WINDOW)
    assert drawing.thinned
    assert drawing.dense
    assert len(drawing.dots) <= 2_000
    assert len(drawing.regressions) == 50


def test_no_peak_is_lost() -> None:
    """Of 10,000 runs the highest and the lowest of each neighbourhood stay, in order; few are left as they are."""
    points = [point(index / 100, 9e9 if index == 4321 else -5.0 if index == 77 else 100.0) for index in range(10_000)]
    kept = thinned(points, 200)
    assert len(kept) <= 200
    assert {9e9, -5.0} <= {one.value for one in kept}
    assert [one.started for one in kept] == sorted(one.started for one in kept)
    assert thinned(points[:200], 200) == points[:200]
    assert len(thinned([point(index, None) for index in range(100)], 20)) == 10


@pytest.mark.parametrize(
    ("values", "unit", "first", "last"),
    [
        ([100.0, 180.0], "ms", "180", "100"),
        ([3.0, 180.0], "ms", "200", "0"),
        ([0.001, 0.004], "ratio", "0.4", "0"),
        ([-3.0, 4.0], "%/h", "4", "-4"),
        ([5.0, 5.0], "s", "5.6", "4.4"),
        ([0.0], "ratio", "1", "0"),
        ([], "ms", "1", "0"),
    ],
)
def test_round_numbers_on_the_axis(values: list[float], unit: str, first: str, last: str) -> None:
    """From zero on unless that would flatten the picture; shares as per cent."""
    ticks = Axis.of(values, unit).ticks()
    assert (ticks[0].text, ticks[-1].text) == (last, first)
    assert 2 <= len(ticks) <= 9


def test_intervals_in_words() -> None:
    """The unit once; an end that is not known is no number."""
    assert shown_interval(1.0, 2.0, "ms") == "1 to 2 ms"
    assert shown_interval(0.01, 0.02, "ratio") == "1 to 2 %"
    assert shown_interval(None, 2.0, "ms") == "? to 2 ms"
    assert shown_interval(1.0, None, "ms") == "1 ms to ?"
    assert shown_interval(None, None, "ms") == "not known"
