"""A claim and its line, and which experiments are wanted."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from include.loadtest.errors import ConfigError, nearest

Say = Callable[[str], None]
"""Takes a line of progress, for standard error."""


@dataclass(frozen=True)
class Claim:
    """What is claimed, what would show it, and what was measured."""

    name: str
    claim: str
    expected: str
    measured: str
    ok: bool

    def line(self) -> str:
        """`name | claim | expected | measured | ok`, or FAIL at its end."""
        fields = (self.name, self.claim, self.expected, self.measured)
        return " | ".join([*map(_field, fields), "ok" if self.ok else "FAIL"])


def _field(text: str) -> str:
    """On one line, and without the sign that separates fields."""
    return " ".join(text.split()).replace("|", "/")


Experiment = Callable[[Say], Iterator[Claim]]
"""Makes its claims one after the other; what it started is stopped when it ends, however it ends."""


def wanted(only: str, known: Iterable[str], default: Iterable[str]) -> list[str]:
    """The names in `only` (comma-separated), each once; the default ones for none. Raises ConfigError: unknown name."""
    names = list(known)
    chosen = list(dict.fromkeys(name.strip() for name in only.split(",") if name.strip()))
    for name in chosen:
        if name not in names:
            raise ConfigError(f"ONLY: unknown experiment {name!r}; {nearest(name, names)}")
    return chosen or list(default)


def run_program(main: Callable[[str], int]) -> NoReturn:
    """Leave with the exit code that `main` returns for ONLY; SIGTERM stops what it started too."""
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        sys.exit(main(os.environ.get("ONLY", "")))
    except KeyboardInterrupt:
        sys.exit(130)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Progress:
    """Lines on standard error, each with the time since the start."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()

    def __call__(self, text: str) -> None:
        """Say one line."""
        passed = int(time.monotonic() - self._began_s)
        sys.stderr.write(f"[{passed // 60:3d}:{passed % 60:02d}] {text}\n")
        sys.stderr.flush()
