"""Recorded runs of `smoke`: real loads against a real demo target, cut to what figures are computed from.

`experiments/selftest_recording.py` makes them anew. A recording holds the samples, the readings that are judged, a part
of the manifest, and the figures that were computed when it was made. Its limits and rules are those of today's profile
file; only what load it was (users, times, pauses) is as it was recorded.
"""

import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from include.loadtest import run
from include.loadtest.analysis.figures import ENDPOINT, PERCENTILES_OF, PHASE, RunFigures, run_figures
from include.loadtest.bundle import Bundle
from include.loadtest.history.runs import METRIC_COLUMNS
from include.loadtest.profile import Profile, find_profile, load_profile_text
from include.loadtest.profile.vocabulary import SCOPE_ALL

FOLDER = Path(__file__).parents[2] / "selftest_recordings"
PROFILE = "smoke"
TARGET = "alarm-selftest"
"""Stands in place of the target of all that the self-test tells and files; no target file has this name."""
MANIFEST, SAMPLES, RESOURCES, FIGURES = "manifest.json", "samples.parquet", "resources.parquet", "figures.json"
HISTORY = "history.json"
BAD, CLEAN = "bad", "clean"
MISSED = ("latency_p95_ms", "latency_p99_ms", "error_rate", "throughput_rpm")
"""Limits that the bad run misses, each by little: critical ones of the whole hold."""
SLOWER = ("slower", "slower-repeat1", "slower-repeat2")
"""The candidate and its repeats."""
LOAD = "load_profile"
"""Key of a recording's manifest: the keys of the profile that say which load it was."""
LOAD_KEYS = ("users", "ramp_up_s", "duration_s", "think_time_s")
_WHOLE_RUN = frozenset({"target_cpu_ms_per_request", "cpu_probe_ms", "longest_stall_s"})
_BODY_AND_TAIL = frozenset({*PERCENTILES_OF["latency_body_ms"], *PERCENTILES_OF["latency_tail_ms"]})
_SAME = 1e-9
"""Relative: the same samples give the same figures, but for the last digit of a float."""


def profile_of(recording: Path) -> Profile:
    """Today's profile, with the load of the recording. Raises ConfigError where the profile's file is wrong."""
    manifest = json.loads((recording / MANIFEST).read_text(encoding="utf-8"))
    file = find_profile(PROFILE)
    data = yaml.safe_load(file.read_text(encoding="utf-8")) | manifest[LOAD]
    return load_profile_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), str(file))


def open_recording(recording: Path, bundle_path: Path) -> Bundle:
    """A bundle as it was when its load had ended; nothing of it is computed yet."""
    bundle = Bundle(bundle_path)
    for name, folder in ((SAMPLES, bundle.samples_dir), (RESOURCES, bundle.resources_dir)):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(recording / name, folder / name)
    manifest = json.loads((recording / MANIFEST).read_text(encoding="utf-8"))
    target = {"name": TARGET, "shares_host": True}
    bundle.update_manifest(**manifest, target=target, profile=profile_of(recording).model_dump(mode="json"))
    return bundle


def differing_figures(recording: Path, metrics: Mapping[str, Any]) -> list[str]:
    """What today's computation says otherwise than the one of the recording's day; a line a figure, empty: nothing."""
    before = json.loads((recording / FIGURES).read_text(encoding="utf-8"))
    now = figures(metrics)
    return [
        f"{name} is {now.get(name)}, and was {before[name]} when it was recorded"
        for name in before
        if not _is_same(before[name], now.get(name))
    ]


def figures(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures of the whole hold, by the metric's name, from the content of metrics.json."""
    rows = metrics["metrics"]
    return {row["metric"]: row["value"] for row in rows if (row["scope"], row["phase"]) == (SCOPE_ALL, PHASE)}


def _is_same(before: float | None, now: float | None) -> bool:
    return before is now if before is None or now is None else math.isclose(before, now, rel_tol=_SAME)


def is_compared(row: Mapping[str, Any]) -> bool:
    """Whether the change test looks at a row of metrics.json: at no percentile whose interval is open."""
    if row["phase"] != PHASE:
        return False
    if row["scope"] == SCOPE_ALL:
        return row["metric"] in _WHOLE_RUN
    is_known = bool(row["value"] and row["ci_low"] and row["ci_high"])
    return is_known and row["metric"] in _BODY_AND_TAIL and row["scope"].startswith(ENDPOINT)


def read_history(folder: Path = FOLDER) -> list[RunFigures]:
    """The recorded runs of the unchanged target, oldest first, as the history gives runs to the change test."""
    runs = json.loads((folder / HISTORY).read_text(encoding="utf-8"))
    return [
        run_figures(run_id, [dict(zip(METRIC_COLUMNS, row, strict=True)) for row in rows])
        for run_id, rows in runs.items()
    ]


def figures_of(bundle: Bundle) -> RunFigures:
    """A measured recording as the change test sees it."""
    return run_figures(bundle.run_id, bundle.read(run.METRICS)["metrics"])
