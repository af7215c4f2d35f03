"""What goes from old bundles and what stays: on a real folder, and on a store that is none."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
import pytest

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.housekeeping_samples import (
    Freed,
    Protected,
    remove_old_samples,
)
from include.loadtest.orchestration.pipeline import STAGES, run_stage
from tests.loadtest.orchestration.conftest import context_of

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 26, 5, 30, tzinfo=UTC)
DAYS = 90
NOBODY = Protected(frozenset(), frozenset())
PARTS = ("samples/w0-0001.parquet", "samples/w0-0002.parquet", "resources/host-0001.parquet")
KEPT = ("metrics.json", "verdict.json", "manifest.json", "report.html", "samples/notes.txt", "performance.parquet")


def made(results: Path, run_id: str, age_days: float, *, verdict: bool = True, **manifest: Any) -> Path:
    """A bundle whose load ended so long ago, as its manifest and its files say; 3 parts of 100 bytes each."""
    bundle, ended = Bundle(results / run_id), NOW - timedelta(days=age_days)
    phases = [{"name": "hold", "stage": "hold", "start": run.utc_text(ended), "end": run.utc_text(ended)}]
    started = run.utc_text(ended - timedelta(hours=1))
    bundle.update_manifest(**{"started": started, "phases": phases, **manifest})
    bundle.write("metrics.json", {"schema": 1})
    if verdict:
        bundle.write("verdict.json", {"verdict": "PASS"})
    for name in (*PARTS, "report.html", "samples/notes.txt", "performance.parquet"):
        (bundle.path / name).parent.mkdir(exist_ok=True)
        (bundle.path / name).write_bytes(b"x" * 100)
    for path in bundle.path.rglob("*"):
        os.utime(path, (ended.timestamp(), ended.timestamp()))
    return bundle.path


def clean(results: Path | str, protected: Protected = NOBODY) -> Freed:
    return remove_old_samples(str(results), DAYS, protected, NOW)


def parts_of(bundle: Path) -> list[str]:
    return [name for name in PARTS if (bundle / name).exists()]


def test_samples_and_readings_of_an_old_run_go_and_all_else_stays(tmp_path: Path) -> None:
    """With and without a scheme; the manifest says when, once; figures for the log."""
    old = made(tmp_path, "smoke-1", 91)
    freed = clean(f"file://{tmp_path}")
    assert (freed.bundles, freed.files, freed.bytes, freed.failed) == (1, 3, 300, [])
    assert parts_of(old) == []
    assert all((old / name).exists() for name in KEPT)
    assert Bundle(old).read("manifest.json")[run.SAMPLES_REMOVED] == "2026-11-26T05:30:00.000000Z"
    assert freed.lines(DAYS) == [
        "bundles freed of samples and readings older than 90 days: 1 (3 files, 0.0 MB); metrics, verdicts and reports "
        "are kept"
    ]
    assert clean(tmp_path).bundles == 0, "the next day there is nothing to do"


def test_a_young_run_keeps_its_samples(tmp_path: Path) -> None:
    """Also one whose verdict was written anew long after its load, as after a repeat."""
    young, judged_anew = made(tmp_path, "smoke-1", 89), made(tmp_path, "smoke-2", 200)
    lately = (NOW - timedelta(days=2)).timestamp()
    os.utime(judged_anew / "verdict.json", (lately, lately))
    assert clean(tmp_path).bundles == 0
    assert parts_of(young) == parts_of(judged_anew) == list(PARTS)


def test_pinned_runs_and_those_going_on_keep_their_samples(tmp_path: Path) -> None:
    """However old: a run, or the suite that it belongs to, that holds a target is going on."""
    made(tmp_path, "smoke-pinned", 400)
    made(tmp_path, "smoke-held", 400, verdict=False)
    made(tmp_path, "smoke-of-suite", 400, suite_run_id="weekly-1")
    gone = made(tmp_path, "smoke-other", 400, suite_run_id="weekly-0")
    freed = clean(tmp_path, Protected({"smoke-pinned"}, {"smoke-held", "weekly-1"}))
    assert (freed.bundles, parts_of(gone)) == (1, [])
    assert freed.stayed == {"they are pinned as a baseline": 1, "they are going on": 2}
    assert "bundles that keep theirs: 1, since they are pinned as a baseline" in freed.lines(DAYS)


def test_without_a_verdict_the_age_of_the_last_sign_of_life_counts(tmp_path: Path) -> None:
    """A run that is going on is young; one that died long ago is not kept for ever."""
    young, dead = made(tmp_path, "smoke-1", 1, verdict=False), made(tmp_path, "smoke-2", 91, verdict=False)
    assert clean(tmp_path).bundles == 1
    assert (parts_of(young), parts_of(dead)) == (list(PARTS), [])


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"started": 7}', '{"started": "yesterday"}', None])
def test_a_bundle_whose_age_is_not_known_stays(tmp_path: Path, content: str | None) -> None:
    """What cannot be told is no reason to remove anything; the log counts it."""
    bundle = made(tmp_path, "smoke-1", 400)
    (bundle / "manifest.json").unlink() if content is None else (bundle / "manifest.json").write_text(content)
    freed = clean(tmp_path)
    assert (freed.bundles, freed.failed, sum(freed.stayed.values())) == (0, [], 1)
    assert parts_of(bundle) == list(PARTS)


def test_no_link_leads_out_of_the_results(tmp_path: Path) -> None:
    """Links to bundles, to their folders and to files stay, and so does what they point to."""
    results, outside = tmp_path / "results", tmp_path / "outside"
    elsewhere = made(outside, "smoke-1", 400)
    results.mkdir()
    (results / "smoke-link").symlink_to(elsewhere)
    inside = made(results, "smoke-2", 400)
    for part in (inside / "samples").iterdir():
        part.unlink()
    (inside / "samples").rmdir()
    (inside / "samples").symlink_to(elsewhere / "samples")
    (inside / "resources" / "link.parquet").symlink_to(elsewhere / PARTS[0])
    assert clean(results).files == 1
    assert parts_of(elsewhere) == list(PARTS)
    assert (inside / "samples").is_symlink()
    assert (inside / "resources" / "link.parquet").is_symlink()


def test_what_is_no_bundle_is_not_looked_at(tmp_path: Path) -> None:
    """Files, and folders with another kind of name."""
    other = made(tmp_path, "Old Runs", 400)
    (tmp_path / "smoke-file").write_text("x")
    freed = clean(tmp_path)
    assert (freed.bundles, freed.stayed, parts_of(other)) == (0, {}, list(PARTS))
    assert clean(tmp_path / "not-there").bundles == 0


def test_one_bundle_that_cannot_be_freed_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named; what the interrupted removal left goes the next time, and the first date stays."""
    from fsspec.implementations.local import LocalFileSystem

    first, second = made(tmp_path, "smoke-1", 400), made(tmp_path, "smoke-2", 400)
    remove = LocalFileSystem.rm_file

    def failing(self: LocalFileSystem, path: str) -> None:
        if path.endswith("smoke-1/samples/w0-0002.parquet"):
            raise PermissionError(13, "Permission denied")
        remove(self, path)

    with monkeypatch.context() as patch:
        patch.setattr(LocalFileSystem, "rm_file", failing)
        freed = clean(tmp_path)
    assert parts_of(second) == []
    assert freed.fault().startswith("old bundles that could not be freed of their samples: 1 (smoke-1: PermissionError")
    assert parts_of(first) == list(PARTS[1:])
    noted = Bundle(first).read("manifest.json")[run.SAMPLES_REMOVED]
    later = NOW + timedelta(days=120)
    again = remove_old_samples(str(tmp_path), DAYS, NOBODY, later)
    assert (again.files, parts_of(first)) == (2, [])
    assert Bundle(first).read("manifest.json")[run.SAMPLES_REMOVED] == noted


