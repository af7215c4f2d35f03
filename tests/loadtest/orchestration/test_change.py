"""A run against its history: what is compared, what is said, what enters a baseline."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.history import baselines
from include.loadtest.history import store as history
from include.loadtest.orchestration.change import change_reasons, judge_change
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.profile import Overrides, find_profile, load_profile
from tests.helpers.made_bundles import made_bundle

pytestmark = pytest.mark.integration

PROFILE = load_profile(find_profile("smoke"))
RUNS = PROFILE.change_test.min_runs
SLOW = {"endpoint:chat": 1.3}
START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def weekly(fresh_history: str, tmp_path: Path) -> Callable[..., RunContext]:
    """Makes a run of a week and puts it into the history, as `diff_history` does before the change test."""

    def make(week: int, **options: Any) -> RunContext:
        run_id = f"smoke-w{week}"
        bundle = made_bundle(tmp_path, run_id, START + timedelta(weeks=week), PROFILE, seed=week + 100, **options)
        history.record_and_compare(fresh_history, bundle, PROFILE)
        return RunContext(
            bundle=bundle,
            bundle_uri=str(bundle.path),
            order=RunOrder("smoke", None, Overrides(), "demo", ""),
            target_name="demo",
            load_target=lambda name: pytest.fail(f"{name} is not asked"),
            history_url=fresh_history,
            work_dir=tmp_path / "work",
            owner="test",
        )

    return make


def _word(context: RunContext) -> str | None:
    document = judge_change(context)
    return None if document is None else str(document["word"])


def test_until_there_are_enough_runs_only_limits_count(weekly: Callable[..., RunContext]) -> None:
    """The words follow the number of earlier valid runs; the section stands beside the shown differences."""
    words = [_word(weekly(week)) for week in range(RUNS + 1)]
    assert words == ["NOT_ENOUGH_RUNS"] * RUNS + ["OK"]
    comparison = weekly(RUNS).bundle.read("comparison.json")
    assert comparison["previous_run_id"] == f"smoke-w{RUNS - 1}"


def test_a_slow_run_is_suspected_with_its_figures(weekly: Callable[..., RunContext]) -> None:
    """The reason names endpoint, change and limit; the verdict's kind is a note, so nothing is final."""
    for week in range(RUNS):
        weekly(week)
    context = weekly(50, factors=SLOW)
    document = judge_change(context)
    (reason,) = change_reasons(document, context.bundle.read("comparison.json"))
    assert (reason.code, reason.kind, reason.scope) == ("regression_suspected", "note", "endpoint:chat")
    assert reason.observed == pytest.approx(0.3, abs=0.1)
    assert reason.limit == PROFILE.change_test.relevant_change
    assert document is not None
    assert len(document["against"]["recent"]["runs"]) == RUNS
    assert len(document["sensitivity"]) == 6


def test_invalid_runs_are_not_judged_and_enter_no_baseline(weekly: Callable[..., RunContext]) -> None:
    """INCONCLUSIVE, ABORTED and breached runs are no measure; the first two are not even compared."""
    for week in range(RUNS - 1):
        weekly(week)
    assert _word(weekly(20, verdict="INCONCLUSIVE")) is None
    assert _word(weekly(21, verdict="ABORTED")) is None
    assert _word(weekly(22, verdict="SLA_BREACH")) == "NOT_ENOUGH_RUNS"
    assert _word(weekly(23)) == "NOT_ENOUGH_RUNS"
    assert _word(weekly(24)) == "OK"


def test_other_conditions_refuse_the_comparison_and_name_the_field(weekly: Callable[..., RunContext]) -> None:
    """One server setting differs from the latest run: no baseline, and the reason says which."""
    for week in range(RUNS):
        weekly(week, environment={"postgres": {"shared_buffers": "128MB"}})
    context = weekly(30, environment={"postgres": {"shared_buffers": "64MB"}}, factors=SLOW)
    reasons = {
        one.code: one.text for one in change_reasons(judge_change(context), context.bundle.read("comparison.json"))
    }
    assert set(reasons) == {"not_comparable", "too_few_runs"}
    assert "server_settings.postgres.shared_buffers is 64MB, was 128MB" in reasons["not_comparable"]


def test_comparisons_start_anew_at_an_intended_change(weekly: Callable[..., RunContext], fresh_history: str) -> None:
    """Runs before the mark are no measure for runs after it; runs before it are judged as before."""
    for week in range(RUNS):
        weekly(week)
    engine = history.connect(fresh_history)
    since = START + timedelta(weeks=29)
    baselines.mark_intended_change(engine, "demo", "smoke", since, by="anna", reason="new model")
    assert _word(weekly(30, factors=SLOW)) == "NOT_ENOUGH_RUNS"
    assert _word(weekly(28, factors=SLOW)) == "SUSPECTED"


def test_a_creep_that_the_recent_runs_follow_is_seen_against_the_pinned_ones(
    weekly: Callable[..., RunContext], fresh_history: str
) -> None:
    """3 % a week: the window goes along, the pinned baseline does not."""
    for week in range(RUNS):
        weekly(week)
    engine = history.connect(fresh_history)
    key = baselines.key_of_latest(engine, "smoke", "demo")
    ids = [f"smoke-w{week}" for week in range(RUNS)]
    baselines.pin_baseline(engine, key, ids, "anna", "release 1", least=RUNS)
    for step in range(1, 24):
        context = weekly(RUNS + step, factors={"endpoint:chat": 1.01**step})
    document = judge_change(context)
    assert document is not None
    assert document["against"]["pinned"]["word"] == "SUSPECTED"
    assert document["word"] == "SUSPECTED"


def test_an_improvement_that_lasts_is_noted_and_proposed_once(
    weekly: Callable[..., RunContext], fresh_history: str
) -> None:
    """Faster for as many runs as a repeated one has: improved; for as many as a baseline needs: one proposal."""
    fast = {"endpoint:chat": 0.7}
    for week in range(RUNS):
        weekly(week)
    engine = history.connect(fresh_history)
    key = baselines.key_of_latest(engine, "smoke", "demo")
    ids = [f"smoke-w{week}" for week in range(RUNS)]
    baselines.pin_baseline(engine, key, ids, "anna", "release 1", least=RUNS)
    words = [_word(weekly(RUNS + week, factors=fast)) for week in range(RUNS + 2)]
    assert words[: PROFILE.change_test.confirmations + 1] == ["OK", "OK", "IMPROVEMENT"]
    proposed = [entry for entry in baselines.list_baselines(engine) if entry["status"] == "proposed"]
    assert len(proposed) == 1
    assert proposed[0]["proposed_by"] == "change test"
    assert len(proposed[0]["run_ids"]) == RUNS
