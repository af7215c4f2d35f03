"""Which sockets of this machine listen, and which processes hold them.

To know who holds one, the open files of all processes are looked at: some 50 ms on a busy machine. So what was found is
shared by all who ask within a moment.
"""

import ipaddress
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

import psutil

from include.loadtest.collectors.plan import Listener

PROC = Path("/proc")
MOMENT_S = 1.0
_LISTENING = re.compile(
    r"^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 0A \S+ \S+ \S+ +\d+ +\d+ (\d+)", re.MULTILINE
)
"""Local address and port, state "listens" (Linux' include/net/tcp_states.h) and inode of a line of /proc/net/tcp."""
_ANY = ("0.0.0.0", "::")  # noqa: S104 - what a socket of all addresses is listed as; nothing is bound here
Place = tuple[str, int]
"""Address and port."""
T = TypeVar("T")


def listening_sockets() -> dict[str, Place]:
    """Where each TCP socket of this network that listens does so, by its inode."""
    found: dict[str, Place] = {}
    for name in ("tcp", "tcp6"):
        with suppress(OSError):
            for address, port, inode in _LISTENING.findall((PROC / "net" / name).read_text(encoding="ascii")):
                found[inode] = _address(address), int(port, 16)
    return found


def _address(text: str) -> str:
    """An address as text; the kernel writes its 32-bit words in the machine's own order."""
    raw = bytes.fromhex(text)
    words = [raw[place : place + 4] for place in range(0, len(raw), 4)]
    address = ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def sockets_of(pid: int) -> set[str]:
    """Inodes of a process's sockets; empty where it has ended or belongs to somebody else."""
    found = set()
    folder = f"{PROC}/{pid}/fd"
    with suppress(OSError):
        for number in os.listdir(folder):  # noqa: PTH208 - thousands of them: a Path each would double the cost
            with suppress(OSError):
                target = os.readlink(f"{folder}/{number}")  # noqa: PTH115
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def holders() -> dict[str, set[int]]:
    """Ids of the processes that hold each socket which listens, by its inode."""
    listening = LISTENING.now().keys()
    found: dict[str, set[int]] = {inode: set() for inode in listening}
    for pid in psutil.pids():
        for inode in sockets_of(pid) & listening:
            found[inode].add(pid)
    return found


def serving(listener: Listener, sockets: Mapping[str, Place]) -> frozenset[str]:
    """Inodes of the sockets that take an address's connections: its own before those of all addresses."""
    own = {inode for inode, (_, port) in sockets.items() if port == listener.port}
    exact = frozenset(inode for inode in own if sockets[inode][0] in listener.addresses)
    return exact or frozenset(inode for inode in own if sockets[inode][0] in _ANY)


class Lately(Generic[T]):
    """What a function gave, kept for a moment, for all threads."""

    def __init__(self, take: Callable[[], T]) -> None:
        self._take, self._lock = take, threading.Lock()
        self._kept: tuple[float, T] | None = None

    def now(self) -> T:
        """The value, not older than a moment."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > MOMENT_S:
                self._kept = time.monotonic(), self._take()
            return self._kept[1]


LISTENING = Lately(listening_sockets)
HOLDERS = Lately(holders)
