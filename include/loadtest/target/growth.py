"""Whether there is room for a run: disk for what it will write, and open files for its users."""

import resource
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2.extensions import parse_dsn

from include.loadtest.errors import ConfigError
from include.loadtest.profile import Profile
from include.loadtest.profile.reference import requirements
from include.loadtest.target.database import connected
from include.loadtest.target.settings import Target
from include.loadtest.target.urls import addresses_of, as_address

SAMPLE_BYTES = 20
BUNDLE_BYTES_A_SECOND = 4_000
BUNDLE_FIXED_BYTES = 8_000_000
"""Size of a bundle, measured on 27 parts of two loads of 20 users, of 1,100 and 8,600 requests a minute.

A part of n samples has 5,150 + 20 n bytes, and there is one every 3 s. Five sources of readings write 1,300 bytes a
second as Parquet and 600 more as the timeline. Reports and logs have 1.2 MB, at most 8.
"""
CHATS = ("simple_query", "complex_query")
FILES_A_USER = 2
OTHER_FILES = 200
"""Open files of the generator besides its users' connections: its code, parts and logs, with a reserve."""
STATEMENT_TIMEOUT_S = 15
DATABASE_PORT = 5432


@dataclass(frozen=True)
class Disk:
    """A file system on which a run writes: `path` lies on it, `purpose` says what is written."""

    path: str
    purpose: str
    needed_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class GrowthEstimate:
    """What a run is expected to write. `database_bytes` is None where it is not known; `notes` says why.

    `requests` is what a run that reaches its target throughput sends.
    """

    requests: int
    bundle_bytes: int
    database_bytes: int | None
    disks: tuple[Disk, ...]
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {**asdict(self), "disks": [asdict(disk) for disk in self.disks], "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """For the log."""
        needs = [
            f"disk: about {shown_bytes(disk.needed_bytes)} for {disk.purpose} in {disk.path}, "
            f"{shown_bytes(disk.free_bytes)} are free"
            for disk in self.disks
        ]
        return [*needs, *self.notes]


def check_disk(target: Target, profiles: Sequence[Profile], results_dir: Path) -> GrowthEstimate:
    """Estimate what a run writes on this machine's disks, or all runs of a suite, and check that it fits.

    `results_dir` is the local folder that will hold the bundle. Where the target's database runs on this machine too,
    its growth counts as well: requests x share of chats x `growth_bytes_a_chat` of the target file, on the file system
    of PostgreSQL's data directory. Raises ConfigError for a disk that is too small, and what `connected` raises.
    """
    requests = sum(planned_requests(profile) for profile in profiles)
    bundle_bytes = round(
        requests * SAMPLE_BYTES
        + sum(profile.load_s for profile in profiles) * BUNDLE_BYTES_A_SECOND
        + len(profiles) * BUNDLE_FIXED_BYTES
    )
    results = _existing(results_dir)
    chats = sum(planned_requests(profile) * _chat_share(profile) for profile in profiles)
    database_bytes, data_dir, notes = _database_growth(target, chats, results)
    needs = [(results, "the bundle", bundle_bytes)]
    if database_bytes and data_dir:
        needs.append((data_dir, "the target's database", database_bytes))
    disks = _by_file_system(needs)
    for disk in disks:
        if disk.needed_bytes > disk.free_bytes:
            raise ConfigError(_refusal(disk, profiles, requests, target))
    return GrowthEstimate(requests, bundle_bytes, database_bytes, disks, notes)


def planned_requests(profile: Profile) -> int:
    """Requests of a whole load at the throughput that the profile aims at; without one, at twice the least required.

    The requirements' targets are twice their minimums.
    """
    least_rpm = requirements().throughput.minimum_rpm(profile.users)
    return round((profile.throughput_target_rpm or 2 * least_rpm) * profile.load_s / 60)


def _chat_share(profile: Profile) -> float:
    return sum(profile.mix_pct.get(scenario, 0) for scenario in CHATS) / 100


def _database_growth(target: Target, chats: float, results: Path) -> tuple[int | None, Path | None, tuple[str, ...]]:
    """Growth in bytes, a folder on the disk that takes it, and what is not known."""
    a_chat = target.file.growth_bytes_a_chat
    if target.database_url is None:
        return None, None, ("disk: the target's database is not configured, so its growth is not estimated",)
    if not target.shares_host or not _is_here(target.database_url):
        return None, None, ("disk: the target's database is on another machine, so its disk is not checked",)
    if a_chat is None:
        text = f"disk: {target.file.path} has no growth_bytes_a_chat, so the database's growth is not estimated"
        return None, None, (text,)
    growth = round(chats * a_chat)
    data_dir = _data_directory(target.database_url)
    if data_dir is not None:
        return growth, data_dir, ()
    return growth, results, ("disk: PostgreSQL's data directory is not known; the results' disk is taken for it",)


def _data_directory(url: str) -> Path | None:
    """PostgreSQL's data directory; None where the role may not know it, or it lies in a container."""
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT setting FROM pg_settings WHERE name = 'data_directory'")
        row = cursor.fetchone()
    try:
        return Path(row[0]) if row and Path(row[0]).is_dir() else None
    except OSError:  # this user may not look
        return None


def _is_here(url: str) -> bool:
    """Whether a database is reached through a socket or an address of this machine."""
    try:
        parts = parse_dsn(url)
        host = parts.get("host", "")
        if not host or host.startswith("/"):
            return True
        addresses = addresses_of(host, int(parts.get("port", DATABASE_PORT)))
    except (psycopg2.Error, OSError, ValueError):
        return False
    own = {entry.address.partition("%")[0] for entries in psutil.net_if_addrs().values() for entry in entries}
    return any(text in own or ((known := as_address(text)) and known.is_loopback) for text in addresses)


def _existing(path: Path) -> Path:
    """The folder, or the nearest one above it that exists already."""
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _by_file_system(needs: list[tuple[Path, str, int]]) -> tuple[Disk, ...]:
    """What is written to the same file system added up."""
    together: dict[int, list[tuple[Path, str, int]]] = {}
    for need in needs:
        together.setdefault(need[0].stat().st_dev, []).append(need)
    return tuple(
        Disk(
            path=str(group[0][0]),
            purpose=" and ".join(purpose for _, purpose, _ in group),
            needed_bytes=sum(needed for _, _, needed in group),
            free_bytes=shutil.disk_usage(group[0][0]).free,
        )
        for group in together.values()
    )


def _refusal(disk: Disk, profiles: Sequence[Profile], requests: int, target: Target) -> str:
    name = profiles[0].name if len(profiles) == 1 else f"the suite of {len(profiles)} runs"
    repair = "free some space or shorten the run"
    if "database" in disk.purpose:
        repair += f", reset the target's database, or correct growth_bytes_a_chat in {target.file.path}"
    return (
        f"disk: {name} with about {requests:,} requests needs {shown_bytes(disk.needed_bytes)} for "
        f"{disk.purpose} on the file system of {disk.path}, but {shown_bytes(disk.free_bytes)} are free; {repair}"
    )


def shown_bytes(count: int) -> str:
    """Bytes for a person, in decimal units.

    >>> shown_bytes(23_100_000_000)
    '23.1 GB'
    """
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def check_open_files(profile: Profile) -> None:
    """Raise ConfigError where this process, whose limits the generator inherits, may open too few files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = profile.users * FILES_A_USER + OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < needed:
        raise ConfigError(
            f"open files: {profile.users} users need {needed} ({FILES_A_USER} a user and {OTHER_FILES}), but this "
            f"process may open {soft}; raise the limit where the worker is started (ulimit -n, LimitNOFILE, ulimits)"
        )
