"""The committed recordings: small, without the machine they were made on, and the same whenever they are computed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from include.loadtest import run
from include.loadtest.orchestration.selftest import recordings
from include.loadtest.orchestration.selftest.judging import CONCLUDED, JUDGED, Bench
from include.loadtest.orchestration.selftest.recordings import BAD, CLEAN, FOLDER, SLOWER
from include.loadtest.profile import find_profile, load_profile

pytestmark = pytest.mark.unit


def test_the_recordings_are_small_and_complete() -> None:
    """At most 200 kB in the repository; each has what its figures are computed from."""
    assert sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()) <= 200_000
    for name in (BAD, CLEAN, *SLOWER):
        files = {file.name for file in (FOLDER / name).iterdir()} - {CONCLUDED}
        assert files == {recordings.MANIFEST, recordings.SAMPLES, recordings.RESOURCES, recordings.FIGURES}
        assert (FOLDER / name / CONCLUDED).is_file() == (name in JUDGED)


def test_nothing_of_the_machine_is_in_them() -> None:
    """No path, no address."""
    texts = [file.read_text(encoding="utf-8") for file in FOLDER.rglob("*.json")]
    assert not any(word in text for text in texts for word in ("/tmp", "/home", "127.0.0.1", "localhost"))


def test_limits_are_those_of_the_committed_profile_and_the_load_is_as_recorded() -> None:
    """So a changed limit changes what is said, and a changed duration does not."""
    today, recorded = load_profile(find_profile("smoke")), recordings.profile_of(FOLDER / BAD)
    assert recorded.slos == today.slos
    assert recorded.change_test == today.change_test
    load = json.loads((FOLDER / BAD / recordings.MANIFEST).read_text())[recordings.LOAD]
    assert (recorded.users, recorded.duration_s) == (load["users"], load["duration_s"])


def test_a_bundle_of_a_recording_names_no_real_target(bench: Bench) -> None:
    """What is told of it cannot be mistaken for the product's."""
    manifest = bench.opened(BAD).read(run.MANIFEST)
    assert manifest["target"] == {"name": "alarm-selftest", "shares_host": True}


def test_another_figure_is_named_with_what_it_was(broken_copy: Callable[[], Path]) -> None:
    """The line says which, and both values."""
    folder = broken_copy() / BAD
    figures = json.loads((folder / recordings.FIGURES).read_text())
    metrics = {"metrics": [{"scope": "all", "phase": "hold", "metric": name, "value": value}
                           for name, value in figures.items()]}  # fmt: skip
    assert recordings.differing_figures(folder, metrics) == []
    metrics["metrics"] = [row | {"value": 1.5} if row["metric"] == "error_rate" else row for row in metrics["metrics"]]
    (line,) = recordings.differing_figures(folder, metrics)
    assert line.startswith("error_rate is 1.5, and was 0.0")


def test_the_history_has_as_many_runs_as_the_change_test_needs() -> None:
    """Each with the endpoints that are compared."""
    history = recordings.read_history()
    assert len(history) >= load_profile(find_profile("smoke")).change_test.min_runs
    assert all("endpoint:chat_simple" in one.points for one in history)
