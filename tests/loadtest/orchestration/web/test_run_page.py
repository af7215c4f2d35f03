"""The page of a run: what it was, whether to release, where to go on; whatever its bundle has left."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from include.loadtest.bundle import Bundle
from include.loadtest.orchestration.web import run_page, sources
from include.loadtest.orchestration.web.files import SANDBOX
from include.loadtest.orchestration.web.sources import bundle_here
from tests.helpers.live_bundles import live_document
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run, dag_run_page

pytestmark = pytest.mark.unit
STAMP = "20261120-100000-abcdef"
RUN = f"smoke-{STAMP}"
BREACH = (("slo_missed", "error_rate of all in hold: 6.757 %, limit < 1 %, n=74"),)


def test_a_concluded_run_with_its_report(viewer: TestClient, results: Path) -> None:
    """Verdict, the three answers in the report's own words, and the report in a sandbox."""
    bundle = concluded_run(results, RUN, "SLA_BREACH", BREACH)
    bundle.write_text("report.html", "<h1>the report</h1>")
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    for text in ("SLA_BREACH", "Smoke on demo", "Release?", "Why?", "error_rate of all in hold: 6.757 %", "What next?"):
        assert text in page
    assert f'<iframe class="stored-page" src="/loadtest/runs/{RUN}/report#figures" sandbox="{SANDBOX}"' in page
    assert "allow-same-origin" not in page


def test_links_lead_to_airflow_and_to_comparisons(viewer: TestClient, results: Path) -> None:
    """The DAG run, the log of the stage that failed first, the previous comparable run, the trends, the suite."""
    begun_suite(results, "weekly-20261120-100000-abcdef", "smoke")
    bundle = concluded_run(
        results,
        RUN,
        "INCONCLUSIVE",
        (("stage_failed", "collect_metrics ended"),),
        dag_run=dag_run_page("load_test_weekly", "scheduled__2026-11-20T10%3A00"),
        suite="weekly",
        suite_run_id="weekly-20261120-100000-abcdef",
        faults={"collect_metrics": {"text": "disk full"}, "validate_sla": {"text": "no metrics"}},
    )
    bundle.write("comparison.json", {"previous_run_id": "smoke-20261119-100000-abcdef"})
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    at = "/dags/load_test_weekly/runs/scheduled__2026-11-20T10%3A00"
    assert f'href="{at}" data-airflow' in page
    assert f'href="{at}/tasks/smoke.collect_metrics" data-airflow' in page
    assert f"/loadtest/compare?a={RUN}&amp;b=smoke-20261119-100000-abcdef" in page
    assert "/loadtest/trends?profile=smoke&amp;target=demo" in page
    assert 'href="/loadtest/suites/weekly-20261120-100000-abcdef"' in page
    assert "<b>collect_metrics</b>: disk full" in page


def test_a_run_without_a_report_says_why(viewer: TestClient, results: Path) -> None:
    """Of an earlier release, or killed before its end: the verdict is there, and the files."""
    concluded_run(results, RUN)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert "This run left no report.html" in page
    assert f'href="/loadtest/runs/{RUN}/files/verdict.json" download' in page
    assert "<iframe" not in page


def test_a_running_run_is_found_before_the_history_has_it(viewer: TestClient, results: Path) -> None:
    """By its bundle; the page has the live part, and no answers yet."""
    begun_run(results, RUN)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert f'data-source="/loadtest/runs/{RUN}/live"' in page
    assert "Release?" not in page


def test_a_run_that_left_nothing_is_not_running(viewer: TestClient, results: Path) -> None:
    """No verdict, and no sign of life."""
    begun_run(results, RUN, faults={"preflight": {"text": "target down"}})
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert "<title>no verdict: Smoke on demo</title>" in page
    assert ("verdict-running" in page, "Nothing is known of this run" in page) == (False, True)


@pytest.mark.parametrize(
    ("dag_id", "suite", "task"),
    [
        ("load_test_manual", None, "confirm"),
        ("load_test_weekly", f"weekly-{STAMP}", "confirm"),
        ("load_test_manual", f"weekly-{STAMP}", "suite.confirm"),
    ],
)
def test_a_repeats_log_is_that_of_the_task_that_made_it(
    viewer: TestClient, results: Path, dag_id: str, suite: str | None, task: str
) -> None:
    """Whatever failed in it; one that was refused left nothing of its DAG run or its suite, but its run has them."""
    concluded_run(results, RUN, dag_run=dag_run_page(dag_id, "r1"), suite_run_id=suite)
    refused = Bundle(results / f"{RUN}-repeat1")
    refused.update_manifest(repeat_of=RUN, faults={"preflight": {"text": "down"}})
    page = viewer.get(f"/loadtest/runs/{RUN}-repeat1").text
    assert f'href="/dags/{dag_id}/runs/r1/tasks/{task}" data-airflow>Log' in page
    assert f'href="/loadtest/runs/{RUN}">The run it belongs to' in page


