"""Recorded runs judged as the product would have."""

from pathlib import Path

import pytest

from include.loadtest.analysis.ruling import Word
from include.loadtest.backtest.recorded import History, RecordedRun
from include.loadtest.backtest.replay import judge_cases, judge_history, read_cases
from include.loadtest.errors import ConfigError
from tests.helpers.made_runs import SETTINGS, STALL_LIMIT_S, made_run, made_runs, made_series

pytestmark = pytest.mark.unit


def _series(values: list[float], *, higher_is_better: bool = False) -> dict[str, Word]:
    runs = made_series(values, higher_is_better=higher_is_better)
    history = History({run.run_id: RecordedRun(run) for run in runs}, {"s": [run.run_id for run in runs]})
    return {answer.case: answer.word for answer in judge_history(history, SETTINGS, STALL_LIMIT_S)}


def test_a_step_in_a_series_is_called_once_when_its_repeats_are_there() -> None:
    """Two runs after the first slow one; from there on the new level is normal."""
    quiet = [100.0 + n % 3 for n in range(20)]
    words = _series([*quiet, *(130.0 + n % 3 for n in range(20))])
    called = [case for case, word in words.items() if word is Word.REGRESSION]
    assert called == [f"s:{20 + SETTINGS.confirmations}"]
    assert Word.IMPROVEMENT not in words.values()
    better = _series([*quiet, *(130.0 + n % 3 for n in range(20))], higher_is_better=True)
    assert [word for word in better.values() if word is not Word.OK and word is not Word.NOT_ENOUGH_RUNS] == [
        Word.IMPROVEMENT
    ]


def test_a_spike_in_a_series_is_no_change() -> None:
    """One run, three times as slow."""
    quiet = [100.0 + n % 3 for n in range(20)]
    assert set(_series([*quiet, 300.0, *quiet]).values()) == {Word.OK, Word.NOT_ENOUGH_RUNS}


def test_the_answer_does_not_depend_on_what_comes_later() -> None:
    """A prefix of a series gives the same answers."""
    values = [100.0 + n % 3 for n in range(15)] + [140.0] * 10
    whole, prefix = _series(values), _series(values[:18])
    assert {case: whole[case] for case in prefix} == prefix


def test_runs_are_judged_against_earlier_comparable_valid_ones() -> None:
    """Another key and a breached run are no measure; a run's repeats are judged with it and are no case."""
    runs: dict[str, RecordedRun] = {}
    for index, figures in enumerate(made_runs(SETTINGS.min_runs + 1, 1)):
        runs[figures.run_id] = RecordedRun(figures, "key", is_valid=index > 0)
    slow = made_runs(3, 9, factors={"endpoint:chat": 1.4})
    runs["other"] = RecordedRun(slow[0], "other key")
    runs["slow"] = RecordedRun(slow[0], "key")
    runs["r1"] = RecordedRun(slow[1], "key", repeat_of="slow")
    runs["r2"] = RecordedRun(slow[2], "key", repeat_of="slow")
    words = {answer.case: answer.word for answer in judge_history(History(runs), SETTINGS, STALL_LIMIT_S)}
    assert words["other"] is Word.NOT_ENOUGH_RUNS
    assert words["slow"] is Word.REGRESSION
    assert "r1" not in words
    del runs["r2"], runs["r1"], runs[f"run-{SETTINGS.min_runs}"]
    words = {answer.case: answer.word for answer in judge_history(History(runs), SETTINGS, STALL_LIMIT_S)}
    assert words["slow"] is Word.NOT_ENOUGH_RUNS


def test_cases_name_their_runs(tmp_path: Path) -> None:
    """Roles may come in any order; the stall limit is the profile's where the run has one."""
    import random

    figures = [*made_runs(12, 1), made_run("slow", random.Random(3), factors={"endpoint:chat": 1.4}, stall_s=4.0)]
    history = History({run.run_id: RecordedRun(run, stall_limit_s=5.0) for run in figures})
    lines = ["case,role,run_id", "c1,candidate,slow", *(f"c1,baseline,run-{n}" for n in range(12))]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join(lines))
    (answer,) = judge_cases(history, read_cases(path, history), SETTINGS, STALL_LIMIT_S)
    assert (answer.case, answer.word) == ("c1", Word.SUSPECTED)
    assert answer.evidence is not None
    assert answer.evidence.scope == "endpoint:chat"


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("c,baselin,run-1", "cases.csv:2: unknown role 'baselin'; did you mean baseline?"),
        ("c,baseline,run-l", "cases.csv:2: unknown run 'run-l'; did you mean run-1?"),
        ("c,baseline,run-1", "case c has 0 candidates; give one"),
    ],
)
def test_a_bad_case_is_refused_with_one_line(tmp_path: Path, line: str, text: str) -> None:
    """File, line, what is wrong and the nearest valid name."""
    history = History({"run-1": RecordedRun(made_runs(1, 1)[0])})
    path = tmp_path / "cases.csv"
    path.write_text(f"case,role,run_id\n{line}\n")
    with pytest.raises(ConfigError) as error:
        read_cases(path, history)
    assert text in str(error.value)
    path.write_text("case,role\n")
    with pytest.raises(ConfigError, match="the column run_id is missing"):
        read_cases(path, history)
