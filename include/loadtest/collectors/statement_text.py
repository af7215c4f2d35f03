"""Statements and keys without the values in them, which may be personal data."""

import re

from include.loadtest.errors import printable
from include.loadtest.observations import MAX_TEXT_CHARS

HIDDEN = "<insufficient privilege>"
LONGEST_STATEMENT = 10_000
_VALUES = re.compile(
    r"""
      (?P<comment> /\* | --[^\n]*)
    | (?P<name> "(?:[^"]|"")*" | \$\d+ | [^\W\d]\w*(?!\w|'|&') )
    | (?P<value> \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? (?:\$(?P=tag)\$|\Z)
        | (?<!\w)[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z)
        | (?:(?<!\w)(?:[uU]&|[bBxXnN]))?'(?:[^'\\]|''|\\[^'])*(?:'|\\?\Z|\\'.*)
        | (?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[-+]\d+)?
      )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Comments (of one that may hold others only the begin), names and parameters, values.

A text that was cut may end within any of them. Whether `\\'` ends a text depends on the session's
standard_conforming_strings: what follows is taken for a part of it.
"""
_COMMENT_EDGE = re.compile(r"/\*|\*/")


def without_values(statement: str | None) -> str | None:
    """A statement for people: on one line, without comments, with `?` in place of texts and numbers.

    None where there is none, or the role may not see it.

    >>> without_values("UPDATE a SET note = 'it''s' WHERE id = 12 AND kind = $1")
    'UPDATE a SET note = ? WHERE id = ? AND kind = $1'
    """
    if statement is None or statement == HIDDEN:
        return None
    text, parts, at = statement[:LONGEST_STATEMENT], [], 0
    while found := _VALUES.search(text, at):
        parts += [text[at : found.start()], _masked(found)]
        at = _end_of_comment(text, found.end()) if found["comment"] == "/*" else found.end()
    parts.append(text[at:])
    return printable(" ".join("".join(parts).split()), MAX_TEXT_CHARS)


def _masked(found: re.Match[str]) -> str:
    if found["value"] is not None:
        return "?"
    return " " if found["comment"] is not None else found[0]


def _end_of_comment(text: str, at: int) -> int:
    """Where a comment ends whose begin ends at `at`; those within it have to end first, as in PostgreSQL."""
    depth = 1
    while depth and (edge := _COMMENT_EDGE.search(text, at)):
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return len(text) if depth else at
