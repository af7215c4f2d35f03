"""Text for GitHub: nothing of it reaches anybody, and there is room for it."""

import re

import pytest
from markdown_it import MarkdownIt

from include.loadtest.publishing.github_text import bounded, harmless, link

pytestmark = pytest.mark.unit
HOSTILE = (
    "@example/everyone @someone #12 GH-12 example/assistant#7 https://user:secret@example.org/issues/1 www.example.org "
    "<!-- load-test-comment --><img src=x onerror=alert(1)> [a](http://b) ![a](b) `code` **bold** ~~x~~ $x$ | cell\n# x"
)
_REACHES = re.compile(r"@\w|#\d|GH-\d|://|www\.\w", re.IGNORECASE)


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
