"""The reports of a run: what goes wrong with the page costs only the page."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration import reports
from tests.helpers.report_pages import made_charts, report_bundle

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)
FIRST_RELEASE = Path(__file__).parents[2] / "data" / "first_release_bundle"
"""A run of release 0.1.0 as its program left it, without its reports and Locust's page: 4 users for 20 s, PASS."""
JSON = "load_test_report_20260105_060000.json"


def test_all_reports_are_written_and_the_charts_come_back(tmp_path) -> None:
    """Charts that are given are drawn as they are."""
    bundle, charts = report_bundle(tmp_path, "PASS"), made_charts()
    context = SimpleNamespace(bundle=bundle, not_configured=("Slack",))
    assert reports.write_run_reports(context, NOW, charts) is charts
    assert bundle.has(JSON)
    assert "not configured: Slack" in (bundle.path / run.REPORT_PAGE).read_text()


def test_a_run_of_the_first_release_gets_the_reports_of_today(tmp_path) -> None:
    """Its manifest lacks much of what is written today: the reports say what it has."""
    bundle = Bundle(tmp_path / "smoke-20261127-041757-c78dcc")
    shutil.copytree(FIRST_RELEASE, bundle.path)
    charts = reports.write_run_reports(SimpleNamespace(bundle=bundle, not_configured=()), NOW)
    page = (bundle.path / run.REPORT_PAGE).read_text()
    assert charts is not None
    assert bundle.read(JSON)["verdict"] == "PASS"
    for shown in ("PASS", "Smoke", "latency_p95_ms", "901.2"):
        assert shown in page


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
