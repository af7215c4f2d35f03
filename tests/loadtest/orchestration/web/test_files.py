"""Files of bundles: the report cannot act as the user, other files are downloads, and only those of the list."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web.files import SANDBOX, STORED_PAGE, is_download
from tests.helpers.web_bundles import concluded_run

pytestmark = pytest.mark.unit


def test_the_report_is_sent_as_it_is_in_a_sandbox(viewer: TestClient, results: Path) -> None:
    """Byte for byte; with an origin of its own, it reaches nothing of Airflow's."""
    content = "<!doctype html><script>1</script> è".encode()
    concluded_run(results, "smoke-1").write_bytes("report.html", content)
    answer = viewer.get("/loadtest/runs/smoke-1/report")
    assert answer.content == content
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == STORED_PAGE
    assert STORED_PAGE.startswith(f"sandbox {SANDBOX}; default-src 'none'")
    assert "allow-same-origin" not in STORED_PAGE


@pytest.mark.parametrize("name", ["errors.json", "generator.log", "locust_results.html", "report.html"])
def test_other_files_are_downloads(viewer: TestClient, results: Path, name: str) -> None:
    """Never a page of this origin, whatever is in them: a browser keeps them under a name that says of which run."""
    concluded_run(results, "smoke-1").write_text(name, "<script>alert(1)</script>")
    answer = viewer.get(f"/loadtest/runs/smoke-1/files/{name}")
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="smoke-1-{name}"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", ["sessions.json", "samples", ".verdict.json.1.tmp", "..%2fbaseline-1%2fverdict.json"])
def test_what_is_not_on_the_list_is_not_there(viewer: TestClient, results: Path, name: str) -> None:
    """Also where a file of that name lies in the bundle."""
    bundle = concluded_run(results, "smoke-1")
    concluded_run(results, "baseline-1")
    for own in ("sessions.json", ".verdict.json.1.tmp"):
        (bundle.path / own).write_text("secret")
    answer = viewer.get(f"/loadtest/runs/smoke-1/files/{name}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_names_with_a_time_are_on_the_list() -> None:
    """Reports, summaries and reviews; nothing that only begins like one."""
    assert is_download("load_test_report_20261120_100000.json")
    assert is_download("load_test_review_20261120_100000.html")
    assert not is_download("load_test_report_20261120_100000.json.bak")


def test_a_run_without_the_file(viewer: TestClient, results: Path) -> None:
    """404, in one line."""
    concluded_run(results, "smoke-1")
    assert viewer.get("/loadtest/runs/smoke-1/report").json() == {"detail": "smoke-1 has no report.html"}
    assert viewer.get("/loadtest/runs/smoke-1/files/plot.png").status_code == 404
    assert viewer.get("/loadtest/suites/smoke-1/review").status_code == 404
