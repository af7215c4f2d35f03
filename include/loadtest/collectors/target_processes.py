"""Which processes of this machine serve an address, and what Linux counts for them.

Files of `/proc` are read by hand: two reads a process and reading, where psutil needs five. Who holds a socket is
searched only when a process has gone, or another socket has joined.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from include.loadtest.collectors.plan import Listener
from include.loadtest.collectors.sockets import HOLDERS, LISTENING, PROC, serving, sockets_of

LOOK_AGAIN_S = 30.0
SEARCH_AGAIN_S = 120.0
"""For a server of which nothing can be seen: a search costs a busy machine 50 ms and more."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
FORWARDERS = frozenset(
    {"docker-proxy", "rootlesskit", "rootlessport", "slirp4netns", "pasta", "conmon", "ssh", "sshd"}
    | {"nginx", "haproxy", "traefik", "caddy", "envoy", "squid", "kube-proxy"}
)
"""Programs that hand connections on: whoever listens is not the application then."""


@dataclass(frozen=True)
class ProcessState:
    """What the kernel counts for a process. `reaped_s`: CPU time of its children that have ended, which it waited for.

    `started_ticks` is since the machine's start; with the id it tells the process from a later one.
    """

    pid: int
    parent: int
    started_ticks: int
    cpu_s: float
    reaped_s: float
    threads: int
    resident_bytes: int
    shared_bytes: int

    @property
    def key(self) -> tuple[int, int]:
        """What no other process has."""
        return self.pid, self.started_ticks


