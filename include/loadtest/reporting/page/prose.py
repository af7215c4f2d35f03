"""Sections of the Markdown summary as HTML: what both say is written once, there."""

import re
from functools import cache
from typing import Any

from markupsafe import Markup

_NUMBER = re.compile(r"[–+≥≤≈<> -]*[\d.,]+( ?(%|ms|s|MiB|req/min|EUR|[a-zA-Z/]+))?( \(n=[\d,]+\))?|–|not measured")
"""What a column of figures is made of."""
_SCROLL = re.compile(r"<table>.*?</table>", re.DOTALL)


def prose(markdown: str) -> Markup | None:
    """The body of a section without its title; None for an empty one.

    Raw HTML and images are off, and every cell is text that `markdown.plain` has made harmless before.
    """
    _, _, body = markdown.partition("\n") if markdown.startswith("## ") else ("", "", markdown)
    if not body.strip():
        return None
    html = _parser().renderer.render(_marked(_parser().parse(body)), _parser().options, {})
    return Markup(_SCROLL.sub(lambda found: f'<div class="scroll">{found[0]}</div>', html))  # noqa: S704 - see above


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def _marked(tokens: list[Any]) -> list[Any]:
    """Columns of figures stand right; links open beside the report, and do not tell where they came from."""
    for table in _tables(tokens):
        rows = _rows(table)
        for column in range(max(map(len, rows), default=0)):
            cells = [row[column] for row in rows if column < len(row)]
            if len(cells) > 1 and all(_NUMBER.fullmatch(text.strip()) for _, text in cells[1:]):
                for opening, _ in cells:
                    opening.attrJoin("class", "number")
    for token in tokens:
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("target", "_blank")
                child.attrSet("rel", "noopener noreferrer")
    return tokens


def _tables(tokens: list[Any]) -> list[list[Any]]:
    starts = [place for place, token in enumerate(tokens) if token.type == "table_open"]
    ends = [place for place, token in enumerate(tokens) if token.type == "table_close"]
    return [tokens[start:end] for start, end in zip(starts, ends, strict=True)]


def _rows(table: list[Any]) -> list[list[tuple[Any, str]]]:
    """Of each row the opening tokens of its cells, with their text."""
    rows: list[list[tuple[Any, str]]] = []
    for place, token in enumerate(table):
        if token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append((token, table[place + 1].content))
    return rows
