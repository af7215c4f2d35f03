"""A hidden mark is found where this program wrote it, and nowhere else."""

import pytest

from include.loadtest.publishing.github_text import code, plain
from include.loadtest.publishing.ticket_marks import event_mark, has_mark, ticket_mark

pytestmark = pytest.mark.unit


def test_marks_are_found_as_lines_only() -> None:
    """Also after GitHub's line ends; text that quotes a mark, escaped or as code, has none."""
    mark = ticket_mark("0123456789ab", 1)
    assert mark == "<!-- load-test-ticket: 0123456789ab -->"
    assert has_mark(f"{mark}\r\n\r\ntext", mark)
    assert not has_mark(f"{plain(mark, 100)}\n{code(mark, 100)}\n", mark)
    assert not has_mark(None, mark)
    assert not has_mark(ticket_mark("0123456789ab", 2), mark)
    assert event_mark("0123456789ab", "smoke-1") == "<!-- load-test-event: 0123456789ab smoke-1 -->"
