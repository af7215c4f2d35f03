"""Removes samples and readings of old runs, wherever the results are kept; what was concluded from them stays."""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from airflow.sdk import ObjectStoragePath

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InfrastructureError
from include.loadtest.target.growth import shown_bytes

SUFFIX = ".parquet"
_NAMED_FAULTS = 3


@dataclass(frozen=True)
class Protected:
    """Runs whose files stay: pinned as a baseline, or going on (ids of runs and of suites' runs)."""

    pinned: Collection[str]
    held: Collection[str]


@dataclass
class Freed:
    """What was removed. `stayed` counts old runs that keep their files, by why; `failed` has a line for each fault."""

    bundles: int = 0
    files: int = 0
    bytes: int = 0
    stayed: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def lines(self, days: int) -> list[str]:
        """For the log."""
        return [
            f"bundles freed of samples and readings older than {days} days: {self.bundles} ({self.files} files, "
            f"{shown_bytes(self.bytes)}); metrics, verdicts and reports are kept",
            *(f"bundles that keep theirs: {count}, since {why}" for why, count in sorted(self.stayed.items())),
        ]

    def fault(self) -> str:
        """One line that names the first bundles that could not be freed."""
        others = len(self.failed) - _NAMED_FAULTS
        named = "; ".join(self.failed[:_NAMED_FAULTS]) + (f"; and {others} more" if others > 0 else "")
        return f"old bundles that could not be freed of their samples: {len(self.failed)} ({named})"


def remove_old_samples(results_uri: str, days: int, protected: Protected, now: datetime) -> Freed:
    """Remove `samples/*.parquet` and `resources/*.parquet` of the runs whose verdict is older than `days` days.

    A run without a verdict counts from its last sign of life. A bundle whose age cannot be told stays. The manifest
    says first when its samples went, so that no reader takes a rest of them for all; an interrupted removal goes on the
    next time. Symbolic links are neither followed nor removed. A bundle that cannot be freed does not stop the others.
    Raises InfrastructureError where the results cannot be listed.
    """
    freed = Freed()
    for bundle in _bundles(ObjectStoragePath(results_uri)):
        try:
            _free(bundle, now - timedelta(days=days), protected, now, freed)
        except (OSError, ValueError) as error:
            freed.failed.append(f"{bundle.run_id}: {type(error).__name__}: {error}")
    return freed


@dataclass(frozen=True)
class _Stored:
    """A bundle at the results URI."""

    path: ObjectStoragePath
    is_local: bool

    @property
    def run_id(self) -> str:
        return str(self.path.name)

    def parts(self) -> Iterator[tuple[str, int]]:
        """Name and bytes of each file of samples and readings."""
        folders = {name for name, info in _entries(self.path) if _is(info, "directory")}
        for folder in (run.SAMPLES, run.RESOURCES):
            if folder in folders:
                for name, info in _entries(self.path / folder):
                    if name.endswith(SUFFIX) and _is(info, "file"):
                        yield info["name"], int(info["size"])

    def has(self, name: str) -> bool:
        return bool((self.path / name).is_file())

    def manifest(self) -> dict[str, Any] | None:
        """The manifest; None where there is none that can be read."""
        try:
            content = json.loads((self.path / run.MANIFEST).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return content if isinstance(content, dict) else None

    def modified(self, name: str) -> datetime | None:
        """When a file was written last; None where the store does not tell."""
        try:
            moment: datetime = _file_system(self.path).modified((self.path / name).path)
        except NotImplementedError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def note(self, manifest: dict[str, Any], now: datetime) -> None:
        """Say in the manifest when the samples went, unless it says so already."""
        if run.SAMPLES_REMOVED in manifest:
            return
        manifest = {**manifest, run.SAMPLES_REMOVED: run.utc_text(now)}
        if self.is_local:
            Bundle(Path(self.path.path)).write(run.MANIFEST, manifest)
        else:
            text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False)
            (self.path / run.MANIFEST).write_text(text + "\n", encoding="utf-8")


def _bundles(base: ObjectStoragePath) -> Iterator[_Stored]:
    try:
        entries = _entries(base)
    except FileNotFoundError:  # nothing was run yet
        return
    except OSError as error:
        raise InfrastructureError(f"the results in {base} cannot be listed: {error}") from error
    is_local = base.protocol in ("", "file", "local")
    for name, info in entries:
        if _is(info, "directory") and run.RUN_ID_PATTERN.match(name):
            yield _Stored(base / name, is_local)


def _file_system(path: ObjectStoragePath) -> Any:
    """The one that the path's own methods use: Airflow's `path.fs` knows only schemes that a provider registers."""
    return path.__wrapped__.fs


def _entries(folder: ObjectStoragePath) -> list[tuple[str, dict[str, Any]]]:
    """Names and what the file system says of them, sorted; a symbolic link says so itself."""
    found = _file_system(folder).ls(folder.path, detail=True)
    return sorted(((PurePosixPath(info["name"]).name, info) for info in found), key=lambda entry: entry[0])


def _is(info: Mapping[str, Any], kind: str) -> bool:
    return info["type"] == kind and not info.get("islink")


def _free(bundle: _Stored, before: datetime, protected: Protected, now: datetime, freed: Freed) -> None:
    parts = list(bundle.parts())
    if not parts:
        return
    manifest = bundle.manifest()
    moment = None if manifest is None else _last_sign(bundle, manifest)
    if manifest is None or moment is None:
        freed.stayed["their manifest is missing, or does not say how old they are"] += 1
        return
    if moment >= before:
        return
    why = _why_it_stays(bundle.run_id, manifest, protected)
    if why:
        freed.stayed[why] += 1
        return
    bundle.note(manifest, now)
    freed.bundles += 1
    for name, size in parts:
        _file_system(bundle.path).rm_file(name)
        freed.files += 1
        freed.bytes += size


def _why_it_stays(run_id: str, manifest: Mapping[str, Any], protected: Protected) -> str | None:
    if run_id in protected.pinned:
        return "they are pinned as a baseline"
    if {run_id, manifest.get("suite_run_id")} & set(protected.held):
        return "they are going on"
    return None


def _last_sign(bundle: _Stored, manifest: Mapping[str, Any]) -> datetime | None:
    """The latest of the run's start, its phases' ends, and when its verdict (without one, its manifest) was written."""
    try:
        texts = [manifest["started"], *(phase["end"] for phase in manifest.get("phases") or () if phase.get("end"))]
        moments = [datetime.fromisoformat(text) for text in texts]
        written = bundle.modified(run.VERDICT if bundle.has(run.VERDICT) else run.MANIFEST)
        return max([*moments, *([written] if written else [])])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
