"""Reads what is added to a log of the target: which lines speak of its end, or of a new start.

A line may hold passwords, questions and names of people, in any form: nothing of it is kept but the words that are
looked for, and the name of a process as the kernel writes it.
"""

import errno
import re
import stat
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from include.loadtest.collectors.reader import ReadingError

MAX_BYTES_A_READING = 1024 * 1024
"""Of what is added between two readings; of more, the last part is read."""
MAX_LINES_A_READING = 50
WORDS = re.compile(
    rb"oom[-_ ]?kill|\boom\b|out of memory|memoryerror|\bkill(ed|ing)?\b|sig(kill|segv|abrt|term)|segfault|"
    rb"\bcrash|\bpanic\b|core dumped|\brestart|worker (timeout|exiting|failed)|shutting down|booting worker",
    re.IGNORECASE,
)
_KILLED = re.compile(rb"\bkilled process \d{1,10},? \((?!\S*\d{5})([a-z][\w.:-]{0,14})\)", re.IGNORECASE)
"""As the kernel writes it; a name has 15 characters at most."""


class LogReader:
    """No readings; lines are observations of kind `target_log`. What was there before the start is not read."""

    source = "target_log"

    def __init__(self, path: Path, instance: str) -> None:
        self.instance, self._path = instance, path
        self._place: tuple[int, int] | None = None
        self._lines: list[dict[str, str | None]] = []
        self._has_begun = False

    def read(self) -> Mapping[str, float]:
        """Look at what was added. Raises ReadingError where the file cannot be read."""
        try:
            added = self._added()
        except OSError as error:
            raise ReadingError(f"the log cannot be read: {error.strerror}") from error
        found = (line for line in added.splitlines() if WORDS.search(line))
        self._lines += [_observation(line) for line in islice(found, MAX_LINES_A_READING)]
        return {}

    def _added(self) -> bytes:
        """Whole lines since the last reading; a file that was replaced or cut is read from its start."""
        status = self._path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe or a device would never end
            raise OSError(errno.EINVAL, "it is no file")
        with self._path.open("rb") as log:
            if not self._has_begun:
                self._has_begun, self._place = True, (status.st_ino, status.st_size)
                return b""
            inode, begin = self._place or (status.st_ino, 0)
            if inode != status.st_ino or status.st_size < begin:
                begin = 0
            begin = max(begin, status.st_size - MAX_BYTES_A_READING)
            log.seek(begin)
            text = log.read(MAX_BYTES_A_READING)
        whole = text[: text.rfind(b"\n") + 1]
        self._place = status.st_ino, begin + len(whole)
        return whole

    def observations(self) -> Sequence[Mapping[str, Any]]:
        """The lines since the last call."""
        lines, self._lines = self._lines, []
        return lines

    def close(self) -> None:
        """Nothing is held."""


def _observation(line: bytes) -> dict[str, str | None]:
    words = dict.fromkeys(found[0].decode("ascii").lower() for found in WORDS.finditer(line))
    killed = _KILLED.search(line)
    process = killed[1].decode("ascii") if killed else None
    return {"kind": "target_log", "words": ", ".join(words), "process": process}
