"""What the change test says of a run."""

import random

import pytest

from include.loadtest.analysis.document import RANK, change_document, combined
from include.loadtest.analysis.ruling import Ruling, Word, rule
from tests.helpers.made_runs import SETTINGS, STALL_LIMIT_S, made_run, made_runs

pytestmark = pytest.mark.unit


def test_every_word_has_its_rank() -> None:
    """A new word must say what it outranks."""
    assert set(RANK) == set(Word)


def test_a_slow_host_outranks_a_change_and_a_change_outranks_no_change() -> None:
    """Of two baselines the worse word counts, with the baseline's name."""
    ok, worse = Ruling(Word.OK, "no change"), Ruling(Word.REGRESSION, "slower")
    assert combined({"recent": ok, "pinned": worse}) == (Word.REGRESSION, "slower (baseline: the pinned runs)")
    few = Ruling(Word.NOT_ENOUGH_RUNS, "1 of 8 runs is there")
    assert combined({"recent": few}) == (Word.NOT_ENOUGH_RUNS, "1 of 8 runs is there")
    assert combined({"recent": Ruling(Word.HOST_NOISE, "slow host"), "pinned": worse})[0] is Word.HOST_NOISE


def test_the_document_has_what_a_report_shows() -> None:
    """Findings of each baseline with their intervals, and the sensitivity of the series."""
    new = made_run("n", random.Random(3), factors={"endpoint:chat": 1.3})
    runs = made_runs(12, 1)
    ruling = rule(runs, [new], SETTINGS, STALL_LIMIT_S)
    document = change_document({"recent": ruling}, {"recent": [run.run_id for run in runs]}, SETTINGS)
    assert document["word"] == "SUSPECTED"
    assert document["against"]["recent"]["runs"][0] == "run-0"
    chat = [one for one in document["against"]["recent"]["findings"] if one["scope"] == "endpoint:chat"]
    assert all(one["ci_low"] < one["change"] < one["ci_high"] for one in chat)
    assert {one["direction"] for one in chat} == {"worse"}
    assert all(one["suspected"] > 0 for one in document["sensitivity"])
