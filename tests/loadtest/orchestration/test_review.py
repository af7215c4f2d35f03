"""A suite's review lands in its bundle, with the history's trends or with the reason why there are none."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from include.loadtest.bundle import Bundle
from include.loadtest.history.database import connect
from include.loadtest.history.schema import INSTALLATION
from include.loadtest.history.store import store_bundle
from include.loadtest.orchestration.context import SuiteContext
from include.loadtest.orchestration.review import write_review
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.suites import Suite, SuiteRun
from include.loadtest.publishing import DEFAULT_TARGET_VARIABLE
from include.loadtest.reporting.suite import SuiteEntry
from include.loadtest.target.settings import Target
from tests.helpers.made_bundles import made_bundle
from tests.helpers.reviewed_runs import hold_row

pytestmark = pytest.mark.integration

NOW = datetime(2027, 3, 1, 4, 5, 6, tzinfo=UTC)
SUITE = Suite(name="month", title="A month", purpose="One run.", max_load_s=900, runs=(SuiteRun(profile="peak_hours"),))
UNREACHABLE = "postgresql://nobody:secret-word@127.0.0.1:1/none"


def no_target(name: str) -> Target:
    raise AssertionError(f"a review asks no target, not even {name}")


def context_of(folder: Path, history_url: str) -> SuiteContext:
    return SuiteContext(
        bundle=Bundle(folder / "month-1"),
        bundle_uri=str(folder / "month-1"),
        target_name="demo",
        load_target=no_target,
        history_url=history_url,
        work_dir=folder / "work",
        owner="test/month-1",
        suite=SUITE,
    )


def peak_hours(folder: Path, days_ago: int, p95_ms: float) -> Bundle:
    """A concluded run of peak_hours with a P95 of all requests."""
    profile = load_profile(find_profile("peak_hours"))
    run_id = f"peak_hours-{days_ago}"
    bundle = made_bundle(folder, run_id, NOW - timedelta(days=days_ago), profile, seed=days_ago + 1)
    metrics = bundle.read("metrics.json")
    metrics["metrics"].append(hold_row("latency_p95_ms", p95_ms))
    bundle.write("metrics.json", metrics)
    return bundle


def entry_of(bundle: Bundle) -> SuiteEntry:
    documents = (bundle.read(name) for name in ("manifest.json", "verdict.json"))
    return SuiteEntry(bundle.run_id, "peak_hours", str(bundle.path), *documents)


def document_of(entry: SuiteEntry, name: str) -> Mapping[str, Any] | None:
    bundle = Bundle(Path(entry.bundle_uri))
    return bundle.read(name) if bundle.has(name) else None


def test_the_review_is_written_with_the_histories_trends(
    tmp_path: Path, fresh_history: str, caplog: pytest.LogCaptureFixture
) -> None:
    """review.json, the Markdown with its stamp, and the answer in the log."""
    profile = load_profile(find_profile("peak_hours"))
    bundles = [peak_hours(tmp_path, *run) for run in [(0, 220.0), (7, 210.0), (14, 230.0), (40, 200.0), (47, 200.0)]]
    for bundle in bundles:
        store_bundle(fresh_history, bundle, profile)
    context = context_of(tmp_path, fresh_history)
    with caplog.at_level(logging.INFO, "loadtest"):
        write_review(context, [entry_of(bundles[0])], document_of, 31, NOW)
    review = context.bundle.read("review.json")
    moved = "peak_hours with 50 users 200 ms → 220 ms (+10.0 %, 2 and 3 runs)"
    assert moved in review["answer"]["changed"]
    assert moved in (context.bundle.path / "load_test_review_20270301_040506.md").read_text(encoding="utf-8")
    assert moved in caplog.text
    page = (context.bundle.path / "load_test_review_20270301_040506.html").read_text(encoding="utf-8")
    assert 'aria-label="latency_p95_ms of peak_hours: 5 runs' in page
    assert 'href="../peak_hours-0/report.html"' in page
    assert review["capacity"]["carried"] is None, "the made verdict has no judged limit"
    assert review["infrastructure_plan"] is None


def decided(folder: Path, history_url: str, kept_days: float | None) -> dict[str, Any]:
    """The review without runs, whose history is kept for so many days, or does not say for how many."""
    with connect(history_url).begin() as connection:
        connection.execute(delete(INSTALLATION))
        if kept_days is not None:
            connection.execute(insert(INSTALLATION).values(installed_at=NOW - timedelta(days=kept_days)))
    context = context_of(folder, history_url)
    write_review(context, [], document_of, 31, NOW)
    review = context.bundle.read("review.json")
    return review | {"by_id": {one["id"]: one for one in review["decisions"]}}


def test_silence_is_what_the_dead_mans_switch_calls_so(
    tmp_path: Path, fresh_history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its words, with the installation as the beginning."""
    monkeypatch.setenv(DEFAULT_TARGET_VARIABLE, "demo")
    (evidence,) = decided(tmp_path, fresh_history, 30)["by_id"]["weekly_silent"]["evidence"]
    assert "no weekly suite has come to a verdict, and the history is kept since 2027-01-30" in evidence


