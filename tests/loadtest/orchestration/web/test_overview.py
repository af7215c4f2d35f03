"""The first page, on a real history: verdicts and why, who has a target, what runs; and what is left without one."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from include.loadtest.errors import InfrastructureError
from include.loadtest.history.database import downgrade, is_newest
from include.loadtest.history.locks import acquire_lock, stand_in_line
from include.loadtest.history.schema import METRIC, RUN, TICKET, TICKET_EVENT
from include.loadtest.history.store import connect
from include.loadtest.orchestration.web import overview, sources
from tests.helpers.live_bundles import live_document
from tests.helpers.web_bundles import begun_run, begun_suite, concluded_run, concluded_suite

pytestmark = pytest.mark.integration
NOW = datetime.now(UTC)
HTML = {"Accept": "text/html"}
STAMP = "20261120-100000-abcdef"


def _record(url: str, uri: str, verdict: str, hours_ago: float, **values: object) -> str:
    run_id = uri.rstrip("/").rpartition("/")[2]
    row = {"run_id": run_id, "profile": run_id.split("-")[0], "engine": "locust", "target": "demo", "verdict": verdict}
    row |= {"started": NOW - timedelta(hours=hours_ago), "comparability_key": "k", "comparability": {}}
    row |= {"environment": {}, "bundle_uri": uri}
    p95 = {"run_id": run_id, "metric": "latency_p95_ms", "scope": "all", "phase": "hold", "value": 812.0}
    with connect(url).begin() as connection:
        connection.execute(insert(RUN).values(**(row | values)))
        connection.execute(insert(METRIC).values(**p95, unit="ms", n=100, direction="lower"))
    return run_id


@pytest.fixture
def told_history(fresh_history: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The history as the API server finds it; nobody has a target or waits."""
    monkeypatch.setenv("LOADTEST_HISTORY_URL", fresh_history)
    yield fresh_history
    with connect(fresh_history).begin() as connection:
        connection.exec_driver_sql("TRUNCATE loadtest.target_lock, loadtest.target_waiter")


@pytest.mark.usefixtures("told_history")
def test_a_history_without_a_run(viewer: TestClient) -> None:
    """It says how to start the first one."""
    page = viewer.get("/loadtest/").text
    assert "No run yet" in page
    assert 'href="/dags/load_test_manual" data-airflow' in page


def test_a_history_of_an_earlier_release_is_brought_up_to_date_by_the_first_page(
    viewer: TestClient, told_history: str
) -> None:
    """After an upgrade of the program people look before anything runs: the tables of today are made then."""
    _record(told_history, "file:///results/smoke-1", "PASS", 30)
    downgrade(told_history, "0001")
    sources._engine.cache_clear()
    page = viewer.get("/loadtest/").text
    assert 'href="/loadtest/runs/smoke-1"' in page
    assert is_newest(connect(told_history))


def test_profiles_with_verdict_reason_picture_and_next_run(
    viewer: TestClient, told_history: str, results: Path
) -> None:
    """Scheduled suites test the default target: a profile on another is started by hand only."""
    _record(told_history, str(results / "normal_day-1"), "PASS", 30)
    bundle = concluded_run(results, "normal_day-2", "SLA_BREACH", (("slo_missed", "P95 of all in hold: 9 s"),))
    _record(told_history, bundle.path.as_uri(), "SLA_BREACH", 2)
    _record(told_history, str(results / "smoke-1"), "WARN", 3, target="staging")
    page = viewer.get("/loadtest/").text
    rows = page.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")[1:]
    assert len(rows) == 2
    assert "P95 of all in hold: 9 s" in rows[0]
    assert 'href="/loadtest/runs/normal_day-2"' in rows[0]
    assert "Last 2 runs: 1 PASS, 1 SLA_BREACH; P95 from 812 to 812 ms" in rows[0]
    assert "02:00 UTC" in rows[0]
    assert "by hand only" in rows[1]
    assert "Never run: baseline" in page


def test_who_has_the_target_and_what_runs(viewer: TestClient, told_history: str, results: Path) -> None:
    """With the way to the live page; the run is not in the history yet."""
    begun_suite(results, f"weekly-{STAMP}", "smoke")
    begun_run(results, f"smoke-{STAMP}").write("live.json", live_document(f"smoke-{STAMP}"))
    engine = connect(told_history)
    acquire_lock(engine, "demo", "load_test_weekly/run1 at here", f"weekly-{STAMP}", 60)
    stand_in_line(engine, "demo", "load_test_manual/run2 at here", "soak-1")
    page = viewer.get("/loadtest/").text
    assert f'href="/loadtest/runs/smoke-{STAMP}"><b>smoke</b> on demo: live page' in page
    assert f"held by load_test_weekly/run1 at here for weekly-{STAMP} since" in page
    assert "load_test_manual/run2 at here waits for soak-1 since" in page


