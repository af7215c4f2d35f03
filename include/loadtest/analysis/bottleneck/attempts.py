"""One check that fails takes no other with it: it is named, and nothing is concluded from it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from include.loadtest.errors import printable

LOG = logging.getLogger("loadtest.diagnosis")
_MAX_TEXT_CHARS = 120
T = TypeVar("T")


@dataclass
class Attempts:
    """Runs checks; `failed` has a text for each that raised, as it stands under what was not measured."""

    failed: list[str] = field(default_factory=list)

    def made(self, what: str, work: Callable[[], T], otherwise: T) -> T:
        """What the work gives, or else `otherwise`: a bundle may be odd in ways that nobody foresaw."""
        try:
            return work()
        except Exception as error:
            LOG.exception("the check for %s failed", what)
            said = printable(f"{type(error).__name__}: {error}", _MAX_TEXT_CHARS)
            self.failed.append(f"the check for {what} failed: {said}")
            return otherwise

    def listed(self, what: str, work: Callable[[], list[T]]) -> list[T]:
        """What the work gives, or else nothing."""
        nothing: list[T] = []
        return self.made(what, work, nothing)