def state_of(pid: int) -> ProcessState | None:
    """A process's counters by Linux' filesystems/proc (`stat`, `statm`); None where it has ended or is a zombie."""
    try:
        text = _content(f"{PROC}/{pid}/stat")
        pages = _content(f"{PROC}/{pid}/statm").split()
    except OSError:
        return None
    fields = text[text.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return ProcessState(
        pid=pid,
        parent=int(fields[1]),
        started_ticks=int(fields[19]),
        cpu_s=(int(fields[11]) + int(fields[12])) / TICKS_PER_S,
        reaped_s=(int(fields[13]) + int(fields[14])) / TICKS_PER_S,
        threads=int(fields[17]),
        resident_bytes=int(pages[1]) * PAGE_BYTES,
        shared_bytes=int(pages[2]) * PAGE_BYTES,
    )


def name_of(pid: int) -> str:
    """The program's name, cut to 15 characters as the kernel has it; empty where it has ended."""
    try:
        return (PROC / str(pid) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def children_of(pid: int, threads: int | None = None) -> list[int]:
    """Ids of the children that all of a process's threads have; [] where it has ended.

    `threads`: how many it has, where that is known: a single one has the process's own id.
    """
    found: list[int] = []
    folder = f"{PROC}/{pid}/task"
    with suppress(OSError):
        for thread in [pid] if threads == 1 else os.listdir(folder):  # noqa: PTH208 - a Path each would double the cost
            with suppress(OSError):
                found += map(int, _content(f"{folder}/{thread}/children").split())
    return found


def _content(file: str) -> bytes:
    """Of a file of the kernel's, whole: they say no size. Raises OSError."""
    descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    try:
        content = b""
        while more := os.read(descriptor, PAGE_BYTES):
            content += more
        return content
    finally:
        os.close(descriptor)


class ServerProcesses:
    """The processes that hold an address's listening socket, and their descendants that serve nothing of their own.

    A descendant that listens on another port is another server (a database that the application started, say).
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._roots: dict[int, int] = {}
        self._inodes: frozenset[str] = frozenset()
        self._others: dict[tuple[int, int], bool] = {}
        self._looked_s = self._searched_s = -SEARCH_AGAIN_S
        self.forwarder: str | None = None

    def read(self) -> list[ProcessState]:
        """All of them now; none where nobody serves, where only a forwarder does, or where it may not be seen."""
        states = {state.pid: state for state in self._found()}
        for root in list(states.values()):
            self._add_children(root, states)
        return list(states.values())

    def oldest(self) -> ProcessState | None:
        """The one of them that has run longest. No process is older than its parent, so it holds the socket itself."""
        return min(self._found(), key=lambda state: state.started_ticks, default=None)

    def _found(self) -> list[ProcessState]:
        """Those that hold the socket, now."""
        if not self._is_known():
            self._search()
        return [state for state in map(state_of, self._roots) if state is not None]

    def _is_known(self) -> bool:
        """Whether those that were found are still there, and no other socket has joined theirs."""
        states = [state_of(pid) for pid in self._roots]
        if any(state is None or self._roots[state.pid] != state.started_ticks for state in states):
            return False
        if self._listener.socket_dir:
            return bool(states)
        if states and time.monotonic() - self._looked_s <= LOOK_AGAIN_S:
            return True
        self._looked_s = time.monotonic()
        is_same = serving(self._listener, LISTENING.now()) == self._inodes
        return is_same and (bool(states) or time.monotonic() - self._searched_s <= SEARCH_AGAIN_S)

    def _search(self) -> None:
        self._looked_s = self._searched_s = time.monotonic()
        self._others.clear()
        found = self._by_socket_folder() if self._listener.socket_dir else self._by_port()
        self.forwarder = next((name_of(state.pid) for state in found if name_of(state.pid) in FORWARDERS), None)
        self._roots = {} if self.forwarder else {state.pid: state.started_ticks for state in found}

    def _by_port(self) -> list[ProcessState]:
        """Without process 1, which holds the sockets of services that it starts at their first connection."""
        self._inodes = serving(self._listener, LISTENING.now())
        held = HOLDERS.now()
        pids = set[int]().union(*(held.get(inode, set()) for inode in self._inodes)) - {1}
        return [state for state in map(state_of, sorted(pids)) if state is not None]

    def _by_socket_folder(self) -> list[ProcessState]:
        """PostgreSQL's main process: the first line of its socket's lock file."""
        try:
            file = Path(str(self._listener.socket_dir)) / f".s.PGSQL.{self._listener.port}.lock"
            pid = int(file.read_text(encoding="ascii").split("\n", 1)[0])
        except (OSError, ValueError):
            return []
        state = state_of(pid) if name_of(pid).startswith("postgres") else None
        return [] if state is None else [state]

    def _add_children(self, parent: ProcessState, states: dict[int, ProcessState]) -> None:
        for pid in children_of(parent.pid, parent.threads):
            state = None if pid in states else state_of(pid)
            if state is not None and not self._serves_else(state):
                states[pid] = state
                self._add_children(state, states)

    def _serves_else(self, state: ProcessState) -> bool:
        if state.key not in self._others:
            held = sockets_of(state.pid) & LISTENING.now().keys()
            self._others[state.key] = bool(held) and not held & self._inodes
        return self._others[state.key]


def cpu_between_s(
    before: Sequence[ProcessState], after: Sequence[ProcessState], since_ticks: float
) -> dict[int, float]:
    """CPU time between two readings by process; that of children which have ended counts for who waited for them.

    What has come since `since_ticks` counts whole; what is older and was not seen before counts from now on.
    """
    earlier = {state.key: state for state in before}
    spent = {}
    for state in after:
        old = earlier.get(state.key)
        if old is not None:
            spent[state.pid] = state.cpu_s + state.reaped_s - old.cpu_s - old.reaped_s
        elif state.started_ticks >= since_ticks:
            spent[state.pid] = state.cpu_s + state.reaped_s
    now = {state.key for state in after}
    for state in before:  # its earlier time is in what its parent has inherited, and was told of already
        if state.key not in now and state.parent in spent:
            spent[state.parent] -= state.cpu_s + state.reaped_s
    return {pid: max(0.0, seconds) for pid, seconds in spent.items()}


def memory_bytes(states: Sequence[ProcessState]) -> float:
    """Resident memory of processes that share some: what each has alone, and the most that one shares, once."""
    alone = sum(state.resident_bytes - state.shared_bytes for state in states)
    return float(alone + max((state.shared_bytes for state in states), default=0))