def test_suites_with_their_last_verdicts(viewer: TestClient, told_history: str, results: Path) -> None:
    """With the way to the suite's page."""
    concluded_suite(results, f"weekly-{STAMP}", "WARN", {f"smoke-{STAMP}": "WARN"})
    _record(told_history, str(results / f"smoke-{STAMP}"), "WARN", 1, suite="weekly", suite_run_id=f"weekly-{STAMP}")
    page = viewer.get("/loadtest/").text
    assert f'<a href="/loadtest/suites/weekly-{STAMP}">weekly</a> on demo' in page
    assert "1 WARN" in page.split(">weekly</a>")[1][:200]


def test_a_broken_history_costs_only_what_it_knows(
    viewer: TestClient, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line says what to do; bundles and the calendar are shown all the same, and runs open."""
    monkeypatch.setenv("LOADTEST_HISTORY_URL", "postgresql://u:secret@127.0.0.1:1/history")
    concluded_run(results, f"smoke-{STAMP}", "SLA_BREACH", (("slo_missed", "P95 too high"),))
    answer = viewer.get("/loadtest/", headers=HTML)
    assert answer.status_code == 200
    assert "Check the connection loadtest_history" in answer.text
    assert "secret" not in answer.text
    assert "P95 too high" in answer.text
    assert "load_test_weekly" in answer.text
    assert viewer.get(f"/loadtest/runs/smoke-{STAMP}").status_code == 200
    refused = viewer.get("/loadtest/trends", headers=HTML)
    assert refused.status_code == 503
    assert "history database" in refused.text


def test_a_calendar_that_is_wrong_costs_only_the_next_runs(
    viewer: TestClient, told_history: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named; the rest of the page is there."""
    _record(told_history, str(results / "smoke-1"), "PASS", 1)

    def fail(_now: datetime) -> None:
        raise overview.ConfigError("calendar.yaml:3: no such month")

    monkeypatch.setattr(overview, "next_runs", fail)
    page = viewer.get("/loadtest/").text
    assert "calendar.yaml:3: no such month" in page
    assert 'href="/loadtest/runs/smoke-1"' in page


def test_a_run_page_from_the_history_alone_and_its_issue(viewer: TestClient, told_history: str, results: Path) -> None:
    """A run whose bundle has gone; the GitHub issue that it opened is linked, an address that is none is not."""
    bundle = concluded_run(results, "smoke-2", "SLA_BREACH", (("slo_missed", "too slow"),))
    _record(told_history, str(bundle.path), "SLA_BREACH", 1)
    _record(told_history, str(results / "smoke-1"), "PASS", 2)
    problem = {"profile": "smoke", "scope": "all", "metric": "error_rate", "direction": "up", "target": "demo"}
    with connect(told_history).begin() as connection:
        for mark, run_id, url in (
            ("a", "smoke-2", "https://github.com/o/r/issues/7"),
            ("b", "smoke-1", "javascript:1"),
        ):
            connection.execute(insert(TICKET).values(fingerprint=mark, state="open", url=url, **problem))
            connection.execute(insert(TICKET_EVENT).values(fingerprint=mark, run_id=run_id, kind="opened"))
    assert 'href="https://github.com/o/r/issues/7"' in viewer.get("/loadtest/runs/smoke-2").text
    alone = viewer.get("/loadtest/runs/smoke-1").text
    assert "it has gone from" in alone
    assert "javascript" not in alone


def test_the_pages_make_the_tables_of_a_new_database(
    viewer: TestClient, history_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first run there is nothing to read, and that is no fault."""
    engine = connect(history_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CREATE DATABASE new_history")
    monkeypatch.setenv("LOADTEST_HISTORY_URL", engine.url.set(database="new_history").render_as_string(False))
    assert "No run yet" in viewer.get("/loadtest/").text


@pytest.mark.usefixtures("told_history")
def test_the_last_runs_are_read_where_the_history_fails_later(
    viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that goes away between two pages is told as one that was never there."""
    assert viewer.get("/loadtest/").status_code == 200

    def gone(_engine: object) -> None:
        raise InfrastructureError("history database h at p: connection refused")

    monkeypatch.setattr(overview, "read_overview", gone)
    assert "connection refused: the table of profiles" in viewer.get("/loadtest/").text
