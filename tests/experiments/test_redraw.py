"""Cases drawn anew from halves of the runs."""

from collections import Counter

import pytest

from experiments.redraw import redrawn

pytestmark = pytest.mark.unit
KINDS = {
    **{f"a{index:02}": "aa" for index in range(20)},
    **{f"t{index}": "tax_113" for index in range(6)},
    **{f"n{index}": "host_noise" for index in range(2)},
    **{f"h{index}": "host_noise_same_core" for index in range(2)},
    "w4": "creep_search_4",
}


def test_no_run_is_judged_against_itself() -> None:
    """The baseline is one half of the unchanged runs, candidates and repeats are other runs, each once."""
    for drawn in redrawn(KINDS, splits=5):
        judged = [*drawn.case.candidate, *drawn.case.confirm]
        assert len(drawn.case.baseline) == 10
        assert {KINDS[run] for run in drawn.case.baseline} == {"aa"}
        assert len({*drawn.case.baseline, *judged}) == 10 + len(judged)
        assert KINDS[judged[0]] == drawn.kind


def test_every_kind_is_judged_in_both_folds_of_a_split_as_far_as_its_runs_go() -> None:
    """Three runs of a half give repeats; a single run gives none and stands in both folds."""
    drawn = Counter((one.fold, one.kind, len(one.case.confirm)) for one in redrawn(KINDS, splits=1))
    for fold in ("s0.0", "s0.1"):
        assert drawn[fold, "aa", 0] == 10
        assert drawn[fold, "tax_113", 2] == 3
        assert drawn[fold, "creep_search_4", 0] == 1
        assert drawn[fold, "host_noise", 2] == drawn[fold, "host_noise_same_core", 2] == 6


def test_the_same_cases_are_drawn_each_time() -> None:
    """The splits are seeded, whatever order the runs come in."""
    backwards = dict(reversed(KINDS.items()))
    assert list(redrawn(KINDS, splits=2)) == list(redrawn(backwards, splits=2))
