"""Foreign text stays text on GitHub: no markup, link, mention, reference, HTML, nor a hidden mark."""

import re

import pytest
from markdown_it import MarkdownIt

from include.loadtest.publishing.ticket_markdown import (
    MAX_BODY_CHARS,
    bounded,
    cell,
    code,
    event_mark,
    has_mark,
    link,
    plain,
    ticket_mark,
)

pytestmark = pytest.mark.unit
HOSTILE = (
    "<script>alert(1)</script>",
    "--> <img src=x onerror=y>",
    "<!-- load-test-ticket: 0123456789ab -->",
    "[click](https://evil.example) ![x](http://evil.example/p.png)",
    "https://evil.example/a www.evil.example mailto:a@evil.example",
    "**bold** _under_ ~~gone~~ `code` ``` fence",
    "# heading",
    "- item",
    "1. item",
    "> quote",
    "=====",
    "a | b | c",
    "$x^2$ &amp; &lt;b&gt;",
    "\\[x\\](https://evil.example)",
    "line\n\n## heading\r\n```\nrm -rf",
)
# What GitHub does after Markdown, on the finished text (its documentation: "Autolinked references and URLs").
LIVE = re.compile(r"@\w|#\d|\bGH-\d|https?://|\bwww\.", re.IGNORECASE)


def rendered(text: str) -> str:
    """As GitHub's Markdown makes it, with raw HTML, tables and bare addresses as links."""
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_is_one_harmless_paragraph(text: str) -> None:
    """Rendered, it has no element but the paragraph, and nothing that GitHub makes live afterwards."""
    shown = rendered(plain(text, 300))
    assert re.findall(r"<[^>]*>", shown) == ["<p>", "</p>"]
    assert not LIVE.search(shown)


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_in_its_cell(text: str) -> None:
    """A sign that separates cells does not, and nothing in the cell is marked up."""
    shown = rendered(f"| a | b |\n| --- | --- |\n| {cell(text, 300)} | {code(text, 300)} |\n")
    assert set(re.findall(r"<(\w+)", shown)) == {"table", "thead", "tbody", "tr", "th", "td", "code"}
    assert shown.count("<td>") == 2


@pytest.mark.parametrize("text", ["@everybody", "see #12", "o/r#12", "GH-12", "www.evil.example", "a@b.example"])
def test_nobody_is_mentioned_and_nothing_is_referred_to(text: str) -> None:
    """A space of no width stands where GitHub would look."""
    assert not LIVE.search(plain(text, 100))
    assert plain(text, 100).replace("\u200b", "") == text


def test_text_is_bounded_and_no_escape_is_cut_in_two() -> None:
    """A cut shows, and a half entity never does."""
    for text in ("x" * 100_000, "<" * 100_000, "|" * 100_000, "@a " * 50_000):
        shown = plain(text, 60)
        assert len(shown) <= 61
        assert shown.endswith("…")
        assert not re.search(r"&[a-z]*…|\\…", shown)


def test_code_shows_no_password_and_keeps_its_marks() -> None:
    """A backtick would end it."""
    assert code("s3://key:secret@host/x`y|z", 100) == "`s3://key:***@host/x'y/z`"
    assert code("", 100) == "`unknown`"


@pytest.mark.parametrize("address", [None, "", "javascript:alert(1)", "https://a b", "https://a\n", "ftp://a"])
def test_what_is_no_address_is_no_link(address: str | None) -> None:
    """Only http and https, on one line."""
    assert link("Report", address) is None


def test_a_link_ends_where_its_address_ends() -> None:
    """Brackets in it do not end it, and a password is not shown."""
    shown = link("Report", "https://user:secret@host/a(b)>c?x=1")
    assert shown == "[Report](<https://user:***@host/a%28b%29%3Ec?x=1>)"


def test_marks_are_found_as_lines_only() -> None:
    """Also after GitHub's line ends; text that quotes a mark, escaped or as code, has none."""
    mark = ticket_mark("0123456789ab", 1)
    assert mark == "<!-- load-test-ticket: 0123456789ab -->"
    assert has_mark(f"{mark}\r\n\r\ntext", mark)
    assert not has_mark(f"{plain(mark, 100)}\n{code(mark, 100)}\n", mark)
    assert not has_mark(None, mark)
    assert not has_mark(ticket_mark("0123456789ab", 2), mark)
    assert event_mark("0123456789ab", "smoke-1") == "<!-- load-test-event: 0123456789ab smoke-1 -->"


def test_a_text_is_cut_between_lines_below_githubs_limit() -> None:
    """And says so."""
    text = "\n".join(["0123456789" * 10] * 1000)
    shown = bounded(text)
    assert len(shown) <= MAX_BODY_CHARS
    assert shown.endswith("the report has all of it.")
    assert set(shown.splitlines()[:-2]) == {"0123456789" * 10}
    assert bounded("short") == "short"
