"""Small pictures as SVG, drawn on the server: no script, and the colours of theme.css in either theme."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

Row = Mapping[str, Any]

WIDTH, HEIGHT, _BASE, _TOP = 360, 160, 138, 42
_TICKS_A_DECADE = (1, 2, 5)
_LABEL_PX = 30
"""Two labels nearer than this on the axis would run into each other."""


def sparkline(values: Sequence[float | None], *, label: str, width: int = 140, height: int = 28) -> Markup:
    """A line over the values in their order, a gap where one is None; empty with fewer than two values."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    low, high = min(0.0, *known), max(known)
    span = (high - low) or 1.0
    step = width / (len(values) - 1)
    path, is_open = [], False
    for place, value in enumerate(values):
        if value is not None:
            y = height - 2 - (value - low) / span * (height - 4)
            path.append(f"{'L' if is_open else 'M'}{place * step:.1f} {y:.1f}")
        is_open = value is not None
    return Markup(
        '<svg class="sparkline" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}" '
        'preserveAspectRatio="none"><path d="{}" fill="none" stroke="currentColor" stroke-width="1.5" '
        'stroke-linejoin="round" vector-effect="non-scaling-stroke"/></svg>'
    ).format(label, width, height, width, height, " ".join(path))


def histogram(scenario: Row, domain_ms: tuple[float, float], limit_ms: float | None = None) -> Markup:
    """Counts over latency on a logarithmic axis, with percentiles marked.

    `scenario`: one of the charts' `scenarios`; `domain_ms`: both ends of the axis, the same for pictures side by side.
    """
    axis = _Axis(*domain_ms)
    most = max(scenario["counts"], default=0) or 1
    edges = scenario["edges_ms"]
    bars = [
        _bar(axis, edges[place], edges[place + 1], count, most)
        for place, count in enumerate(scenario["counts"])
        if count and place + 1 < len(edges)
    ]
    label = f"Distribution of latency, {scenario['scenario']}, n={scenario['n']:,}"
    limit = [] if limit_ms is None or not axis.has(limit_ms) else [_limit(axis, limit_ms)]
    return Markup('<svg class="histogram" role="img" aria-label="{}" viewBox="0 0 {} {}">{}</svg>').format(
        label, WIDTH, HEIGHT, Markup("").join([*_ticks(axis), *bars, *limit, *_marks(axis, scenario["percentiles"])])
    )


class _Axis:
    """A logarithmic axis of milliseconds over the picture's width."""

    def __init__(self, low_ms: float, high_ms: float) -> None:
        self.low, self.high = math.log10(low_ms), math.log10(max(high_ms, low_ms * 10))

    def x(self, ms: float) -> float:
        """Place in the picture; what is beyond an end stands at it."""
        share = (math.log10(max(ms, 1e-6)) - self.low) / (self.high - self.low)
        return 8 + (WIDTH - 16) * min(max(share, 0.0), 1.0)

    def has(self, ms: float) -> bool:
        """Whether a value lies on it."""
        return ms > 0 and self.low <= math.log10(ms) <= self.high


def _bar(axis: _Axis, low_ms: float, high_ms: float, count: int, most: int) -> Markup:
    left, right = axis.x(low_ms), axis.x(high_ms)
    height = max((_BASE - _TOP) * count / most, 1.0)
    return Markup(
        '<rect class="bar-of" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">'
        "<title>{} to {} ms: {:,}</title></rect>"
    ).format(left, _BASE - height, max(right - left - 0.5, 0.7), height, _ms(low_ms), _ms(high_ms), count)


def _ticks(axis: _Axis) -> list[Markup]:
    """A line and a number for 1, 2 and 5 of each power of ten, as far as there is room."""
    found, last = [], -math.inf
    for power in range(math.floor(axis.low), math.ceil(axis.high) + 1):
        for part in _TICKS_A_DECADE:
            ms = part * 10.0**power
            if not axis.has(ms) or axis.x(ms) - last < _LABEL_PX:
                continue
            last = axis.x(ms)
            found.append(
                Markup(
                    '<line class="tick" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>'
                    '<text class="axis" x="{0:.1f}" y="{3}">{4}</text>'
                ).format(last, _TOP, _BASE, _BASE + 14, _short(ms))
            )
    return found


def _marks(axis: _Axis, percentiles: Sequence[Row]) -> list[Markup]:
    """A line a percentile, its name above it; names that would overlap stand in rows of their own."""
    found, rows = [], [-math.inf] * 3
    for one in percentiles:
        if one["ms"] is None:
            continue
        x = axis.x(one["ms"])
        row = next((place for place, last in enumerate(rows) if x - last >= _LABEL_PX), len(rows) - 1)
        rows[row] = x
        sign = "≥" if one["is_bound"] else ""
        found.append(
            Markup(
                '<line class="percentile" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>'
                '<text class="mark" x="{0:.1f}" y="{3}">{4}</text>'
            ).format(x, _TOP - 2, _BASE, 12 + 11 * row, f"{sign}{one['name']}")
        )
    return found


def _limit(axis: _Axis, limit_ms: float) -> Markup:
    return Markup(
        '<line class="limit" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"><title>limit {3} ms</title></line>'
    ).format(axis.x(limit_ms), _TOP, _BASE, _ms(limit_ms))


def interval_bar(low_pct: float | None, value_pct: float, high_pct: float | None, reach_pct: float) -> Markup:
    """A change with its 95 % interval around zero; `reach_pct`: what both ends of the picture stand for."""
    width, middle = 160, 80

    def x(pct: float) -> float:
        return middle + (middle - 6) * min(max(pct / (reach_pct or 1.0), -1.0), 1.0)

    low, high = (value_pct if end is None else end for end in (low_pct, high_pct))
    return Markup(
        '<svg class="interval" role="img" aria-label="{}" viewBox="0 0 {} 16" width="{}" height="16">'
        '<line class="tick" x1="{}" y1="0" x2="{}" y2="16"/><line class="span" x1="{:.1f}" y1="8" x2="{:.1f}" y2="8"/>'
        '<circle class="dot" cx="{:.1f}" cy="8" r="3.5"/></svg>'
    ).format(
        escape(f"{value_pct:+.1f} %, between {low:+.1f} and {high:+.1f} %"),
        width, width, middle, middle, x(low), x(high), x(value_pct),
    )  # fmt: skip


def meter(filled_pct: float, outcome: str) -> Markup:
    """How much of the room below, or above, a limit is used; the words beside it say the same."""
    return Markup(
        '<svg class="meter meter-{}" aria-hidden="true" viewBox="0 0 80 6" width="80" height="6">'
        '<rect class="room" x="0.5" y="0.5" width="79" height="5" rx="2.5"/>'
        '<rect class="used" x="0.5" y="0.5" width="{:.1f}" height="5" rx="2.5"/></svg>'
    ).format(outcome, max(79 * filled_pct / 100, 1.0))


def _ms(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _short(ms: float) -> str:
    """A tick: milliseconds, from a second on in seconds."""
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g}"
