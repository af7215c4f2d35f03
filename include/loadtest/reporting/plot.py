"""load_test_plot.png: latencies, answers and failures over the time of the load, on one picture for a message."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import printable
from include.loadtest.profile import Profile
from include.loadtest.profile.slo import Slo
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.reporting.sample_counts import Span
from include.loadtest.reporting.timeline import MIN_ROWS, Timeline, Window, read_timeline

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PX, HEIGHT_PX = 1200, 675
_DPI = 100
_COLOURS = 64  # of the written palette: a third of the file's size
_MAX_TITLE_CHARS, _MAX_TARGET_CHARS = 60, 24
# Blue, vermilion and green of Okabe and Ito's palette, which colour-blind people tell apart; shapes differ as well.
_P50, _P95, _OK, _FAILED, _LIMIT, _QUIET = "#0072B2", "#D55E00", "#007A58", "#882255", "#000000", "#555555"
_SHADES = {"hold": "#FFFFFF", "spike": "#FCE8D5"}
_SHADE = "#E8EEF4"
_NARROW = 0.07
_LABEL_PT, _SMALL_PT, _TITLE_PT = 14, 11.5, 18
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)
_MOST_TICKS = 7
_VERDICTS = {"PASS": "#007A58", "WARN": "#8A6100"}
_RED = "#B00020"


def write_plot(bundle: Bundle, profile: Profile) -> bool:
    """Write the picture of a run that has samples; False, and no file, for one without.

    Limits are the profile's on the P95 of all requests, over the phase that they judge. Nothing of pyplot's state is
    used, and nothing stays open.
    """
    timeline = read_timeline(bundle)
    if timeline is None:
        return False
    limits = [slo for slo in profile.slos if (slo.metric, slo.scope) == ("latency_p95_ms", SCOPE_ALL)]
    bundle.write_bytes(run.PLOT, _png(timeline, limits, *_titles(bundle, profile)))
    return True


def _titles(bundle: Bundle, profile: Profile) -> tuple[str, str]:
    """Verdict, and what ran against what."""
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    verdict = bundle.read(run.VERDICT)["verdict"] if bundle.has(run.VERDICT) else "no verdict"
    target = (manifest.get("target") or {}).get("name")
    ran = _short(profile.title, _MAX_TITLE_CHARS)
    return str(verdict), f"{ran} · target {_short(str(target or 'unknown'), _MAX_TARGET_CHARS)}"


def _short(text: str, limit: int) -> str:
    """Foreign text that fits, in characters that the one font has."""
    line = printable(text, limit + 1)
    line = line if len(line) <= limit else line[: limit - 1] + "…"
    glyphs = _glyphs()
    return "".join(char if ord(char) in glyphs else "?" for char in line)


def _glyphs() -> Iterable[int]:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    return FT2Font(findfont("DejaVu Sans")).get_charmap()


def _png(timeline: Timeline, limits: Sequence[Slo], verdict: str, ran: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(WIDTH_PX / _DPI, HEIGHT_PX / _DPI), dpi=_DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    latency, answers, failures = figure.subplots(
        3, 1, sharex=True, gridspec_kw={"height_ratios": (10, 3, 3), "hspace": 0.1}
    )
    figure.subplots_adjust(left=0.1, right=0.985, top=0.875, bottom=0.15)
    for axes in (latency, answers, failures):
        _prepare(axes, timeline)
    _draw_phase_names(latency, timeline)
    _draw_latency(latency, timeline, limits)
    _draw_answers(answers, timeline)
    _draw_failures(failures, timeline)
    _draw_clock(failures, timeline)
    _draw_texts(figure, timeline, verdict, ran)
    canvas.draw()  # type: ignore[no-untyped-call]
    picture = Image.fromarray(_pixels(canvas)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    content = BytesIO()
    picture.save(content, "PNG", optimize=True)
    figure.clear()
    return content.getvalue()


def _pixels(canvas: Any) -> Any:
    import numpy as np

    return np.asarray(canvas.buffer_rgba())


def _minutes(timeline: Timeline, at_us: float) -> float:
    return (at_us - timeline.start_us) / 60e6


def _prepare(axes: "Axes", timeline: Timeline) -> None:
    axes.set_xlim(0, _minutes(timeline, timeline.end_us))
    axes.tick_params(labelsize=_LABEL_PT, length=3)
    axes.grid(visible=True, axis="y", color="#CCCCCC", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for span in timeline.spans:
        ends = [_minutes(timeline, end) for end in (span.start_us, span.end_us)]
        axes.axvspan(*ends, color=_SHADES.get(span.phase, _SHADE), linewidth=0, zorder=0)


def _draw_phase_names(axes: "Axes", timeline: Timeline) -> None:
    """Above the part of the time that they took; a phase that is too narrow for its name has none."""
    for span in timeline.spans:
        if span.end_us - span.start_us >= _NARROW * (timeline.end_us - timeline.start_us):
            middle = _minutes(timeline, (span.start_us + span.end_us) / 2)
            name = _short(span.phase.replace("_", " "), 12)
            axes.text(
                middle, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom",
                fontsize=_SMALL_PT, color=_QUIET, parse_math=False,
            )  # fmt: skip


def _draw_latency(axes: "Axes", timeline: Timeline, limits: Sequence[Slo]) -> None:
    """Lines and band where a window has percentiles, points where it has too few rows, else nothing."""
    axes.set_yscale("log")
    axes.set_ylabel("latency", fontsize=_LABEL_PT)
    half_us = timeline.width_s * 500_000
    for name, colour in (("p50", _P50), ("p95", _P95)):
        label = name.upper()
        for stretch in unbroken(timeline.windows):
            x = [_minutes(timeline, min(window.start_us + half_us, timeline.end_us)) for window in stretch]
            y = [getattr(window, f"{name}_ms") or 0.0 for window in stretch]
            axes.plot(x, y, "o-", color=colour, linewidth=2.2, markersize=4, label=label)
            label = "_"
            if name == "p95":
                axes.fill_between(x, y, [window.max_ms or 0 for window in stretch], color=_P95, alpha=0.18, linewidth=0)
    _draw_bounds(axes, timeline, half_us)
    _draw_singles(axes, timeline)
    for slo in limits:
        _draw_limit(axes, timeline, slo)
    _scale(axes, timeline, limits)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", ncols=5, fontsize=_SMALL_PT, framealpha=0.85, borderpad=0.25, columnspacing=1.2)


def unbroken(windows: Sequence[Window]) -> list[list[Window]]:
    """Runs of windows that have percentiles: a line ends where one has none."""
    return [list(group) for has, group in groupby(windows, key=lambda one: one.p95_ms is not None) if has]


def _draw_bounds(axes: "Axes", timeline: Timeline, half_us: int) -> None:
    points = [
        (_minutes(timeline, min(window.start_us + half_us, timeline.end_us)), value, colour)
        for window in timeline.windows
        for value, is_bound, colour in (
            (window.p50_ms, window.p50_is_bound, _P50),
            (window.p95_ms, window.p95_is_bound, _P95),
        )
        if is_bound and value is not None
    ]
    for x, y, colour in points:
        axes.plot([x], [y], "^", color=colour, markersize=10, markerfacecolor="white", markeredgewidth=1.8)


def _draw_singles(axes: "Axes", timeline: Timeline) -> None:
    for is_bound, marker, face in ((False, "o", _QUIET), (True, "^", "white")):
        own = [one for one in timeline.singles if one.is_bound == is_bound]
        if own:
            x, y = [_minutes(timeline, one.start_us) for one in own], [one.latency_ms for one in own]
            label = "_" if is_bound else "single requests"
            axes.plot(x, y, marker, color=_QUIET, markerfacecolor=face, markersize=5, linestyle="none", label=label)


def _draw_limit(axes: "Axes", timeline: Timeline, slo: Slo) -> None:
    """Over the phase that it judges; over everything, if that phase did not run."""
    spans = [span for span in timeline.spans if span.phase == slo.phase]
    spans = spans or [Span(slo.phase, timeline.start_us, timeline.end_us)]
    style = "--" if slo.level == "critical" else ":"
    level = "" if slo.level == "critical" else " (warning)"
    label = f"P95 limit {slo.comparator} {_duration(slo.limit)} in {slo.phase.replace('_', ' ')}{level}"
    for span in spans:
        x = [_minutes(timeline, end) for end in (span.start_us, span.end_us)]
        axes.plot(x, [slo.limit] * 2, style, color=_LIMIT, linewidth=2, label=label)
        label = "_"


def _scale(axes: "Axes", timeline: Timeline, limits: Sequence[Slo]) -> None:
    """From below all values to above all of them and the limits, with room for the legend."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    shown = [value for window in timeline.windows for value in (window.p50_ms, window.max_ms) if value]
    shown += [one.latency_ms for one in timeline.singles if one.latency_ms > 0]
    shown += [slo.limit for slo in limits]
    low, high = min(shown, default=1.0), max(shown, default=1.0)
    axes.set_ylim(low / 1.3, high * 1.4 * (high / low) ** 0.15)
    steps = (1.0, 2.0, 5.0) if high / low < 500 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _duration(value)))


