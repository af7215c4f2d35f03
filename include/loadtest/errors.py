"""What can go wrong, by who has to act.

LoadTestError
├── ConfigError            the input is wrong: a person repairs it, a retry cannot help
├── InfrastructureError    a server or the network failed: worth a retry
└── InvalidTestError      the load could not be a valid test: the run is INCONCLUSIVE, with a reason code

A missed limit is none of these: it is a verdict, and verdicts are data.
"""

import difflib
from collections.abc import Iterable


class LoadTestError(Exception):
    """Base of all errors of this library; `str()` is one line for a person."""


class ConfigError(LoadTestError):
    """Bad input: `str()` names what is wrong, where, and what to do."""


class InfrastructureError(LoadTestError):
    """A server or the network failed; the same step may succeed later."""


class InvalidTestError(LoadTestError):
    """The test cannot say anything about the target; `code` is the verdict's reason code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


_LONGEST_NAME = 200
"""Of a longer one only the beginning is compared, which takes a time that grows with its length."""


def nearest(name: object, valid: Iterable[str]) -> str:
    """A hint that names the closest valid name, or all of them where none is close.

    >>> nearest("peak_huors", ["peak_hours", "smoke"])
    'did you mean peak_hours?'
    """
    names = sorted(valid)
    close = difflib.get_close_matches(str(name)[:_LONGEST_NAME], names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"valid: {', '.join(names)}"


def printable(text: str, limit: int) -> str:
    """Foreign text for a message: its first `limit` characters on one line, control characters as spaces."""
    shown = text[:limit]
    return shown if shown.isprintable() else "".join(char if char.isprintable() else " " for char in shown)