def test_a_run_whose_manifest_has_not_arrived(
    viewer: TestClient, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a remote store live.json comes first: the page names and follows the run all the same."""
    Bundle(results / RUN).write("live.json", live_document(RUN, stage="preflight"))
    monkeypatch.setattr(run_page, "find_bundle", bundle_here)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert "<title>running: Smoke on demo</title>" in page
    assert 'id="live"' in page


def test_a_suites_id_leads_to_the_suite(viewer: TestClient, results: Path) -> None:
    """Whatever page it was asked of."""
    begun_suite(results, "weekly-1", "smoke")
    answer = viewer.get("/loadtest/runs/weekly-1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/loadtest/suites/weekly-1")


def test_a_run_whose_bundle_has_gone(viewer: TestClient, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the history has of it, and where its bundle was."""
    row: dict[str, Any] = {"run_id": RUN, "profile": "smoke", "target": "demo", "verdict": "PASS"}
    row |= {"started": None, "bundle_uri": str(results / "gone" / RUN)}
    for module in (sources, run_page):
        monkeypatch.setattr(module, "run_row", lambda run_id: row if run_id == RUN else None)
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert "PASS" in page
    assert f"it has gone from {results / 'gone' / RUN}" in page


@pytest.mark.parametrize("asked", ["smoke-20261120-100000-abcdee", "smoke-20261120-10", "smoke"])
def test_an_unknown_run_names_the_nearest(viewer: TestClient, results: Path, asked: str) -> None:
    """404 in one line."""
    concluded_run(results, RUN)
    concluded_run(results, "baseline-20261120-100000-abcdef")
    answer = viewer.get(f"/loadtest/runs/{asked}")
    assert answer.status_code == 404
    near = f"; did you mean {RUN}?" if len(asked) > 10 else ""
    assert answer.json() == {"detail": f"There is no run or suite {asked}{near}"}


@pytest.mark.parametrize("asked", ["%2e%2e%2fx", "A", "a.b", "a b", "x" * 300, "a%00b", "..%5c..%5cetc"])
def test_what_is_no_id_touches_no_file(viewer: TestClient, results: Path, asked: str) -> None:
    """A path in the address leads nowhere: 404 as for any unknown name."""
    (results.parent / "manifest.json").write_text('{"profile": {"name": "stolen"}}')
    for page in ("", "/report", "/live", "/files/manifest.json"):
        answer = viewer.get(f"/loadtest/runs/{asked}{page}")
        assert answer.status_code == 404
        assert "stolen" not in answer.text


def test_text_of_the_target_is_text(viewer: TestClient, results: Path) -> None:
    """Whatever stands in a reason, a fault or a name is shown as it is, and runs nowhere."""
    evil = "<script>alert(1)</script>"
    faults = {evil: {"text": evil}}
    concluded_run(results, RUN, "INCONCLUSIVE", (("stage_failed", evil),), faults=faults, target={"name": evil})
    page = viewer.get(f"/loadtest/runs/{RUN}").text
    assert evil not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4


def test_a_dag_runs_address_that_is_none_is_no_link(viewer: TestClient, results: Path) -> None:
    """Only http and https lead out of the page."""
    concluded_run(results, RUN, dag_run="javascript:alert(1)//dags/a/runs/b")
    assert "javascript:" not in viewer.get(f"/loadtest/runs/{RUN}").text


@pytest.mark.parametrize("suite_run_id", [RUN, "../elsewhere", "weekly-20261120-100000-abcdef"])
def test_a_manifest_whose_suite_is_no_suite(viewer: TestClient, results: Path, suite_run_id: str) -> None:
    """Of an earlier release, or damaged: the page is there, and no path is made of what is no id."""
    outside = begun_suite(results.parent, "elsewhere", "smoke")
    outside.update_manifest(suite={"runs": [{"profile": "other"}, {"profile": "smoke"}]})
    own = {"suite": "weekly", "suite_run_id": suite_run_id}
    concluded_run(results, RUN, dag_run=dag_run_page("load_test_manual", "r1"), **own)
    answer = viewer.get(f"/loadtest/runs/{RUN}")
    assert answer.status_code == 200
    assert 'href="/dags/load_test_manual/runs/r1/tasks/run_profile" data-airflow' in answer.text
