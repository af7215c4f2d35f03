"""report.html of a very long run, and of one with a million hostile error texts: size, speed, figures, nothing runs."""

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.big_bundle import STARTED, Recorded, write_recording
from experiments.claims import Claim, Say
from experiments.hostile_bundle import DISTINCT, OFTEN, write_hostile
from include.embedded.state import CHECKOUT
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.live.watch import Watch
from include.loadtest.profile import Profile, find_profile, load_profile
from include.loadtest.profile.thresholds import LIVE_METRICS, load_thresholds
from include.loadtest.reporting.distribution import PERCENTILE_NAMES
from include.loadtest.reporting.markdown import cell

NAME = "report"
SAMPLES = 10_000_000
MOST_BYTES, MOST_OPEN_S, MOST_DATA_S, MOST_PEAK_MB = 2_000_000, 1.0, 3.0, 500
OPENINGS = 3
PAGE = "report.html"
# In a process of its own: its peak is that of making the page, and what it imports is not timed.
MAKE = r"""
import json, re, sys, time
from pathlib import Path
import duckdb, numpy
from include.loadtest.bundle import Bundle
from include.loadtest.reporting.chart_data import chart_data
from include.loadtest.reporting.page.report_page import report_html
from include.loadtest.reporting.report import build_report
bundle = Bundle(Path(sys.argv[1]))
began_s = time.perf_counter()
report = build_report(bundle)
charts = chart_data(bundle)
data_s = time.perf_counter() - began_s
html = report_html(report, charts)
bundle.write_text(sys.argv[2], html)
whole_s = time.perf_counter() - began_s
peak_mb = int(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024
print(json.dumps({"data_s": data_s, "whole_s": whole_s, "peak_mb": peak_mb}))
"""
# The page has drawn its charts when its script has run and two frames have been painted.
DRAWN = (
    "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame("
    "() => done([performance.now() / 1000, document.querySelectorAll('canvas').length, window.hacked]))))"
)
ROWS = "(selector) => [...document.querySelectorAll(selector)].map(row => [...row.children].map(one => one.innerText))"
FIGURES = (
    "() => [...document.querySelectorAll('#scenarios figure')].map(one => [one.querySelector('strong').innerText, "
    "[...one.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.innerText))])"
)


@dataclass(frozen=True)
class Seen:
    """A page as Chromium showed it: `wrong` are errors, dialogs and requests; `open_s` to the painted charts."""

    open_s: float
    canvases: int
    hacked: Any
    wrong: tuple[str, ...]
    limits: Sequence[Sequence[str]]
    errors: Sequence[Sequence[str]]
    pictures: Sequence[tuple[str, Sequence[Sequence[str]]]]


def claims(say: Say) -> Iterator[Claim]:
    """Both bundles are recorded, measured and judged by the product; then each page is made and opened."""
    profile = load_profile(find_profile("smoke"))
    with tempfile.TemporaryDirectory(prefix="loadtest-report-") as folder:
        say(f"recording a run of {SAMPLES:,} samples")
        big = Bundle(Path(folder) / "smoke-20260301-020000-aaaaaa")
        load = Recorded(SAMPLES)
        write_recording(big, profile, load)
        write_alerts(big, load)
        yield from _of_big(big, profile, say)
        say(f"recording a run with {DISTINCT:,} hostile error texts")
        hostile = Bundle(Path(folder) / "smoke-20260301-020000-bbbbbb")
        failed = write_hostile(hostile, profile)
        yield from _of_hostile(hostile, profile, failed, say)


def write_alerts(bundle: Bundle, load: Recorded) -> None:
    """alerts.json of a load in which every figure swings around its limit as fast as an alert can follow."""
    from include.loadtest.orchestration.live_watch import document

    thresholds = [one for one in load_thresholds().thresholds if one.metric in LIVE_METRICS]
    watch, began_s = Watch(thresholds, shares_host=False), STARTED.timestamp()
    for at_s in range(0, load.seconds, 2):
        figures = {}
        for one in thresholds:
            is_over = at_s // (one.for_s + 2) % 2 == 0
            figures[one.metric] = one.limit * (1.5 if is_over == one.comparator.startswith(">") else 0.5)
        watch.update(began_s + at_s, figures)
    bundle.write(run.ALERTS, document(watch, None))


def _of_big(bundle: Bundle, profile: Profile, say: Say) -> Iterator[Claim]:
    alerts = len(bundle.read(run.ALERTS)["alerts"])
    what = f"{SAMPLES:,} samples in {len(list(bundle.samples_dir.iterdir())):,} parts, and {alerts:,} alerts"
    made, size, seen = _made(bundle, profile, say)
    yield _claim(
        f"{what}: report and chart data, beyond imports", f"<= {MOST_DATA_S:g} s", f"{made['data_s']:.2f} s",
        ok=made["data_s"] <= MOST_DATA_S,
    )  # fmt: skip
    yield _claim(
        f"{what}: memory of the process that makes the page", f"<= {MOST_PEAK_MB} MB", f"{made['peak_mb']:.0f} MB",
        ok=made["peak_mb"] <= MOST_PEAK_MB,
    )  # fmt: skip
    yield from _size_and_speed(what, size, seen, made)
    wrong, compared = _wrong_figures(bundle, seen)
    yield _claim(
        f"{what}: observed values of all limits, and percentiles of all scenarios, equal metrics.json",
        "0 differ",
        f"{len(wrong)} of {compared} differ {wrong[:3] or ''}",
        ok=not wrong and compared > len(profile.slos),
    )  # fmt: skip
    yield _nothing_wrong(what, seen)


