"""Hints."""

import pytest

from include.loadtest.errors import nearest

pytestmark = pytest.mark.unit


def test_the_nearest_name_or_all_names() -> None:
    """A close name is suggested; otherwise the valid ones are listed."""
    assert nearest("peak_huors", ["peak_hours", "smoke"]) == "did you mean peak_hours?"
    assert nearest("zzz", ["b", "a"]) == "valid: a, b"
