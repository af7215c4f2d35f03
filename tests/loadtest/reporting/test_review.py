"""A review answers three questions from what was measured, and says where nothing was."""

from dataclasses import replace

import pytest

from include.loadtest.reporting.review import Trends
from tests.helpers.reviewed_runs import reviewed
from tests.helpers.reviews import p95, review_of, steps_run, trends_of

pytestmark = pytest.mark.unit


def test_the_document_has_its_parts() -> None:
    """Exactly these keys, and four answers."""
    made = review_of(reviewed("peak_hours"))
    assert set(made) == {
        *("schema", "suite_run_id", "suite", "title", "target", "days", "written", "answer", "left_out", "capacity"),
        *("recommendations", "changes", "manual_review", "trends", "trends_missing", "infrastructure_plan"),
        *("decisions", "decisions_missing", "runs", "points", "baselines"),
    }
    assert (made["schema"], made["written"], made["days"]) == (1, "2027-03-01T04:05:06.000000Z", 31)
    assert set(made["answer"]) == {"carries", "buy", "changed", "decide"}


def test_only_a_quarters_review_has_the_infrastructure_plan() -> None:
    """31 days have none, 92 have it."""
    assert review_of()["infrastructure_plan"] is None
    assert review_of()["baselines"] is None
    assert review_of(days=92)["baselines"]["missing"] == "the history gave no answer"
    assert review_of(days=92)["infrastructure_plan"]["not_measured"] != []


def test_no_history_is_said() -> None:
    """Null trends and the reason, in the answer too."""
    made = review_of()
    assert (made["trends"], made["trends_missing"]) == (None, "the history gave no answer")
    assert made["answer"]["changed"] == "What changed is not known: the history gave no answer"


def test_a_move_is_told_with_its_runs() -> None:
    """Medians, change and the number of runs, before first."""
    assert review_of(trends=trends_of(p95(4300 / 4100 - 1)))["answer"]["changed"] == (
        "P95, median of the last 31 days against that of the 31 before (shown, not judged): "
        "peak_hours with 50 users 4,100 ms → 4,300 ms (+4.9 %, 4 and 5 runs)."
    )


@pytest.mark.parametrize("trends", [trends_of(p95(None)), trends_of()])
def test_too_few_runs_tell_no_change(trends: Trends) -> None:
    """Nor does a series without that metric."""
    assert review_of(trends=trends)["answer"]["changed"].startswith(
        "What changed is not known: too few comparable runs"
    )


@pytest.mark.parametrize(
    ("broken", "looked_up_to", "sentence"),
    [
        (75.0, 75, "In steps it breaks at 75 users (stress_test; the last step within its limits had 50)."),
        (25.0, 75, "In steps it breaks at 25 users (stress_test; no step was within its limits)."),
        (None, 75, "In steps it did not break up to 75 users (stress_test)."),
        (None, None, "Its breaking point is not known (stress_test, PASS)."),
    ],
)
def test_the_breaking_point_is_part_of_the_answer(
    broken: float | None, looked_up_to: int | None, sentence: str
) -> None:
    """Found, found at once, not reached, not known."""
    assert review_of(steps_run(broken, looked_up_to))["answer"]["carries"].endswith(sentence)


def test_the_stand_in_says_nothing_about_the_product() -> None:
    """And the answer says so."""
    assert "says nothing about PratikoAI itself" in review_of(target="demo")["answer"]["carries"]
    assert "stand-in" not in review_of()["answer"]["carries"]


def test_runs_that_do_not_count_are_named() -> None:
    """With their verdicts."""
    left_out = review_of(reviewed("peak_hours"), reviewed("baseline", "ABORTED", codes=("operator",)))["left_out"]
    assert left_out == [{"run_id": "baseline-1", "profile": "baseline", "verdict": "ABORTED"}]


def test_runs_beside_the_suite_are_linked() -> None:
    """Relative to the suite's own files; a run elsewhere, or without a verdict, has no page to lead to."""
    beside, unfinished = reviewed("peak_hours"), reviewed("baseline", None)
    elsewhere = replace(beside, entry=replace(beside.entry, bundle_uri="s3://other/peak_hours-1"))
    links = [row["report"] for row in review_of(beside, unfinished, elsewhere)["runs"]]
    assert links == ["../peak_hours-1/report.html", None, None]
