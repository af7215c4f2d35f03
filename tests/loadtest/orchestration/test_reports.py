"""The reports of a run: what goes wrong with the page costs only the page."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from include.loadtest import run
from include.loadtest.orchestration import reports
from tests.helpers.report_pages import made_charts, report_bundle

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
JSON = "load_test_report_20260105_060000.json"


def test_all_reports_are_written_and_the_charts_come_back(tmp_path) -> None:
    """Charts that are given are drawn as they are."""
    bundle, charts = report_bundle(tmp_path, "PASS"), made_charts()
    context = SimpleNamespace(bundle=bundle, not_configured=("Slack",))
    assert reports.write_run_reports(context, NOW, charts) is charts
    assert bundle.has(JSON)
    assert "not configured: Slack" in (bundle.path / run.REPORT_PAGE).read_text()


def test_a_page_that_fails_costs_only_itself(tmp_path, monkeypatch) -> None:
    """The other reports are there, and no earlier page, which may have another verdict."""

    def fails(*_: object) -> None:
        raise RuntimeError("no template")

    monkeypatch.setattr(reports, "write_report_page", fails)
    bundle = report_bundle(tmp_path, "PASS")
    bundle.write_text(run.REPORT_PAGE, "REGRESSION")
    assert reports.write_run_reports(SimpleNamespace(bundle=bundle, not_configured=()), NOW) is None
    assert bundle.has(JSON)
    assert not bundle.has(run.REPORT_PAGE)
