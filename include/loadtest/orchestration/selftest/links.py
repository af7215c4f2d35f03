"""The links of the alarm chain, and the error that names a broken one."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from include.loadtest.errors import LoadTestError, printable

MAX_TEXT_CHARS = 600


class Link(StrEnum):
    """What an alarm passes on its way, in order."""

    RECORDING = "recording"
    VALIDATION = "validation"
    CHANGE_TEST = "change test"
    VERDICT = "verdict"
    OUTBOX = "outbox"
    SLACK = "Slack"
    ISSUE = "issue"
    CLOSING = "closing"


AFTER: Mapping[Link, Link] = {
    Link.VALIDATION: Link.RECORDING,
    Link.CHANGE_TEST: Link.RECORDING,
    Link.VERDICT: Link.RECORDING,
    Link.SLACK: Link.OUTBOX,
    Link.ISSUE: Link.OUTBOX,
    Link.CLOSING: Link.ISSUE,
}
"""What a link cannot be tested without; all else is tested whatever broke before."""


class BrokenLinkError(LoadTestError):
    """The chain is broken at `link`; `str()` names the link, what was found and what to do."""

    def __init__(self, link: Link, found: str, action: str) -> None:
        self.link = link
        super().__init__(f"broken link: {link}. {printable(found, MAX_TEXT_CHARS)}. What to do: {action}")


@contextmanager
def link(name: Link, action: str) -> Iterator[None]:
    """Whatever goes wrong in the block breaks this link. Only our own errors' texts are known to hold no secret."""
    try:
        yield
    except BrokenLinkError:
        raise
    except LoadTestError as error:
        raise BrokenLinkError(name, str(error).rstrip("."), action) from error
    except Exception as error:
        found = f"it was stopped by an unexpected {type(error).__name__}"
        raise BrokenLinkError(name, found, f"{action}; this task's log has the whole error") from error
