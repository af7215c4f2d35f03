"""A trend as a picture: each run of a series over time, both windows of the review. SVG from the server, no script."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from markupsafe import Markup

from include.loadtest.errors import printable
from include.loadtest.reporting.markdown import MAX_TEXT_CHARS, figure, moment

Row = Mapping[str, Any]

WIDTH, HEIGHT = 480, 170
_LEFT, _RIGHT, _TOP, _BASE = 64, 12, 14, 138
_HEADROOM = 1.05
_SIGNS = {"SLA_BREACH": "breach", "REGRESSION": "regression", "WARN": "warn"}
"""Verdicts that have a sign of their own; the others are a plain dot."""


def trend_chart(series: Row, window: Row) -> Markup:
    """The points of a series of `history.trends.read_points`; empty with fewer than two.

    `window`: the trends, whose `before.from`, `last.from` and `last.to` are the ends of the picture and its middle.
    """
    points = series["points"]
    if len(points) < 2:
        return Markup("")
    scale = _Scale(window, [point["value"] for point in points])
    of = f"{series['metric']} of {printable(series['profile'], MAX_TEXT_CHARS)}"
    label = f"{of}: {len(points)} runs, {_span(points, series['unit'])}"
    parts = [*_frame(scale, window, series["unit"]), _line(scale, points)]
    parts += [_point(scale, point, series["unit"]) for point in points]
    return Markup('<svg class="trend" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        label, WIDTH, HEIGHT, Markup("").join(parts)
    )


class _Scale:
    """From a moment and a value to a place in the picture; values begin at 0."""

    def __init__(self, window: Row, values: Sequence[float]) -> None:
        self.start, self.end = (_seconds(window[name][end]) for name, end in (("before", "from"), ("last", "to")))
        self.top = max(values) * _HEADROOM or 1.0

    def x(self, at: str) -> float:
        """Of a moment; outside of the windows at the end of the picture."""
        share = (_seconds(at) - self.start) / ((self.end - self.start) or 1.0)
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * min(max(share, 0.0), 1.0)

    def y(self, value: float) -> float:
        """Of a value."""
        return _BASE - (_BASE - _TOP) * min(max(value / self.top, 0.0), 1.0)


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()


def _span(points: Sequence[Row], unit: str) -> str:
    values = [point["value"] for point in points]
    return f"{figure(min(values), unit)} to {figure(max(values), unit)}, the last {figure(values[-1], unit)}"


def _frame(scale: _Scale, window: Row, unit: str) -> list[Markup]:
    """Three values, the three dates, and the line between both windows."""
    rows = [_row(scale, share * scale.top / _HEADROOM, unit) for share in (0.0, 0.5, 1.0)]
    ends = ((window["before"]["from"], "start"), (window["last"]["from"], "middle"), (window["last"]["to"], "end"))
    dates = [
        Markup('<text class="date {}" x="{:.1f}" y="{}">{}</text>').format(anchor, scale.x(at), _BASE + 18, at[:10])
        for at, anchor in ends
    ]
    middle = scale.x(window["last"]["from"])
    split = Markup('<line class="split" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>').format(middle, _TOP, _BASE)
    return [*rows, split, *dates]


def _row(scale: _Scale, value: float, unit: str) -> Markup:
    y = scale.y(value)
    line = Markup('<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>').format(_LEFT, y, WIDTH - _RIGHT, y)
    return line + Markup('<text class="value" x="{}" y="{:.1f}">{}</text>').format(
        _LEFT - 6, y + 3.5, figure(value, unit)
    )


def _line(scale: _Scale, points: Sequence[Row]) -> Markup:
    path = " ".join(
        f"{'M' if place == 0 else 'L'}{scale.x(point['at']):.1f} {scale.y(point['value']):.1f}"
        for place, point in enumerate(points)
    )
    return Markup('<path class="line" d="{}"/>').format(path)


def _point(scale: _Scale, point: Row, unit: str) -> Markup:
    """A dot; a run that was red or close has a square, so that colour is not the only sign."""
    x, y = scale.x(point["at"]), scale.y(point["value"])
    title = f"{point['run_id']}, {moment(point['at'])}: {figure(point['value'], unit)}, {point['verdict']}"
    sign = _SIGNS.get(point["verdict"])
    if sign is None:
        return Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>').format(
            x, y, title
        )
    return Markup('<rect class="dot {}" x="{:.1f}" y="{:.1f}" width="7" height="7"><title>{}</title></rect>').format(
        sign, x - 3.5, y - 3.5, title
    )
