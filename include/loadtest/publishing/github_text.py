"""Text from anywhere as harmless GitHub Markdown, links, and the room that an issue or a comment has.

GitHub renders more than Markdown: a name after @ is told, a number after # is linked there and here, an address
becomes a link, $…$ a formula. An escape does not stop the first three, since they work on the finished text: a space of
no width does.
"""

import re
from collections.abc import Sequence

from include.loadtest.doc_pages import page_address, page_path
from include.loadtest.publishing.foreign_text import cut, one_line
from include.loadtest.target.urls import without_passwords

MAX_BODY_CHARS = 65_000
"""GitHub takes 65,536."""
_LEFT_OUT = "\n\n… more stands in the report"
_SPACE = "\u200b"
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_MARKUP = frozenset("\\`*[]|~$!")
_AT_START = re.compile(r"^(#|[-+=]|\d+(?=[.)]))")
_LIVE = re.compile(r"(@|#(?=\d)|:(?=//)|\b(?:GH-(?=\d)|www(?=\.)))", re.IGNORECASE)
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore inside of a word marks nothing up."""


def harmless(value: object, limit: int = 300) -> str:
    """Text from anywhere within a line or a table's cell of our own: no markup, mention, reference, address, HTML.

    Nor a password. One line of at most `limit` characters.
    """
    line = _LIVE.sub(rf"\1{_SPACE}", one_line(value, limit))
    marks = {found.start() for found in _EMPHASIS.finditer(line)}
    return cut([_escaped(char, is_markup=place in marks) for place, char in enumerate(line)], limit)


def plain(value: object, limit: int) -> str:
    """The same where a line of Markdown may begin."""
    return _AT_START.sub(rf"{_SPACE}\1", harmless(value, limit))


def _escaped(char: str, *, is_markup: bool) -> str:
    return _ENTITIES.get(char, f"\\{char}" if is_markup or char in _MARKUP else char)


def code(value: object, limit: int = 300) -> str:
    """The same between code marks, so that it can be copied; no backtick in it, and no end of a table's cell."""
    line = one_line(value, limit).replace("`", "'").replace("|", "/")
    return f"`{cut(list(line), limit) or 'unknown'}`"


def link(words: str, address: str | None) -> str | None:
    """A link with these words of our own; None where the address is none."""
    shown = without_passwords(address or "")
    if not re.fullmatch(r"https?://[!-~]{1,2048}", shown):
        return None
    for char, safe in (("(", "%28"), (")", "%29"), ("<", "%3C"), (">", "%3E"), ("\\", "%5C")):
        shown = shown.replace(char, safe)
    return f"[{words}](<{shown}>)"


def page_words(dag_run: str | None, page: str) -> str:
    """A page below `docs/` as a link into Airflow, or its file where Airflow's address is not known."""
    return link(page_path(page), page_address(dag_run, page)) or code(page_path(page))


def bounded(lines: Sequence[str]) -> str:
    """The lines as one text of at most 65,000 characters; what has no room is left out from its line on, and named."""
    text = "\n".join(lines)
    if len(text) <= MAX_BODY_CHARS:
        return text
    return text[: MAX_BODY_CHARS - len(_LEFT_OUT)].rpartition("\n")[0] + _LEFT_OUT
