"""The change test in the summary."""

import random

import pytest

from include.loadtest.analysis.document import change_document
from include.loadtest.analysis.ruling import rule
from include.loadtest.reporting.change import change_section
from tests.helpers.made_runs import SETTINGS, STALL_LIMIT_S, made_run, made_runs

pytestmark = pytest.mark.unit


def _comparison(count: int, factor: float):  # type: ignore[no-untyped-def]
    runs = made_runs(count, 1)
    new = made_run("n", random.Random(3), factors={"endpoint:chat": factor})
    ruling = rule(runs, [new], SETTINGS, STALL_LIMIT_S)
    return {"change_test": change_document({"recent": ruling}, {"recent": [run.run_id for run in runs]}, SETTINGS)}


def test_the_word_comes_first_then_figures_and_what_could_have_been_found() -> None:
    """A suspicion shows endpoint, change and interval; the table says how small a change is seen at all."""
    text = change_section(_comparison(12, 1.3))
    assert text.startswith("## Slower or faster than before?\n\n**🟡 suspected of being slower, to be repeated**")
    assert "against the latest comparable runs (12 runs, `run-0` to `run-11`)" in text
    assert "| the latest comparable runs | chat | body (P10 to P90) | +28.2 %" in text
    assert "Smallest change that these runs find four times out of five:" in text
    assert "runs needed for 10 %" in text


def test_too_few_runs_say_so_without_tables() -> None:
    """Nothing is invented."""
    text = change_section(_comparison(3, 1.3))
    assert "not enough comparable runs" in text
    assert "|" not in text


def test_a_run_that_was_not_tested_has_no_section() -> None:
    """Not valid, or of an earlier release."""
    assert change_section(None) == ""
    assert change_section({"previous_run_id": None}) == ""
