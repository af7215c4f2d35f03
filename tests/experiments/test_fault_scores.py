"""The matrix's scores and its confusion table, on made diagnoses."""

from typing import Any

import pytest

from experiments.fault_matrix import BARE, FAULTS, HEALTHY, PAIR, SINGLE
from experiments.fault_scores import Diagnosed, Score, answer_of, confusion_table, scores

pytestmark = pytest.mark.unit


def said(group: str, planted: tuple[str, ...], *causes: str, state: str = "bottleneck", number: int = 1) -> Diagnosed:
    return Diagnosed(f"{'-'.join(planted) or 'healthy'}-{number}", group, planted, state, causes, "")


def matrix(wrong: int) -> list[Diagnosed]:
    """Seventy faulty runs, of which so many name another cause first and their own second."""
    runs = [(name, FAULTS[name].cause, seed) for seed in range(1, 6) for name in FAULTS]
    return [
        said(SINGLE, (name,), *(("network", cause) if place < wrong else (cause,)), number=seed)
        for place, (name, cause, seed) in enumerate(runs)
    ]


def score(answers: list[Diagnosed], title: str) -> Score:
    return next(found for found in scores(answers) if title in found.title)


@pytest.mark.parametrize(("wrong", "holds"), [(7, True), (8, False)])
def test_of_seventy_runs_sixty_three_have_to_name_the_cause_first(wrong: int, holds: bool) -> None:
    """The goal of the full matrix is the issue's own number."""
    found = score(matrix(wrong), "named first")
    assert (found.hits, found.runs, found.goal, found.holds) == (70 - wrong, 70, 63, holds)
    assert len(found.others) == wrong
    assert "pool_of_2-1: network, database_connections" in found.others


def test_the_second_cause_counts_for_the_first_two_only() -> None:
    """68 of 70 are wanted there."""
    found = score(matrix(8), "first two")
    assert (found.hits, found.goal, found.holds) == (70, 68, True)


def test_one_seed_may_miss_one_first_cause_and_no_second() -> None:
    """The shares of the full matrix, rounded up."""
    answers = [answer for answer in matrix(0) if answer.name.endswith("-1")]
    assert [(found.goal, found.runs) for found in scores(answers)] == [(13, 14), (14, 14)]


def test_no_run_meets_no_goal() -> None:
    """An empty folder is no success."""
    assert [(found.hits, found.holds) for found in scores([])] == [(0, False), (0, False)]


def test_a_healthy_run_is_spoilt_by_a_cause_and_not_by_not_known() -> None:
    """But how many were called healthy is said."""
    silent = [said(HEALTHY, (), state="no_bottleneck"), said(HEALTHY, (), state="not_known")]
    found = score(silent, "healthy")
    assert (found.hits, found.runs, found.holds) == (2, 2, True)
    assert found.others == ("1 of them called free of a bottleneck",)
    assert not score([*silent, said(HEALTHY, (), "cpu", number=3)], "healthy").holds


def test_of_two_faults_both_have_to_be_among_the_first_three() -> None:
    """In any order."""
    pair = ("llm_slow", "row_lock")
    assert score([said(PAIR, pair, "network", "locks", "llm_slow")], "two faults").holds
    assert not score([said(PAIR, pair, "network", "cpu", "locks", "llm_slow")], "two faults").holds
    assert not score([said(PAIR, pair, "locks")], "two faults").holds


def test_a_target_that_exposes_little_has_a_figure_and_no_goal() -> None:
    """It is shown, and it fails nothing."""
    found = score([said(BARE, ("llm_slow",), "cpu")], "exposes little")
    assert (found.hits, found.runs, found.goal, found.holds) == (0, 1, None, True)


@pytest.mark.parametrize(
    ("state", "named"), [("bottleneck", ("cpu", "disk")), ("not_known", ()), ("no_bottleneck", ())]
)
def test_causes_count_only_where_one_is_called_the_bottleneck(state: str, named: tuple[str, ...]) -> None:
    """A list of suspects beside "not known" is no diagnosis, neither a right one nor a false one."""
    truth = {"group": SINGLE, "faults": ["cpu_burn"]}
    document: dict[str, Any] = {"state": state, "causes": [{"cause": "cpu"}, {"cause": "disk"}], "sentence": "s"}
    assert answer_of("cpu_burn-1", truth, document).causes == named


def test_the_table_has_a_row_for_each_fault_and_a_column_for_each_first_cause() -> None:
    """Pairs and runs at a target that exposes little are not in it."""
    answers = [
        said(SINGLE, ("row_lock",), "locks"),
        said(SINGLE, ("row_lock",), "slow_queries", "locks", number=2),
        said(SINGLE, ("llm_slow",), state="not_known"),
        said(HEALTHY, (), state="no_bottleneck"),
        said(PAIR, ("llm_slow", "row_lock"), "disk"),
        said(BARE, ("llm_slow",), "disk"),
    ]
    assert confusion_table(answers) == [
        "| planted | slow queries | locks | no bottleneck | not known | first | first two |",
        "| --- | --: | --: | --: | --: | --: | --: |",
        "| row lock | 1 | 1 |  |  | 1/2 | 2/2 |",
        "| LLM slow |  |  |  | 1 | 0/1 | 0/1 |",
        "| nothing |  |  | 1 |  | 1/1 | 1/1 |",
    ]
