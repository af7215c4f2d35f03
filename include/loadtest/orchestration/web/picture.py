"""The small picture of a profile's last runs: a line of their P95, a mark a run that shows its verdict."""

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup

from include.loadtest.history.overview import PastRun

WIDTH, HEIGHT, EDGE = 180, 40, 5
"""Pixels; EDGE is left free on each side for the marks."""
_SQUARE = "M-3.2 -3.2H3.2V3.2H-3.2Z"
_SHAPES = {
    "PASS": "M0 -2A2 2 0 1 1 0 2A2 2 0 1 1 0 -2Z",
    "WARN": "M0 -3.8L3.8 3H-3.8Z",
    "INCONCLUSIVE": "M0 -3A3 3 0 1 1 0 3A3 3 0 1 1 0 -3Z",
}
"""Outlines around the point of the run; other verdicts have a square. Colour is never the only sign."""


def runs_picture(runs: Sequence[PastRun]) -> Markup:
    """Runs from the oldest to the newest. One without a P95 has its mark on the bottom line, and the line a gap."""
    values = [past.p95_ms for past in runs]
    top = max((value for value in values if value is not None), default=0.0) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(runs) - 1, 1)
    points = [(EDGE + place * step, _y(value, top)) for place, value in enumerate(values)]
    marks = [_mark(past, *point) for past, point in zip(runs, points, strict=True)]
    line = Markup('<path class="runs-line" d="{}"/>').format(_line(values, points))
    picture = Markup(
        '<svg class="runs" role="img" aria-label="{}" viewBox="0 0 {w} {h}" width="{w}" height="{h}">{}</svg>'
    )
    return picture.format(_in_words(runs), Markup("").join([line, *marks]), w=WIDTH, h=HEIGHT)


def _y(value: float | None, top: float) -> float:
    return HEIGHT - EDGE - (0.0 if value is None else value / top * (HEIGHT - 2 * EDGE))


def _line(values: Sequence[float | None], points: Sequence[tuple[float, float]]) -> str:
    parts, is_open = [], False
    for value, (x, y) in zip(values, points, strict=True):
        if value is not None:
            parts.append(f"{'L' if is_open else 'M'}{x:.1f} {y:.1f}")
        is_open = value is not None
    return "".join(parts)


def _mark(past: PastRun, x: float, y: float) -> Markup:
    title = f"{past.run_id}: {past.verdict}, P95 {_ms(past)}"
    shape = Markup('<path class="mark mark-{}" transform="translate({:.1f} {:.1f})" d="{}"><title>{}</title></path>')
    return shape.format(past.verdict.lower(), x, y, _SHAPES.get(past.verdict, _SQUARE), title)


def _in_words(runs: Sequence[PastRun]) -> str:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in Counter(past.verdict for past in runs).items())
    known = [past.p95_ms for past in runs if past.p95_ms is not None]
    spread = f"P95 from {min(known):,.0f} to {max(known):,.0f} ms, last {_ms(runs[-1])}" if known else "no P95 measured"
    return f"Last {len(runs)} runs: {counts}; {spread}"


def _ms(past: PastRun) -> str:
    return "not measured" if past.p95_ms is None else f"{past.p95_ms:,.0f} ms"
