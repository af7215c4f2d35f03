"""The page of a suite: its runs with their verdicts, in order, and its review."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web import suite_page
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run, concluded_suite, dag_run_page

pytestmark = pytest.mark.unit
STAMP = "20261120-100000-abcdef"
SUITE = f"weekly-{STAMP}"


def test_a_concluded_suite(viewer: TestClient, results: Path) -> None:
    """Its verdict, how many runs came to which, and a row a run with its reason."""
    concluded_suite(results, SUITE, "SLA_BREACH", {f"smoke-{STAMP}": "PASS", f"baseline-{STAMP}": "SLA_BREACH"})
    concluded_run(results, f"smoke-{STAMP}")
    concluded_run(results, f"baseline-{STAMP}", "SLA_BREACH", (("slo_missed", "P99 too high"),))
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    assert "Weekly suite on demo" in page
    assert "1 PASS, 1 SLA_BREACH" in page
    assert page.index(f"/loadtest/runs/smoke-{STAMP}") < page.index(f"/loadtest/runs/baseline-{STAMP}")
    assert "P99 too high" in page
    assert "<iframe" not in page


def test_a_running_suite_shows_the_runs_that_have_begun(viewer: TestClient, results: Path) -> None:
    """In the order in which they began; one without a verdict runs."""
    begun_suite(results, SUITE, "smoke", "baseline", dag_run=dag_run_page("load_test_weekly", "r1"))
    concluded_run(results, f"smoke-{STAMP}", started="2026-11-20T10:01:00Z")
    begun_run(results, f"baseline-{STAMP}", started="2026-11-20T10:05:00Z")
    concluded_run(results, "smoke-20261119-100000-abcdef")
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    rows = page.split("<tbody>")[1]
    assert rows.count("<tr>") == 2
    assert rows.index("smoke") < rows.index("baseline")
    assert rows.count('verdict-running">running') == 1
    assert 'href="/dags/load_test_weekly/runs/r1" data-airflow' in page


def test_the_newest_review_is_shown_in_a_sandbox(viewer: TestClient, results: Path) -> None:
    """As the report of a run is."""
    bundle = concluded_suite(results, SUITE, "PASS", {})
    bundle.write_text("load_test_review_20261120_110000.html", "<h1>old</h1>")
    bundle.write_text("load_test_review_20261121_110000.html", "<h1>new</h1>")
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    assert f'src="/loadtest/suites/{SUITE}/review" sandbox="allow-scripts' in page
    answer = viewer.get(f"/loadtest/suites/{SUITE}/review")
    assert answer.text == "<h1>new</h1>"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts")


def test_a_suite_that_only_the_history_knows(viewer: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runs there; the worst of their verdicts stands for the suite's."""
    from datetime import UTC, datetime

    row: dict[str, Any] = {"suite": "weekly", "target": "demo", "started": datetime(2026, 11, 20, tzinfo=UTC)}
    rows = [row | {"run_id": f"{name}-{STAMP}", "profile": name, "verdict": word}
            for name, word in (("smoke", "PASS"), ("baseline", "WARN"))]  # fmt: skip
    monkeypatch.setattr(suite_page, "history", lambda: None)
    monkeypatch.setattr(suite_page, "runs_of_suite", lambda _engine, asked: rows if asked == SUITE else [])
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    assert page.index("verdict-warn") < page.index("Runs")
    assert "the suite&#39;s own bundle has gone" in page
    assert viewer.get("/loadtest/suites/weekly-1").status_code == 404


def test_a_runs_id_is_no_suite(viewer: TestClient, results: Path) -> None:
    """404; the run's own page is another."""
    concluded_run(results, f"smoke-{STAMP}")
    assert viewer.get(f"/loadtest/suites/smoke-{STAMP}").status_code == 404
