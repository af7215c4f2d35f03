"""The drawing of one series: places in per cent of the width and in pixels of the height, for a template. Pure.

The picture is made here and not by a script: it is there without one, it prints, and each point is a link.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from include.loadtest.history.series import Baseline, IntendedChange, Point
from include.loadtest.verdict import NOT_MEASURED, Verdict, figure

HEIGHT_PX = 240
MOST_DRAWN = 2_000
"""Runs of all series of a page together."""
_WIDTH = 1000
"""Of lines, which are stretched to the width of the page."""
_TICKS_Y, _TICKS_X = 5, 6
_DENSE = 250
_UNTRUSTED = frozenset({Verdict.ABORTED, Verdict.INCONCLUSIVE})
_SHOWN_AS = {"ratio": (100.0, "%"), "bytes": (1 / 2**20, "MiB")}


@dataclass(frozen=True)
class Window:
    """The time that is shown."""

    begin: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        """Whether a moment lies in it."""
        return self.begin <= moment <= self.end

    def percent(self, moment: datetime) -> float:
        """Its place from the left edge; a moment outside is at the edge."""
        length_s = max((self.end - self.begin).total_seconds(), 1.0)
        share = (moment - self.begin).total_seconds() / length_s
        return round(100 * min(max(share, 0.0), 1.0), 3)


@dataclass(frozen=True)
class Dot:
    """One run: `y_px` at the bottom where it has no value; `text` says everything."""

    run_id: str
    verdict: str
    x_pct: float
    y_px: float
    text: str
    in_baseline: bool


@dataclass(frozen=True)
class Band:
    """From the lowest to the highest value of a baseline's runs, while others were compared with it."""

    number: int
    x_pct: float
    width_pct: float
    y_px: float
    height_px: float
    level_px: float
    text: str


@dataclass(frozen=True)
class Tick:
    """A place on an axis and its words."""

    at: float
    text: str


@dataclass(frozen=True)
class Drawing:
    """Everything that is drawn; `line` and `intervals` are paths of SVG, 1,000 wide. `thinned`: not all are drawn."""

    unit: str
    dots: tuple[Dot, ...]
    line: str
    intervals: str
    bands: tuple[Band, ...]
    changes: tuple[tuple[IntendedChange, float], ...]
    regressions: tuple[Dot, ...]
    ticks_y: tuple[Tick, ...]
    ticks_x: tuple[Tick, ...]
    thinned: bool

    @property
    def dense(self) -> bool:
        """Whether points of the usual size would cover each other."""
        return len(self.dots) > _DENSE


@dataclass(frozen=True)
class Axis:
    """The vertical axis: from `low` to `high`, a line each `step`; `factor` makes what is shown of a value."""

    low: float
    high: float
    step: float
    factor: float

    @classmethod
    def of(cls, values: Collection[float], unit: str) -> "Axis":
        """Round limits around the values, from zero on unless that would flatten the picture."""
        factor, _ = _SHOWN_AS.get(unit, (1.0, unit))
        low, high = (min(values), max(values)) if values else (0.0, 1.0)
        low, high = factor * low, factor * high
        low = min(low, 0.0) if low <= high / 2 else low
        if high == low:
            low, high = (low - abs(low) / 10, high + abs(high) / 10) if low else (0.0, 1.0)
        step = _round_step((high - low) / _TICKS_Y)
        return cls(step * math.floor(low / step), step * math.ceil(high / step), step, factor)

    def px(self, value: float) -> float:
        """The place of a value from the top."""
        return round(HEIGHT_PX * (self.high - self.factor * value) / (self.high - self.low), 1)

    def ticks(self) -> tuple[Tick, ...]:
        """A line each step."""
        count = round((self.high - self.low) / self.step)
        at = [self.low + index * self.step for index in range(count + 1)]
        return tuple(Tick(round(HEIGHT_PX * (self.high - one) / (self.high - self.low), 1), _number(one)) for one in at)


def draw(
    points: Sequence[Point],
    unit: str,
    window: Window,
    baselines: Sequence[Baseline] = (),
    changes: Sequence[IntendedChange] = (),
    *,
    most: int = MOST_DRAWN,
) -> Drawing:
    """The runs of a series within a window, the oldest first, at most `most` of them.

    Baselines and changes are those of this series.
    """
    within = [point for point in points if window.holds(point.started)]
    drawn = thinned(within, most)
    axis = Axis.of(_extent(within), unit)
    members = {run_id for one in baselines if one.status == "pinned" for run_id in one.run_ids}
    told = {*drawn, *(point for point in within if point.verdict == Verdict.REGRESSION)}
    dots = {point.run_id: _dot(point, unit, window, axis, members) for point in told}
    marks = [change for change in changes if window.holds(change.since)]
    return Drawing(
        unit=_SHOWN_AS.get(unit, (1.0, unit))[1],
        dots=tuple(dots[point.run_id] for point in drawn),
        line=_line(drawn, dots, [change.since for change in marks]),
        intervals=_intervals(drawn, dots, axis),
        bands=tuple(_bands(points, unit, window, axis, baselines)),
        changes=tuple((change, window.percent(change.since)) for change in marks),
        regressions=tuple(dots[point.run_id] for point in within if point.verdict == Verdict.REGRESSION),
        ticks_y=axis.ticks(),
        ticks_x=tuple(_dates(window)),
        thinned=len(drawn) < len(within),
    )


