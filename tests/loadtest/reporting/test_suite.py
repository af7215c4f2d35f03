"""A suite's verdict is the worst of its runs'; its summary says when each ran and where its bundle is."""

from datetime import UTC, datetime

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.reporting.suite import SuiteEntry, SuiteHead, suite_document, suite_summary, write_suite
from tests.loadtest.reporting.conftest import HOSTILE, judged, manifest_of, reason_of

pytestmark = pytest.mark.unit
HEAD = SuiteHead("weekly-1", "weekly", "Weekly suite", 2700)


def entry(profile: str, verdict: str | None, minutes: int | None = 2, **overrides: int) -> SuiteEntry:
    manifest = manifest_of(profile, **overrides)
    if minutes is not None:
        started, ended = "2026-11-24T20:00:00Z", f"2026-11-24T20:{minutes:02d}:00Z"
        manifest["load"] = {"started": started, "ended": ended}
    document = None if verdict is None else judged(manifest, verdict)
    return SuiteEntry(f"{profile}-1", profile, f"/results/{profile}-1", manifest, document)


def test_the_document_has_exactly_its_keys_and_the_worst_verdict() -> None:
    """A breach outranks an invalid test, which outranks a warning."""
    runs = [entry("baseline", "PASS"), entry("peak_hours", "SLA_BREACH"), entry("smoke", "INCONCLUSIVE")]
    assert suite_document("weekly-1", "weekly", runs) == {
        "schema": 1,
        "suite_run_id": "weekly-1",
        "suite": "weekly",
        "verdict": "SLA_BREACH",
        "runs": [
            {"run_id": "baseline-1", "profile": "baseline", "verdict": "PASS"},
            {"run_id": "peak_hours-1", "profile": "peak_hours", "verdict": "SLA_BREACH"},
            {"run_id": "smoke-1", "profile": "smoke", "verdict": "INCONCLUSIVE"},
        ],
    }


def test_a_run_without_a_verdict_is_never_good_news() -> None:
    """INCONCLUSIVE, and so is a suite without runs or an unknown word."""
    lost = SuiteEntry("smoke-1", "smoke", "/results/smoke-1", None, None)
    document = suite_document("weekly-1", "weekly", [entry("baseline", "PASS"), lost])
    assert (document["verdict"], document["runs"][1]["verdict"]) == ("INCONCLUSIVE", "INCONCLUSIVE")
    assert suite_document("weekly-1", "weekly", [])["verdict"] == "INCONCLUSIVE"
    assert SuiteEntry("a", "a", "", None, {"verdict": "FINE"}).outcome == "INCONCLUSIVE"
    text = suite_summary(HEAD, [lost])
    assert "| smoke | – | no load was sent | – | – | ⚪ INCONCLUSIVE | ended without a verdict |" in text


def test_the_summary_begins_with_the_verdict_and_has_the_timetable() -> None:
    """Users, start, end, minutes, verdict, first reason; foreign text is harmless."""
    late = entry("peak_hours", "WARN", 10)
    late.verdict["reasons"].append(reason_of("slo_near", HOSTILE))
    text = suite_summary(HEAD, [entry("baseline", "PASS"), late])
    assert text.startswith("# 🟡 WARN: Weekly suite\n")
    assert "| baseline | 1 | 2026-11-24 20:00:00 UTC | 2026-11-24 20:02:00 UTC | 2.0 min | ✅ PASS | – |" in text
    assert "| 10.0 min | 🟡 WARN | slo_near: " in text
    assert "load 12.0 min in all, at most 45 min are allowed" in text
    assert "<script" not in text


def test_more_load_than_allowed_is_said() -> None:
    """46 minutes of 45."""
    assert "**1.0 min too much**" in suite_summary(HEAD, [entry("peak_hours", "PASS", 46)])


def test_overrides_meaning_and_bundles_are_stated() -> None:
    """What was shortened, what peak_hours means, where each bundle is."""
    text = suite_summary(HEAD, [entry("normal_day", "PASS", duration_s=240), entry("peak_hours", "PASS")])
    assert "- normal_day: Duration overridden (600 s → 240 s)" in text
    assert "## What peak_hours means\n\n✅ **PratikoAI carries the 50 concurrent users" in text
    assert "- peak_hours: `/results/peak_hours-1`" in text.split("## Bundles")[1]


def test_both_files_are_written(tmp_path) -> None:
    """suite.json and the summary under the documented name."""
    bundle = Bundle(tmp_path / "weekly-1")
    now = datetime(2026, 11, 24, 20, 15, 1, tzinfo=UTC)
    document = write_suite(bundle, HEAD, [entry("baseline", "PASS")], now)
    assert bundle.read("suite.json") == document
    assert (bundle.path / "load_test_summary_20261124_201501.md").read_text().startswith("# ✅ PASS: Weekly suite")