def _duration(value_ms: float) -> str:
    return f"{value_ms / 1000:g} s" if value_ms >= 1000 else f"{value_ms:g} ms"


def _draw_answers(axes: "Axes", timeline: Timeline) -> None:
    x, y = [], []
    for window in timeline.windows:
        ends = (window.start_us, min(window.start_us + timeline.width_s * 1_000_000, timeline.end_us))
        x += [_minutes(timeline, end) for end in ends]
        y += [float("nan") if window.ok_rpm is None else window.ok_rpm] * 2
    axes.plot(x, y, "-", color=_OK, linewidth=2)
    axes.set_ylabel("ok/min", fontsize=_LABEL_PT)
    _whole_numbers(axes, max([window.ok_rpm or 0 for window in timeline.windows]))


def _draw_failures(axes: "Axes", timeline: Timeline) -> None:
    failed = [window.failed for window in timeline.windows]
    width = timeline.width_s / 60
    x = [_minutes(timeline, window.start_us) for window in timeline.windows]
    axes.bar(x, failed, width=width, align="edge", color=_FAILED, edgecolor="white", linewidth=0.5)
    axes.set_ylabel("failed", fontsize=_LABEL_PT)
    _whole_numbers(axes, max(failed))
    if not any(failed):
        axes.text(
            0.5, 0.5, "no request failed", transform=axes.transAxes, ha="center", va="center",
            fontsize=_LABEL_PT, color=_QUIET,
        )  # fmt: skip


