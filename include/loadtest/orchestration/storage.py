"""A run's bundle on this machine while a task works on it, and at the results URI when the task has ended."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow.sdk import ObjectStoragePath

from include.loadtest import run
from include.loadtest.bundle import Bundle


@contextmanager
def local_bundle(
    results_uri: str, run_id: str, work_root: Path, *, keep: bool = True, keeps: Callable[[str], bool] = lambda _: True
) -> Iterator[Bundle]:
    """The bundle as a local directory. A local results URI is used in place; another is copied there and back.

    The copy back happens also when the task fails: what it has learned is kept. `keep` is False for a bundle that the
    task only reads; `keeps` says which files it writes, by their path in the bundle. Each process has a copy of its
    own: two tasks may work on the runs of one suite, or on one run, at a time.
    """
    base = ObjectStoragePath(results_uri)
    if is_local(results_uri):
        yield Bundle(Path(base.path) / run_id)
        return
    remote, local = base / run_id, work_root / "bundles" / str(os.getpid()) / run_id
    if remote.exists():
        _download(remote, local)
    try:
        yield Bundle(local)
    finally:
        if keep:
            _upload(local, remote, keeps)
        shutil.rmtree(local, ignore_errors=True)


def is_local(uri: str) -> bool:
    """Whether it is a folder of this machine, which is used in place."""
    return ObjectStoragePath(uri).protocol in ("", "file", "local")


def bundle_uri(results_uri: str, run_id: str) -> str:
    """Where a run's bundle is kept."""
    return str(ObjectStoragePath(results_uri) / run_id).removeprefix("file://")


def _download(remote: ObjectStoragePath, local: Path) -> None:
    for source in remote.rglob("*"):
        if source.is_file():
            target = local / source.path.removeprefix(remote.path).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source.read_bytes())


def _upload(local: Path, remote: ObjectStoragePath, keeps: Callable[[str], bool]) -> None:
    """Samples, then readings, then what speaks of them: one that breaks off leaves no account of what is not there."""
    names = (source.relative_to(local).as_posix() for source in local.rglob("*") if source.is_file())
    for name in sorted(filter(keeps, names), key=_upload_place):
        target = remote / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((local / name).read_bytes())


def _upload_place(name: str) -> tuple[int, str]:
    folder, separator, _ = name.partition("/")
    parts = (run.SAMPLES, run.RESOURCES)
    return (parts.index(folder) if separator and folder in parts else len(parts) + name.endswith(".json"), name)


def read_file(uri: str, name: str) -> bytes | None:
    """A file of a bundle, wherever that is kept; None where it is not there."""
    file = ObjectStoragePath(uri) / name
    return file.read_bytes() if file.is_file() else None


def write_file(uri: str, name: str, content: bytes) -> None:
    """Write a file of a bundle where that is kept."""
    file = ObjectStoragePath(uri) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def has_file(uri: str, name: str) -> bool:
    """Whether a bundle has a file, wherever it is kept."""
    return bool((ObjectStoragePath(uri) / name).is_file())


def list_files(uri: str) -> list[str]:
    """The names of the files that lie in a bundle itself, not in its folders."""
    folder = ObjectStoragePath(uri)
    return sorted(file.name for file in folder.iterdir() if file.is_file()) if folder.is_dir() else []


def has_folder(uri: str) -> bool:
    """Whether there is such a folder."""
    return bool(ObjectStoragePath(uri).is_dir())


def list_folder(uri: str) -> list[str]:
    """The names of all that lies in a folder itself, sorted; none without the folder."""
    folder = ObjectStoragePath(uri)
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
