"""A check that fails is named, and the others go on."""

import logging

import pytest

from include.loadtest.analysis.bottleneck.attempts import Attempts

pytestmark = pytest.mark.unit


def _broken() -> list[int]:
    raise ValueError("bad\x1b[31m line\nwith more " + "x" * 500)


def test_what_works_is_given_as_it_is() -> None:
    """Nothing has failed."""
    attempts = Attempts()
    assert attempts.listed("numbers", lambda: [1, 2]) == [1, 2]
    assert attempts.made("a number", lambda: 3, 0) == 3
    assert attempts.failed == []


def test_what_raises_is_named_in_printable_words(caplog: pytest.LogCaptureFixture) -> None:
    """With its trace in the log; what it should have given is replaced."""
    attempts = Attempts()
    with caplog.at_level(logging.ERROR, "loadtest.diagnosis"):
        assert attempts.listed("locks", _broken) == []
        assert attempts.made("cpu", _broken, [7]) == [7]
    assert [text.split(":")[0] for text in attempts.failed] == [
        "the check for locks failed",
        "the check for cpu failed",
    ]
    assert "ValueError: bad" in attempts.failed[0]
    assert attempts.failed[0].isprintable()
    assert len(attempts.failed[0]) < 200
    assert "Traceback" in caplog.text
