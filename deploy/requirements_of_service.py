"""Prints the locked lines, with hashes, of what runs in service; with names as arguments: of those packages.

What stands below "# Checks and tests." in requirements.in is left out, and so is what only that needs: the installer
takes the rest from requirements.txt, given as constraints.
"""

import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

TESTS_BELOW = "# Checks and tests."


def names_in_service(lines: Iterable[str]) -> set[str]:
    """The packages that requirements.in names above the tests' part."""
    names = set()
    for line in lines:
        if line.startswith(TESTS_BELOW):
            return names
        if line.strip() and not line.startswith("#"):
            names.add(name_of(line))
    raise ValueError(f"requirements.in has no line {TESTS_BELOW!r}")


def name_of(line: str) -> str:
    """The package of a line, in lower case."""
    return re.split(r"[=<>;\[ ]", line.strip())[0].lower()


def locked(lines: Iterable[str], names: Collection[str]) -> Iterator[str]:
    """The lines of requirements.txt that belong to the packages."""
    wanted = False
    for line in lines:
        if line[:1].isalnum():
            wanted = name_of(line) in names
        if wanted and not line.strip().startswith("#"):
            yield line


if __name__ == "__main__":
    with Path("requirements.in").open() as top, Path("requirements.txt").open() as lock:
        chosen = set(sys.argv[1:]) or names_in_service(top)
        sys.stdout.writelines(locked(lock, chosen))
