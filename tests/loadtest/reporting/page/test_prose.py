"""Sections of the summary as HTML: figures stand right, links leave safely, nothing foreign is markup."""

import pytest

from include.loadtest.reporting.markdown import plain, section, table
from include.loadtest.reporting.page.prose import prose
from tests.loadtest.reporting.conftest import HOSTILE

pytestmark = pytest.mark.unit


def test_the_title_is_left_out_and_an_empty_section_is_none() -> None:
    """The page has titles of its own."""
    body = prose(section("Limits", "All held."))
    assert body is not None
    assert body.strip() == "<p>All held.</p>"
    assert prose("") is None
    assert prose("## Limits") is None


def test_columns_of_figures_stand_right_and_others_do_not() -> None:
    """With the header above them; a table scrolls by itself."""
    body = prose(section("x", table(("of", "value", "n"), [("all", "≥ 4,100 ms", "12"), ("one", "not measured", "–")])))
    assert body is not None
    assert '<div class="scroll"><table>' in body
    assert body.count('class="number"') == 6
    assert "<td>all</td>" in body


def test_links_open_beside_the_report() -> None:
    """Without telling where they came from."""
    body = prose("See [the page](https://example.org/x).")
    assert body is not None
    assert '<a href="https://example.org/x" target="_blank" rel="noopener noreferrer">' in body


def test_foreign_text_is_text() -> None:
    """No element, no link, no image of it."""
    body = prose(section("x", plain(HOSTILE), "![a](http://evil)"))
    assert body is not None
    assert "<script" not in body
    assert "<img" not in body
    assert 'href="http://evil)' not in body