def thinned(points: Sequence[Point], most: int = MOST_DRAWN) -> list[Point]:
    """At most `most` of them: of each group of neighbours the lowest and the highest, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    groups = most // 2
    kept: list[Point] = []
    for index in range(groups):
        group = points[index * len(points) // groups : (index + 1) * len(points) // groups]
        valued = [point for point in group if point.value is not None]
        extremes = {_lowest(valued), _lowest(valued, sign=-1)} if valued else {group[0]}
        kept += [point for point in group if point in extremes]
    return kept


def _lowest(points: Iterable[Point], sign: int = 1) -> Point:
    return min(points, key=lambda point: sign * (point.value or 0.0))


def _extent(points: Iterable[Point]) -> list[float]:
    """All values and ends of intervals; an untrusted run's value counts, its interval does not."""
    values = []
    for point in points:
        ends = () if point.verdict in _UNTRUSTED else (point.ci_low, point.ci_high)
        values += [one for one in (point.value, *ends) if one is not None]
    return values


def _dot(point: Point, unit: str, window: Window, axis: Axis, members: Collection[str]) -> Dot:
    x_pct = window.percent(point.started)
    y_px = float(HEIGHT_PX) if point.value is None else axis.px(point.value)
    in_baseline = point.run_id in members
    told = f"{shown_time(point.started)}, {point.verdict}: {shown_value(point, unit)}"
    return Dot(point.run_id, point.verdict, x_pct, y_px, told + ("; in the baseline" * in_baseline), in_baseline)


def shown_time(moment: datetime) -> str:
    """A moment for a person."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def shown_value(point: Point, unit: str) -> str:
    """The value with its interval and number of rows."""
    if point.value is None:
        return NOT_MEASURED
    interval = shown_interval(point.ci_low, point.ci_high, unit)
    return f"{figure(point.value, unit)}, 95 % interval {interval}, n={point.n:,}"


def shown_interval(low: float | None, high: float | None, unit: str) -> str:
    """Both ends, or which of them is not known."""
    if low is None and high is None:
        return "not known"
    left, right = ("?" if one is None else figure(one, unit) for one in (low, high))
    own_unit = right.partition(" ")[1:]
    return f"{left.removesuffix(''.join(own_unit)) if own_unit[1] else left} to {right}"


def _line(points: Sequence[Point], dots: dict[str, Dot], breaks: Sequence[datetime]) -> str:
    """Trusted values from one to the next; an intended change begins anew."""
    parts: list[str] = []
    last: datetime | None = None
    for point in points:
        if point.value is None or point.verdict in _UNTRUSTED:
            continue
        anew = last is None or any(last < moment <= point.started for moment in breaks)
        dot, last = dots[point.run_id], point.started
        parts.append(f"{'M' if anew else 'L'}{_along(dot.x_pct)} {dot.y_px:g}")
    return "".join(parts)


def _intervals(points: Sequence[Point], dots: dict[str, Dot], axis: Axis) -> str:
    """An upright line for each interval whose two ends are known."""
    return "".join(
        f"M{_along(dots[point.run_id].x_pct)} {axis.px(point.ci_low):g}V{axis.px(point.ci_high):g}"
        for point in points
        if point.value is not None
        and point.ci_low is not None
        and point.ci_high is not None
        and point.verdict not in _UNTRUSTED
    )


def _along(x_pct: float) -> str:
    return f"{x_pct * _WIDTH / 100:g}"


def _bands(
    points: Sequence[Point], unit: str, window: Window, axis: Axis, baselines: Sequence[Baseline]
) -> Iterable[Band]:
    """Of sets that are pinned or were, and whose runs have values."""
    found = {point.run_id: point for point in points}
    for one in baselines:
        runs = [found[run_id] for run_id in one.run_ids if run_id in found]
        values = [run.value for run in runs if run.value is not None]
        pinned, retired = one.step("pinned"), one.step("retired")
        if not values or pinned is None:
            continue
        begin, end = min(run.started for run in runs), retired or window.end
        if end < window.begin:
            continue
        low, high = min(values), max(values)
        top, left = _within(axis.px(high)), window.percent(begin)
        yield Band(
            one.number,
            left,
            round(window.percent(end) - left, 3),
            top,
            max(_within(axis.px(low)) - top, 2.0),
            _within(axis.px(median(values))),
            f"baseline {one.number}, {one.status}: {len(values)} runs, {figure(low, unit)} to {figure(high, unit)}, "
            f"median {figure(median(values), unit)}",
        )


def _within(px: float) -> float:
    return min(max(px, 0.0), float(HEIGHT_PX))


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def _dates(window: Window) -> Iterable[Tick]:
    """Days at even distances; the months are enough for more than half a year."""
    length = window.end - window.begin
    form = "%Y-%m" if length > timedelta(days=183) else "%Y-%m-%d" if length > timedelta(days=_TICKS_X) else "%d. %H:%M"
    for index in range(_TICKS_X):
        share = (index + 0.5) / _TICKS_X
        yield Tick(round(100 * share, 3), f"{(window.begin + share * length).astimezone(UTC):{form}}")
