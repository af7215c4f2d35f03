"""Whether the disk of the results has room for the runs to come, and which bundles fill it."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.housekeeping_rules import SHOWN_FILE, DiskRules
from include.loadtest.target.growth import shown_bytes


@dataclass(frozen=True)
class _Size:
    """A folder of the results."""

    name: str
    bytes: int
    files: int


def check_disk(results: Path, rules: DiskRules) -> str:
    """Check free bytes and inodes of the file system that holds the local folder; returns a line for the log.

    Raises ConfigError below a limit: it names the limit, the biggest bundles and what to do.
    """
    folder = next(path for path in (results.absolute(), *results.absolute().parents) if path.exists())
    found = os.statvfs(folder)
    free_bytes = found.f_bavail * found.f_frsize
    free_inodes = found.f_favail if found.f_files else None  # some file systems have no fixed number of them
    short = []
    if free_bytes < rules.min_free_bytes:
        short.append(
            f"{shown_bytes(free_bytes)} are free, fewer than min_free_bytes ({shown_bytes(rules.min_free_bytes)})"
        )
    if free_inodes is not None and free_inodes < rules.min_free_inodes:
        short.append(f"{free_inodes:,} inodes are free, fewer than min_free_inodes ({rules.min_free_inodes:,})")
    if not short:
        inodes = "inodes without a limit" if free_inodes is None else f"{free_inodes:,} inodes"
        return f"the file system of {folder} has {shown_bytes(free_bytes)} and {inodes} free"
    raise ConfigError(f"disk of {folder}: {'; '.join(short)}. {_what_to_do(results, rules)}")


def _what_to_do(results: Path, rules: DiskRules) -> str:
    sizes = sorted(_sizes(results), key=lambda size: (-size.bytes, size.name))[: rules.named_bundles]
    biggest = ", ".join(f"{size.name} ({shown_bytes(size.bytes)}, {size.files:,} files)" for size in sizes)
    named = f"The biggest bundles: {biggest}" if sizes else "No bundle is to blame: the folder holds none"
    return (
        f"{named}. Move bundles away, lower retention.samples_days in {SHOWN_FILE}, look what else fills this disk, "
        "or enlarge it"
    )


def _sizes(results: Path) -> Iterator[_Size]:
    """All folders of the results; symbolic links count as themselves."""
    if not results.is_dir():
        return
    for folder in results.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            sizes = [_size_of(Path(parent) / name) for parent, _, names in os.walk(folder) for name in names]
            yield _Size(folder.name, sum(sizes), len(sizes))


def _size_of(path: Path) -> int:
    """Bytes of a file; 0 for one that has gone meanwhile."""
    try:
        return path.lstat().st_size
    except OSError:
        return 0
