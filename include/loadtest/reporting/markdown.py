"""Figures, tables and foreign text as Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.loadtest.doc_pages import page_address, page_path
from include.loadtest.errors import printable
from include.loadtest.verdict import NOT_MEASURED, figure

__all__ = [
    "MAX_TEXT_CHARS",
    "NOT_MEASURED",
    "bullets",
    "cell",
    "code",
    "figure",
    "interval",
    "moment",
    "page_link",
    "plain",
    "plain_words",
    "section",
    "table",
]

MAX_TEXT_CHARS = 300
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
"""An underscore inside of a word marks nothing up."""


def section(title: str, *parts: str) -> str:
    """A section of the parts that say something, a blank line between them; empty without any."""
    body = [part for part in parts if part]
    return "\n\n".join([f"## {title}", *body]) if body else ""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty without rows."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *body]) if body else ""


def bullets(lines: Iterable[str]) -> str:
    """A list; empty without lines."""
    return "\n".join(f"- {line}" for line in lines)


def cell(row: Mapping[str, Any] | None) -> str:
    """The value of a row of metrics.json; a lower bound as ≥."""
    if row is None or row["value"] is None:
        return NOT_MEASURED
    return ("≥ " if row.get("lower_bound") else "") + figure(row["value"], row["unit"])


def interval(row: Mapping[str, Any]) -> str:
    """The 95 % interval of a figure; an open end where the data allow no bound."""
    low, high = row["ci_low"], row["ci_high"]
    if low is None and high is None:
        return "–"
    ends = [figure(end, row["unit"]) if end is not None else "…" for end in (low, high)]
    return " – ".join(ends)


def moment(text: str | None) -> str:
    """A time of a bundle (ISO 8601) to the second, in UTC; – for none."""
    if not text:
        return "–"
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return plain(text)


def code(text: str) -> str:
    """Text as code, in which nothing is markup: one line, no backtick, no table break, at most 300 characters."""
    return "`" + _printable(text).replace("`", "'").replace("|", "/") + "`"


def page_link(dag_run: str | None, page: str) -> str:
    """A page below `docs/` as a link into Airflow, or its file where Airflow's address is not known."""
    address = page_address(dag_run, page)
    return f"`{page_path(page)}`" if address is None else f"[{page_path(page)}](<{address}>)"


def plain(text: str) -> str:
    """Text from anywhere, harmless in Markdown: one line, no markup, no table break, at most 300 characters."""
    escaped = _printable(text).replace("\\", "\\\\")  # first: else it would take back an escape that follows
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
    escaped = escaped.replace("[", "\\[").replace("*", "\\*").replace("!", "\\!").replace("@", "@\u200b")
    return _EMPHASIS.sub(r"\_", escaped)


def plain_words(text: str) -> str:
    """`plain` for a text of several sentences, which may be longer than a foreign one."""
    return "".join(plain(text[start : start + 300]) for start in range(0, len(text), 300))


def _printable(text: str) -> str:
    return printable(text, MAX_TEXT_CHARS)
