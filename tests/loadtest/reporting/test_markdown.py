"""Figures carry their unit, and foreign text cannot mark anything up."""

import pytest

from include.loadtest.reporting.markdown import cell, code, figure, moment, plain, section, table
from tests.loadtest.reporting.conftest import HOSTILE, ROW

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "ratio", "1.23 %"),
        (1234.5, "ms", "1,234 ms"),
        (3 * 2**20, "bytes", "3.0 MiB"),
        (600, "req/min", "600 req/min"),
        (None, "ms", "not measured"),
    ],
)
def test_figures_carry_their_unit(value, unit, text) -> None:
    """Ratios become per cent; nothing becomes zero."""
    assert figure(value, unit) == text


def test_a_lower_bound_is_shown_as_one() -> None:
    """≥ stands before it, and not before an exact value."""
    assert cell(ROW | {"value": 30.0, "unit": "s", "lower_bound": True}) == "≥ 30 s"
    assert cell(ROW | {"value": 30.0, "unit": "s", "lower_bound": False}) == "30 s"
    assert cell(None) == "not measured"


def test_foreign_text_is_one_harmless_line() -> None:
    """No markup, no table break, no mention, bounded."""
    assert len(plain("x" * 10_000)) == 300
    shown = plain(HOSTILE + "\n# heading")
    assert "\n" not in shown
    assert "<" not in shown
    assert "@everyone" not in shown
    assert plain("_a_ __b__ peak_hours") == r"\_a\_ \_\_b\_\_ peak_hours"


def test_a_backslash_takes_no_escape_back() -> None:
    """A text that brings its own does not make a live link, a cell or an emphasis of what follows it."""
    assert plain(r"\[click](https://evil.example)") == r"\\\[click](https://evil.example)"
    assert plain(r"a\|b \_c \*d") == r"a\\\|b \\\_c \\\*d"


def test_text_as_code_cannot_leave_it() -> None:
    """A path keeps its underscores; backticks and line breaks go."""
    assert code("/results/peak_hours-1") == "`/results/peak_hours-1`"
    assert code("a`b\n|c") == "`a'b /c`"


def test_times_are_utc_and_absent_ones_are_said() -> None:
    """Another zone is converted; text that is no time is shown harmlessly."""
    assert moment("2026-11-24T21:15:01.5+01:00") == "2026-11-24 20:15:01 UTC"
    assert moment(None) == "–"
    assert "<" not in moment("<b>")


def test_a_section_without_content_is_not_there() -> None:
    """No heading above nothing."""
    assert section("Errors", table(("count",), [])) == ""
    assert section("Errors", "", "text").splitlines() == ["## Errors", "", "text"]
