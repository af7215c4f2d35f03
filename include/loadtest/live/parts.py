"""The names of the parts that have been closed in a folder, each once, without listing thousands of known ones anew."""

import itertools
import os
import re
from collections.abc import Iterator
from pathlib import Path

FEW = 500
"""Of so many names the whole folder is listed: that takes 0.3 ms."""
LIST_EVERY = 10
"""Of more at every tenth look: a listing of 14,400 takes 8 ms of CPU, to ask for the next of three writers 0.02 ms."""
_NAME = re.compile(r"(.+)-(\d{6,})\.parquet")


class PartNames:
    """Parts are numbered by their writer (see `recorder.PartWriter`), so the next name of each is known.

    What comes out of turn, a new writer or a part that was written late, is found by the next listing.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._known: set[str] = set()
        self._next: dict[str, int] = {}
        self._looks = 0

    def new(self) -> Iterator[str]:
        """Names that were not told before, sorted; a folder that is not there yet has none.

        Where the caller stops, what it has not taken is told again.
        """
        is_listed = len(self._known) < FEW or self._looks % LIST_EVERY == 0
        self._looks += 1
        for name in sorted(self._listed() if is_listed else self._following()):
            self._remember(name)
            yield name

    def _listed(self) -> list[str]:
        if not self._directory.is_dir():
            return []
        with os.scandir(self._directory) as entries:
            names = {entry.name for entry in entries}
        return [name for name in names - self._known if name.endswith(".parquet")]

    def _following(self) -> list[str]:
        found = []
        for writer, first in self._next.items():
            for number in itertools.count(first):
                name = f"{writer}-{number:06d}.parquet"
                if not (self._directory / name).exists():
                    break
                found.append(name)
        return found

    def _remember(self, name: str) -> None:
        self._known.add(name)
        if match := _NAME.fullmatch(name):
            self._next[match[1]] = max(self._next.get(match[1], 0), int(match[2]) + 1)
