"""What comments, checks and issues on GitHub have in common: harmless text, links, and the room that there is."""

from collections.abc import Sequence

from include.loadtest.publishing.ticket_markdown import MAX_BODY_CHARS, cell, link
from include.loadtest.target.urls import without_passwords

__all__ = ["bounded", "harmless", "link"]
_LEFT_OUT = "\n\n… more stands in the report"


def harmless(value: object, limit: int = 300) -> str:
    """Text from anywhere within a line of our own: no markup, mention, reference, address, HTML or password.

    One line of at most `limit` characters.
    """
    return cell(without_passwords(str(value)[: 10 * limit]), limit)


def bounded(lines: Sequence[str]) -> str:
    """The lines as one text of at most 65,000 characters; what has no room is left out from its line on, and named."""
    text = "\n".join(lines)
    if len(text) <= MAX_BODY_CHARS:
        return text
    return text[: MAX_BODY_CHARS - len(_LEFT_OUT)].rpartition("\n")[0] + _LEFT_OUT
