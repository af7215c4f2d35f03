"""What Linux counts for, and allows, a control group: version 2, or version 1 where a machine still has that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from include.loadtest.collectors.sockets import PROC

MOUNTS = PROC / "self" / "mountinfo"
_NO_LIMIT_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest number of pages; no machine has so much memory."""


@dataclass(frozen=True)
class Hierarchy:
    """One mounted tree of groups: `root` is what its folder shows of the tree; `controllers` are version 1's."""

    folder: Path
    root: str
    version: int
    controllers: frozenset[str]


@dataclass(frozen=True)
class Limits:
    """What a group may use and has used; None where it is not limited, or not told."""

    cpu_cores: float | None
    memory_limit_bytes: float | None
    memory_bytes: float | None
    throttled_ms: float | None
    oom_kills: float | None


def hierarchies(mounts: Path = MOUNTS) -> list[Hierarchy]:
    """The trees that this process sees, by Linux' filesystems/proc (mountinfo)."""
    found = []
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    for line in lines:
        own, _, rest = line.partition(" - ")
        kind, _, options = (*rest.split(" "), "", "", "")[:3]
        if kind in ("cgroup", "cgroup2"):
            fields = own.split(" ")
            controllers = frozenset(options.split(",")) if kind == "cgroup" else frozenset()
            found.append(Hierarchy(Path(fields[4]), fields[3], 2 if kind == "cgroup2" else 1, controllers))
    return found


def folders_of(membership: str, trees: list[Hierarchy]) -> dict[str, list[Path]]:
    """A process's groups (the text of its /proc/PID/cgroup) as folders: for `cpu` and `memory`, from it to the root.

    A group outside what is mounted here has none. Version 1's controllers win: one that it has, version 2 has not.
    """
    found: dict[str, list[Path]] = {}
    for line in membership.splitlines():
        _, names, place = (*line.split(":", 2), "", "")[:3]
        for tree in trees:
            for controller in ("cpu", "memory"):
                is_its = controller in names.split(",") and controller in tree.controllers
                if is_its or (not names and tree.version == 2 and controller not in found):
                    path = _below(tree, place)
                    if path is not None:
                        found[controller] = path
    return found


def _below(tree: Hierarchy, place: str) -> list[Path] | None:
    root = tree.root.rstrip("/")
    if ".." in place.split("/") or not f"{place}/".startswith(f"{root}/"):
        return None
    inner = tree.folder / place[len(root) :].strip("/")
    return [folder for folder in (inner, *inner.parents) if folder == tree.folder or tree.folder in folder.parents]


def limits_of(folders: Mapping[str, list[Path]]) -> Limits:
    """What the groups say, the tightest limit on the way to the root; memory is that of the group which has it.

    The times for which any of them was held back are added up: each has a quota, and a counter, of its own.

    CPU: admin-guide/cgroup-v2 (cpu.max, cpu.stat) and scheduler/sched-bwc; memory: memory.max, memory.current and
    memory.events, or version 1's memory.limit_in_bytes, memory.usage_in_bytes and memory.oom_control.
    """
    cpu, memory = folders.get("cpu", []), folders.get("memory", [])
    cores = min((limit for folder in cpu if (limit := _cores(folder)) is not None), default=None)
    limits = [(limit, folder) for folder in memory if (limit := _memory_limit(folder)) is not None]
    throttled = [value for folder in cpu if (value := _throttled_ms(folder)) is not None]
    limit_bytes, limited = min(limits, default=(None, memory[0] if memory else None))
    return Limits(
        cpu_cores=cores,
        memory_limit_bytes=limit_bytes,
        memory_bytes=None if limited is None else _number(limited, "memory.current", "memory.usage_in_bytes"),
        throttled_ms=sum(throttled) if throttled else None,
        oom_kills=_entry(memory[0], "memory.events", "memory.oom_control", key="oom_kill") if memory else None,
    )


def _cores(folder: Path) -> float | None:
    quota, period = (*_text(folder, "cpu.max").split(), "", "")[:2]
    if not quota:
        quota, period = _text(folder, "cpu.cfs_quota_us"), _text(folder, "cpu.cfs_period_us")
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() and int(period) else None


def _memory_limit(folder: Path) -> float | None:
    limit = _number(folder, "memory.max", "memory.limit_in_bytes")
    return limit if limit is not None and limit < _NO_LIMIT_BYTES else None


def _throttled_ms(folder: Path) -> float | None:
    entries = dict(_entries(_text(folder, "cpu.stat")))
    if "throttled_usec" in entries:
        return entries["throttled_usec"] / 1e3
    return entries["throttled_time"] / 1e6 if "throttled_time" in entries else None


def _entry(folder: Path, *files: str, key: str) -> float | None:
    return next((value for file in files for name, value in _entries(_text(folder, file)) if name == key), None)


def _entries(text: str) -> Iterator[tuple[str, float]]:
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if value.isdigit():
            yield name, float(value)


def _number(folder: Path, *files: str) -> float | None:
    return next((float(text) for file in files if (text := _text(folder, file)).isdigit()), None)


def _text(folder: Path, file: str) -> str:
    try:
        return (folder / file).read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
