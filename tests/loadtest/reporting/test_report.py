"""The JSON report gathers what the stages concluded."""

from datetime import UTC, datetime

import pytest

from include.loadtest.reporting.report import build_report, write_reports

pytestmark = pytest.mark.unit


def test_the_report_has_the_verdict_its_reasons_with_their_repair_and_what_is_missing(bundle) -> None:
    """A reader learns what to do, and what was not measured."""
    report = build_report(bundle, ("Slack messages (connection loadtest_slack)",))
    assert report["verdict"] == "SLA_BREACH"
    assert report["reasons"][0]["action"]
    assert report["not_measured"] == ["cache_hit_rate"]
    assert report["not_configured"] == ["Slack messages (connection loadtest_slack)"]


def test_both_files_have_their_documented_names(bundle) -> None:
    """load_test_report_<UTC>.json and load_test_summary_<UTC>.md."""
    write_reports(bundle, datetime(2026, 11, 24, 20, 15, 1, tzinfo=UTC))
    assert (bundle.path / "load_test_report_20261124_201501.json").is_file()
    assert (bundle.path / "load_test_summary_20261124_201501.md").read_text().startswith("# ❌ SLA_BREACH: Smoke")


def test_a_run_without_metrics_says_that_nothing_was_measured(bundle) -> None:
    """Absent is not zero."""
    (bundle.path / "metrics.json").unlink()
    assert build_report(bundle)["not_measured"] == ["everything: the run has no metrics"]