@pytest.mark.parametrize(("kept_days", "watched"), [(1, "demo"), (30, "pratikoai")], ids=["fresh", "another target"])
def test_who_owes_no_weekly_verdict_is_not_silent(
    tmp_path: Path, fresh_history: str, monkeypatch: pytest.MonkeyPatch, kept_days: float, watched: str
) -> None:
    """A fresh installation, and a target that no weekly run tests."""
    monkeypatch.setenv(DEFAULT_TARGET_VARIABLE, watched)
    review = decided(tmp_path, fresh_history, kept_days)
    assert "weekly_silent" not in review["by_id"]
    assert review["decisions_missing"] is None


def test_a_history_that_does_not_say_since_when_it_is_kept(
    tmp_path: Path, fresh_history: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the silence is then not known."""
    monkeypatch.setenv(DEFAULT_TARGET_VARIABLE, "demo")
    review = decided(tmp_path, fresh_history, None)
    assert review["decisions_missing"].startswith("Whether the weekly suite is silent is not known: the history does")
    assert "weekly_silent" not in review["by_id"]


def test_without_a_history_the_review_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """No exception, no trends, no password; all other parts are there."""
    context = context_of(tmp_path, UNREACHABLE)
    write_review(context, [entry_of(peak_hours(tmp_path, 0, 220.0))], document_of, 92, NOW)
    review = context.bundle.read("review.json")
    assert review["trends"] is None
    assert "the history gave no answer" in review["trends_missing"]
    assert review["infrastructure_plan"]["data"][0]["profile"] == "peak_hours"
    text = (context.bundle.path / "load_test_review_20270301_040506.md").read_text(encoding="utf-8")
    assert "What changed is not known: the history gave no answer" in text
    page = (context.bundle.path / "load_test_review_20270301_040506.html").read_text(encoding="utf-8")
    assert "What is open in the history is not known: the history gave no answer" in text
    assert "Not known: the history gave no answer" in page
    assert review["baselines"]["rows"] is None
    assert "secret-word" not in text + page + caplog.text


def test_a_suite_whose_runs_left_nothing_has_a_review(tmp_path: Path) -> None:
    """It says that nothing is known."""
    context = context_of(tmp_path, UNREACHABLE)
    write_review(context, [SuiteEntry("peak_hours-1", "peak_hours", "/gone", None, None)], lambda *_: None, 31, NOW)
    answer = context.bundle.read("review.json")["answer"]
    assert answer["carries"].startswith("Not known how many users it carries")
    assert answer["buy"].startswith("No purchase is recommended. Not known: CPU (host_cpu_pct not measured)")


def test_a_target_with_blackouts_has_the_next_deadline(tmp_path: Path) -> None:
    """What the users need is needed before it; the stand-in has none."""
    for target, has_date in (("pratikoai", True), ("demo", False)):
        context = replace(context_of(tmp_path / target, UNREACHABLE), target_name=target)
        write_review(context, [SuiteEntry("peak_hours-1", "peak_hours", "/gone", None, None)], lambda *_: None, 31, NOW)
        decisions = {one["id"]: one for one in context.bundle.read("review.json")["decisions"]}
        assert (decisions["capacity_unknown"]["by"] is not None) is has_date