def _of_hostile(bundle: Bundle, profile: Profile, failed: int, say: Say) -> Iterator[Claim]:
    what = f"{DISTINCT:,} distinct hostile error texts"
    made, size, seen = _made(bundle, profile, say)
    document = bundle.read(run.ERRORS)
    counts = [entry["count"] for entry in document["errors"]]
    other = document["other"]
    kept = (len(counts) + other["fingerprints"], sum(counts) + other["count"], counts[0])
    yield _claim(
        f"{what}: kinds, failed requests and the most frequent kind's count in errors.json",
        f"{(DISTINCT, failed, OFTEN)}", f"{kept}", ok=kept == (DISTINCT, failed, OFTEN),
    )  # fmt: skip
    shown = [int(row[0].replace(",", "")) for row in seen.errors]
    yield _claim(
        f"{what}: counts on the page equal errors.json", f"{len(counts)} equal",
        f"{sum(one == other for one, other in zip(shown, counts, strict=False))} of {len(shown)} equal",
        ok=shown == counts,
    )  # fmt: skip
    yield from _size_and_speed(what, size, seen, made)
    yield _nothing_wrong(what, seen)


def _size_and_speed(what: str, size: int, seen: Seen, made: Mapping[str, float]) -> Iterator[Claim]:
    yield _claim(
        f"{what}: size of {PAGE}", f"< {MOST_BYTES:,} bytes", f"{size:,} bytes, made in {made['whole_s']:.2f} s",
        ok=size < MOST_BYTES,
    )  # fmt: skip
    yield _claim(
        f"{what}: {PAGE} opens in Chromium, charts drawn", f"< {MOST_OPEN_S:g} s, canvases > 0",
        f"{seen.open_s:.2f} s, {seen.canvases} canvases", ok=seen.open_s < MOST_OPEN_S and seen.canvases > 0,
    )  # fmt: skip


def _nothing_wrong(what: str, seen: Seen) -> Claim:
    found = [*seen.wrong, *(["window.hacked is set"] if seen.hacked is not None else [])]
    return _claim(
        f"{what}: requests, dialogs, script errors, and scripts of a text that ran", "none", f"{found[:3] or 'none'}",
        ok=not found,
    )  # fmt: skip


def _claim(claim: str, expected: str, measured: str, *, ok: bool) -> Claim:
    return Claim(NAME, claim, expected, measured, ok)


def _made(bundle: Bundle, profile: Profile, say: Say) -> tuple[Mapping[str, float], int, Seen]:
    """Judge the recording, make the page and open it."""
    say("measuring and judging it")
    judge(bundle, profile)
    say("making and opening its page")
    command = [sys.executable, "-c", MAKE, str(bundle.path), PAGE]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the page could not be made: {done.stderr[-800:]}")
    made: Mapping[str, float] = json.loads(done.stdout.splitlines()[-1])
    path = bundle.path / PAGE
    return made, path.stat().st_size, _opened(path)


def judge(bundle: Bundle, profile: Profile) -> None:
    """What the stages between the load and the report leave: errors, metrics and the verdict on the limits."""
    from include.loadtest.metrics.engine import compute_metrics
    from include.loadtest.metrics.errors_table import write_errors
    from include.loadtest.validation.conclusion import conclude
    from include.loadtest.validation.suite import validate

    compute_metrics(bundle, profile)
    write_errors(bundle)
    results, _ = validate(bundle, profile, shares_host=True)
    conclude(bundle, profile, results, [])


def _opened(path: Path) -> Seen:
    """The page, opened OPENINGS times; its time is the median."""
    from tests.helpers.browser import chromium, opened

    times_s, wrong = [], []
    with chromium() as browser:
        for _ in range(OPENINGS):
            try:
                with opened(browser, path.as_uri()) as shown:
                    open_s, canvases, hacked = shown.page.evaluate(DRAWN)
                    limits, errors = (shown.page.evaluate(ROWS, f"#{name} tbody tr") for name in ("limits", "errors"))
                    pictures = shown.page.evaluate(FIGURES)
                    times_s.append(open_s)
                    wrong += shown.seen.elsewhere(path.as_uri())
            except AssertionError as error:
                wrong.append(str(error).splitlines()[0])
    return Seen(statistics.median(times_s), canvases, hacked, tuple(wrong), limits, errors, pictures)


def _wrong_figures(bundle: Bundle, seen: Seen) -> tuple[list[str], int]:
    """Figures that the page shows otherwise than metrics.json has them, or not at all, and how many were compared."""
    rows = {(row["metric"], row["scope"], row["phase"]): row for row in bundle.read(run.METRICS)["metrics"]}
    shown = {tuple(row[1].replace("·", " ").split()[:3]): row[2] for row in seen.limits}
    pictures = {scenario: {name: value for name, value, _ in found} for scenario, found in seen.pictures}
    expected: dict[str, tuple[str | None, str]] = {}
    for slo in bundle.read(run.VERDICT)["slos"]:
        key = (slo["metric"], slo["scope"], slo["phase"])
        expected[" ".join(key)] = (shown.get(key), cell(rows.get(key)))
    for (metric, scope, phase), row in rows.items():
        if metric in PERCENTILE_NAMES and phase == "hold" and scope.startswith("scenario:"):
            found = pictures.get(scope.removeprefix("scenario:"), {}).get(PERCENTILE_NAMES[metric])
            expected[f"{metric} {scope}"] = (found, cell(row))
    wrong = [f"{name}: {found} instead of {own}" for name, (found, own) in expected.items() if found != own]
    return wrong, len(expected)
