"""Statements and keys without the values in them, which may be personal data."""

import re

from include.loadtest.errors import printable
from include.loadtest.observations import MAX_TEXT_CHARS

HIDDEN = "<insufficient privilege>"
LONGEST_STATEMENT = 10_000
_VALUES = re.compile(
    r"""
      (?P<comment> /\*.*?(?:\*/|\Z) | --[^\n]*)
    | (?P<name> "(?:[^"]|"")*" | \$\d+ | [^\W\d]\w*(?!\w|'|&') )
    | (?P<value> \$(?P<tag>(?:[^\W\d]\w*)?)\$ .*? (?:\$(?P=tag)\$|\Z)
        | (?:(?<!\w)[eE]'(?:[^'\\]|''|\\.)*|(?:(?<!\w)(?:[uU]&|[bBxXnN]))?'(?:[^']|'')*)(?:'|\Z)
        | (?:\d[\w.]*|\.\d[\w.]*)(?:(?<=[eE])[-+]\d+)?
      )
    """,
    re.VERBOSE | re.DOTALL,
)
"""Comments, names and parameters, values; a text that was cut may end within any of them."""


def without_values(statement: str | None) -> str | None:
    """A statement for people: on one line, without comments, with `?` in place of texts and numbers.

    None where there is none, or the role may not see it.

    >>> without_values("UPDATE a SET note = 'it''s' WHERE id = 12 AND kind = $1")
    'UPDATE a SET note = ? WHERE id = ? AND kind = $1'
    """
    if statement is None or statement == HIDDEN:
        return None
    masked = _VALUES.sub(_masked, statement[:LONGEST_STATEMENT])
    return printable(" ".join(masked.split()), MAX_TEXT_CHARS)


def _masked(found: re.Match[str]) -> str:
    if found["value"] is not None:
        return "?"
    return " " if found["comment"] is not None else found[0]
