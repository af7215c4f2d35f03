"""The JSON report gathers what the stages concluded."""

from datetime import UTC, datetime

import pytest

from include.loadtest.reporting.report import build_report, write_reports
from include.loadtest.reporting.summary import summary_markdown
from tests.loadtest.reporting.conftest import ROW, SLO, judged, manifest_of

pytestmark = pytest.mark.unit


def test_the_report_has_the_verdict_its_reasons_with_their_repair_and_what_is_missing(bundle) -> None:
    """A reader learns what to do, and what was not measured."""
    report = build_report(bundle, ("Slack messages (connection loadtest_slack)",))
    assert report["verdict"] == "SLA_BREACH"
    assert report["reasons"][0]["action"]
    assert report["not_measured"] == ["cache_hit_rate"]
    assert report["not_configured"] == ["Slack messages (connection loadtest_slack)"]
    assert (report["meaning"], report["stages"], report["baseline"]) == (None, [], None)


def test_the_meaning_is_in_the_report(bundle) -> None:
    """As data: state, words, what limits them, figures."""
    manifest = manifest_of("peak_hours")
    bundle.update_manifest(**manifest)
    bundle.write("verdict.json", judged(manifest, "SLA_BREACH", error_rate="missed"))
    meaning = build_report(bundle)["meaning"]
    assert set(meaning) == {"state", "text", "qualifications", "figures"}
    assert meaning["state"] == "missed"
    assert meaning["figures"] == ["error_rate 1 ms (limit < 0.01 ms)"]


def test_a_breaking_point_that_was_not_reached_is_no_missing_figure(bundle) -> None:
    """A recovery that nobody measured is one."""
    metrics = [
        ROW | {"metric": "breaking_point_users", "value": None, "unit": "users", "looked_up_to": 150},
        ROW | {"metric": "saturation_users", "value": None, "unit": "users", "looked_up_to": None},
        ROW | {"metric": "recovery_time_s", "value": None, "unit": "s", "phase": "recovery"},
        ROW | {"metric": "ttft_p95_ms", "value": None, "unit": "ms", "phase": "recovery"},
    ]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics, "stages": [{"stage": "hold"}]})
    slo = SLO | {"metric": "recovery_time_s", "phase": "recovery"}
    bundle.write("verdict.json", {"verdict": "INCONCLUSIVE", "reasons": [], "slos": [slo]})
    report = build_report(bundle)
    assert report["not_measured"] == ["saturation_users", "recovery_time_s in recovery"]
    assert report["stages"] == [{"stage": "hold"}]


def test_both_files_have_their_documented_names(bundle) -> None:
    """load_test_report_<UTC>.json and load_test_summary_<UTC>.md."""
    write_reports(bundle, datetime(2026, 11, 24, 20, 15, 1, tzinfo=UTC))
    assert (bundle.path / "load_test_report_20261124_201501.json").is_file()
    assert (bundle.path / "load_test_summary_20261124_201501.md").read_text().startswith("# ❌ SLA_BREACH: Smoke")


def test_a_run_without_metrics_says_that_nothing_was_measured(bundle) -> None:
    """Absent is not zero."""
    (bundle.path / "metrics.json").unlink()
    assert build_report(bundle)["not_measured"] == ["everything: the run has no metrics"]


def test_the_plot_and_the_deliveries_are_in_report_and_summary(bundle) -> None:
    """A picture only where there is one; deliveries as the manifest has them."""
    report = build_report(bundle)
    assert (report["plot"], report["deliveries"]) == (None, [])
    assert "load_test_plot.png" not in summary_markdown(report)
    bundle.write_bytes("load_test_plot.png", b"picture")
    delivery = {"what": "issue", "state": "waiting", "text": "GitHub is not reachable", "url": None}
    bundle.update_manifest(deliveries=[delivery])
    report = build_report(bundle)
    assert report["deliveries"] == [delivery]
    summary = summary_markdown(report)
    assert "(load_test_plot.png)" in summary
    assert "| issue | 🟡 waiting, tried again | GitHub is not reachable |" in summary


def test_each_reason_links_its_page_where_airflows_address_is_known(bundle) -> None:
    """In the data the page below docs/, in the summary a link into Airflow, else the file."""
    report = build_report(bundle)
    assert report["reasons"][0]["page"] == "runbooks/limits.md"
    assert "`docs/runbooks/limits.md`" in summary_markdown(report)
    bundle.update_manifest(dag_run="https://airflow.example/dags/load_test_manual/runs/x")
    link = "[docs/runbooks/limits.md](<https://airflow.example/loadtest/docs/runbooks/limits>)"
    assert link in summary_markdown(build_report(bundle))
