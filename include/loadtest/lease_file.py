"""The target's lease as the load generator sees it: a small private file that says until when load may be sent.

The process that watches the load writes it, each time that it has renewed the lease in the history database; the
generator, which reaches no database, reads it. Its clock is one for all processes of the machine, runs on while they
are stopped, and cannot be set: so a generator that was held up between a check and its first request finds out.
"""

import json
import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux' clock that counts a suspended machine too; macOS counts that in CLOCK_MONOTONIC."""


@dataclass(frozen=True)
class Lease:
    """Until when load may be sent, in seconds of `now_s`; `lost` says why none may, if that is known."""

    token: int | None
    until_s: float
    lost: str | None = None


def now_s() -> float:
    """Seconds since the machine's start."""
    return time.clock_gettime(_CLOCK)


def write_lease(path: Path, lease: Lease) -> None:
    """Write the file whole, for this user only. Raises FileNotFoundError where its folder is gone."""
    content = {"token": lease.token, "until_s": lease.until_s, "lost": lease.lost}
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    temporary.replace(path)


def read_lease(path: Path) -> Lease:
    """What the file says; one that is gone or no lease allows nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Lease(int(content["token"]), float(content["until_s"]), content.get("lost"))
    except FileNotFoundError:
        return Lease(None, 0.0, "it was given up")
    except (OSError, ValueError, KeyError, TypeError) as error:
        return Lease(None, 0.0, f"its file cannot be read ({type(error).__name__})")


def why_not(lease: Lease) -> str | None:
    """Why no load may be sent now; None: it may."""
    if lease.lost is not None:
        return f"the lease of the target was lost: {lease.lost}"
    late_s = now_s() - lease.until_s
    if late_s >= 0:
        return f"the lease of the target (token {lease.token}) ended {late_s:.1f} s ago and was not renewed"
    return None


class LeaseGuard:
    """Asks the lease file at `path` for a generator; None: a load that needs no lease, as its target is its own."""

    CODE = "target_locked"
    """Reason code of a load that the guard ended."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._until_s = 0.0 if path else math.inf

    def holds(self) -> bool:
        """Whether a request may be sent now: a look at the clock, and at the file only where its time seems over."""
        return now_s() < self._until_s or self.check() is None

    def check(self) -> str | None:
        """Read the file anew, as once a second is due; why the load has to end, None while it may go on."""
        if self._path is None:
            return None
        lease = read_lease(self._path)
        text = why_not(lease)
        self._until_s = lease.until_s if text is None else 0.0
        return text
