"""Text from anywhere as harmless GitHub Markdown, and the hidden marks by which issues and comments are found again.

GitHub renders more than Markdown: a name after @ is told, a number after # is linked there and here, an address
becomes a link, $…$ a formula. An escape does not stop the first three, since they work on the finished text: a space of
no width does.
"""

import re

from include.loadtest.errors import printable
from include.loadtest.publishing.message_parts import cut, without_password

MAX_BODY_CHARS = 65_000
"""GitHub takes 65,536."""
_SPACE = "\u200b"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = frozenset("\\`*[]|~$!")
_AT_START = re.compile(r"^(#|[-+=]|\d+(?=[.)]))")
_LIVE = re.compile(r"(@|#(?=\d)|:(?=//)|\b(?:GH-(?=\d)|www(?=\.)))", re.IGNORECASE)
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore inside of a word marks nothing up."""


def plain(text: object, limit: int) -> str:
    """One line of text in which nothing is markup, link, mention or reference; at most `limit` characters."""
    return _AT_START.sub(rf"{_SPACE}\1", cell(text, limit))


def cell(text: object, limit: int) -> str:
    """The same for the cell of a table, where no line begins."""
    line = " ".join(printable(str(text), 10 * limit).split())[: limit + 1]
    line = _LIVE.sub(rf"\1{_SPACE}", line)
    marks = {found.start() for found in _EMPHASIS.finditer(line)}
    return cut([_escaped(char, is_markup=place in marks) for place, char in enumerate(line)], limit)


def _escaped(char: str, *, is_markup: bool) -> str:
    return _ENTITIES.get(char, f"\\{char}" if is_markup or char in _MARKUP else char)


def code(text: object, limit: int) -> str:
    """The same between code marks, so that it can be copied; no backtick in it, and no end of a table's cell."""
    line = " ".join(printable(without_password(str(text)), limit).split())
    return f"`{line.replace('`', chr(39)).replace('|', '/') or 'unknown'}`"


def link(words: str, address: str | None) -> str | None:
    """A link with these words of our own; None where the address is none."""
    shown = without_password(address or "")
    if not re.fullmatch(r"https?://[!-~]{1,2048}", shown):
        return None
    for char, safe in (("(", "%28"), (")", "%29"), ("<", "%3C"), (">", "%3E"), ("\\", "%5C")):
        shown = shown.replace(char, safe)
    return f"[{words}](<{shown}>)"


def ticket_mark(fingerprint: str, generation: int) -> str:
    """The hidden first line of an issue's text; a later issue of the same problem has its number of issue in it."""
    later = f" {generation}" if generation > 1 else ""
    return f"<!-- load-test-ticket: {fingerprint}{later} -->"


def event_mark(fingerprint: str, run_id: str) -> str:
    """The hidden first line of a comment."""
    return f"<!-- load-test-event: {fingerprint} {run_id} -->"


def has_mark(text: str | None, mark: str) -> bool:
    """Whether a line of it is the mark; foreign text never makes such a line."""
    return any(line.strip() == mark for line in (text or "").splitlines())


def bounded(text: str) -> str:
    """The text within GitHub's limit, cut between lines."""
    if len(text) <= MAX_BODY_CHARS:
        return text
    note = "\n\n… cut: GitHub takes no more; the report has all of it."
    return text[: text.rfind("\n", 0, MAX_BODY_CHARS - len(note))] + note