@pytest.mark.parametrize("name", [name for name in STAGES if name != "cleanup_users"])
def test_nothing_is_computed_anew_from_samples_that_are_gone(tmp_path: Path, name: str) -> None:
    """An operator who clears a task of such a run would overwrite its metrics and verdict with nothing."""
    old = made(tmp_path, "smoke-1", 91, verdict=name not in ("preflight", "run_profile"))
    (old / "samples" / "notes.txt").unlink()
    clean(tmp_path)
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    context = context_of(None, "", tmp_path, "smoke-1", users=1, duration_s=1)
    with pytest.raises(ConfigError, match=r"samples were removed on 2026-11-26|ended or sent its load already"):
        run_stage(context, name)
    assert {path: path.read_bytes() for path in old.rglob("*") if path.is_file()} == before


@pytest.fixture
def store() -> Iterator[Any]:
    """A file system that is no folder of this machine, empty."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_another_store_is_cleaned_in_its_place(tmp_path: Path, store: Any) -> None:
    """Old and young, by the store's own times; nothing is copied here for it."""
    for run_id, age_days in (("smoke-1", 91), ("smoke-2", 5)):
        bundle = made(tmp_path / "made", run_id, age_days)
        for path in bundle.rglob("*"):
            if path.is_file():
                name = f"/results/{run_id}/{path.relative_to(bundle)}"
                store.pipe_file(name, path.read_bytes())
                store.store[name].modified = NOW - timedelta(days=age_days)
    freed = clean("memory://results")
    assert (freed.bundles, freed.files, freed.bytes) == (1, 3, 300)
    left = [name for name in store.store if name.endswith(".parquet")]
    assert sorted(left) == sorted(
        ["/results/smoke-1/performance.parquet", "/results/smoke-2/performance.parquet"]
        + [f"/results/smoke-2/{name}" for name in PARTS]
    )
    assert json.loads(store.cat_file("/results/smoke-1/manifest.json"))[run.SAMPLES_REMOVED] == run.utc_text(NOW)
