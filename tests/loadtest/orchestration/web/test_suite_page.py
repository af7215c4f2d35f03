"""The page of a suite: its runs with their verdicts, in order, and its review."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web import suite_page
from tests.helpers.live_bundles import live_document
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
    """In the order in which they began, each with its repeats; one that gives signs of life runs, a dead one not."""
    begun_suite(results, SUITE, "smoke", "baseline", dag_run=dag_run_page("load_test_weekly", "r1"))
    concluded_run(results, f"smoke-{STAMP}", started="2026-11-20T10:01:00Z")
    baseline = begun_run(results, f"baseline-{STAMP}", started="2026-11-20T10:05:00Z")
    baseline.write("live.json", live_document(baseline.run_id))
    for name in ("repeat2", "repeat1", "current1"):
        concluded_run(results, f"smoke-{STAMP}-{name}", started="2026-11-20T10:09:00Z")
    dead = begun_run(results, f"soak-{STAMP}", started="2026-11-20T10:07:00Z")
    dead.write("live.json", live_document(dead.run_id, at=datetime(2026, 11, 20, tzinfo=UTC)))
    concluded_run(results, "smoke-20261119-100000-abcdef")
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    rows = page.split("<tbody>")[1]
    names = [row.split("</a>")[0].split(">")[-1] for row in rows.split("<tr>")[1:]]
    assert names == ["smoke", "repeat1 of smoke", "repeat2 of smoke", "current1 of smoke", "baseline", "soak"]
    assert rows.count('verdict-running">running') == 1
    assert rows.count('verdict-inconclusive">no verdict') == 1
    assert "No sign of life from run_profile" in rows
    assert page.count('verdict-running">running') == 2
    assert 'href="/dags/load_test_weekly/runs/r1" data-airflow' in page


def test_a_suite_that_died_is_not_running(viewer: TestClient, results: Path) -> None:
    """No run of it lives, and it has no verdict."""
    begun_suite(results, SUITE, "smoke")
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    assert (page.count("running"), page.count('verdict-inconclusive">no verdict')) == (0, 1)
    assert "It left no verdict: none of its runs goes on" in page


def test_repeats_stay_in_the_list_of_a_concluded_suite(viewer: TestClient, results: Path) -> None:
    """Below their run, and counted nowhere."""
    concluded_suite(results, SUITE, "PASS", {f"smoke-{STAMP}": "PASS", f"baseline-{STAMP}": "PASS"})
    for name in (f"smoke-{STAMP}", f"baseline-{STAMP}", f"smoke-{STAMP}-repeat1"):
        concluded_run(results, name)
    page = viewer.get(f"/loadtest/suites/{SUITE}").text
    assert "counts: 2 PASS." in page
    assert page.index(">smoke</a>") < page.index(">repeat1 of smoke</a>") < page.index(">baseline</a>")


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
