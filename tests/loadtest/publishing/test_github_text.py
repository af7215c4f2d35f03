"""Foreign text stays text on GitHub: no markup, link, mention, reference, HTML, password; and there is room for it."""

import re

import pytest
from markdown_it import MarkdownIt

from include.loadtest.publishing.github_text import bounded, code, harmless, link, plain

pytestmark = pytest.mark.unit
HOSTILE = (
    "@example/everyone @someone #12 GH-12 example/assistant#7 https://user:secret@example.org/issues/1 www.example.org "
    "<!-- load-test-comment --><img src=x onerror=alert(1)> [a](http://b) ![a](b) `code` **bold** ~~x~~ $x$ | cell\n# x"
)
_REACHES = re.compile(r"@\w|#\d|GH-\d|://|www\.\w", re.IGNORECASE)
TEXTS = (
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


@pytest.mark.parametrize("text", TEXTS)
def test_foreign_text_is_one_harmless_paragraph(text: str) -> None:
    """Rendered, it has no element but the paragraph, and nothing that GitHub makes live afterwards."""
    shown = rendered(plain(text, 300))
    assert re.findall(r"<[^>]*>", shown) == ["<p>", "</p>"]
    assert not LIVE.search(shown)


@pytest.mark.parametrize("text", TEXTS)
def test_foreign_text_stays_in_its_harmless(text: str) -> None:
    """A sign that separates cells does not, and nothing in the cell is marked up."""
    shown = rendered(f"| a | b |\n| --- | --- |\n| {harmless(text, 300)} | {code(text, 300)} |\n")
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


def test_nothing_in_a_hostile_text_is_live() -> None:
    """No mention, reference, address, HTML, image, emphasis or table cell, and no password."""
    text = harmless(HOSTILE, 600)
    assert not _REACHES.search(text)
    assert "secret" not in text
    shown = MarkdownIt("gfm-like", {"linkify": False}).render(f"| a |\n| --- |\n| {text} |\n")
    assert not re.search(r"<(?!/?(?:table|thead|tbody|tr|th|td)\b)", shown)
    assert shown.count("<td>") == 1
    assert "GH-" in text  # it is still to be read


def test_a_long_text_is_cut_with_a_sign() -> None:
    """To so many characters, also where there are 100,000."""
    assert harmless("word " * 20_000, 50).endswith("…")
    assert len(harmless("w" * 100_000, 50)) <= 50


def test_a_link_needs_an_address_of_the_web() -> None:
    """Anything else is left out; a password is not shown."""
    assert link("Run", "https://example.org/run?a=1&b=2") is not None
    assert "secret" not in str(link("Run", "https://user:secret@example.org/run"))
    for address in (None, "", "javascript:alert(1)", "https://a b", "https://a>b\n"):
        found = link("Run", address)
        assert found is None or "a>b" not in found


def test_what_has_no_room_is_left_out_and_that_is_said() -> None:
    """GitHub refuses a comment above 65,536 characters as a whole."""
    text = bounded(["line " + "x" * 100] * 2_000)
    assert len(text) <= 65_000
    assert text.endswith("… more stands in the report")
    assert bounded(["a", "b"]) == "a\nb"