def _whole_numbers(axes: "Axes", highest: float) -> None:
    axes.set_ylim(0, 1.15 * max(highest, 1))
    axes.locator_params(axis="y", nbins=3, integer=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")


def _draw_clock(axes: "Axes", timeline: Timeline) -> None:
    """Clock in UTC, and below it minutes and seconds since the start."""
    length_s = (timeline.end_us - timeline.start_us) / 1e6
    step_s = next((step for step in _TICK_STEPS_S if length_s / step <= _MOST_TICKS), _TICK_STEPS_S[-1])
    ticks_s = range(0, int(length_s * (1 - _NARROW / 2)) + 1, step_s)
    start = datetime.fromtimestamp(timeline.start_us / 1e6, UTC)
    texts = [f"{start + timedelta(seconds=at_s):%H:%M:%S}\n{at_s // 60}:{at_s % 60:02d} min" for at_s in ticks_s]
    axes.set_xticks([at_s / 60 for at_s in ticks_s], texts)


def _draw_texts(figure: "Figure", timeline: Timeline, verdict: str, ran: str) -> None:
    colour = _VERDICTS.get(verdict, _RED)
    day = f"{datetime.fromtimestamp(timeline.start_us / 1e6, UTC):%Y-%m-%d} UTC"
    shown = figure.text(
        0.012, 0.985, verdict, fontsize=_TITLE_PT, color=colour, weight="bold", va="top", parse_math=False
    )
    end = figure.transFigure.inverted().transform(shown.get_window_extent())[1][0]
    figure.text(end + 0.012, 0.98, ran, fontsize=_LABEL_PT, va="top", parse_math=False)
    figure.text(0.985, 0.98, day, fontsize=_LABEL_PT, color=_QUIET, ha="right", va="top")
    notes = [f"windows of {_width(timeline.width_s)}", "shade: up to the slowest"]
    if any(window.p95_is_bound for window in timeline.windows) or any(one.is_bound for one in timeline.singles):
        notes.append("△ at least this long (timed out, dropped or cut off)")
    if timeline.singles:
        notes.append(f"dots: fewer than {MIN_ROWS} requests in a window")
    if timeline.unreadable_parts:
        notes.append(f"{timeline.unreadable_parts} unreadable parts left out")
    figure.text(0.012, 0.012, " · ".join(notes), fontsize=_SMALL_PT, color=_QUIET, va="bottom")


def _width(width_s: int) -> str:
    return f"{width_s} s" if width_s < 60 else f"{width_s // 60} min"
