"""Headers of every answer, errors as pages or JSON, HEAD, and addresses below another root."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web import overview
from include.loadtest.orchestration.web.app import HEADERS, POLICY
from tests.helpers.web_app import COOKIE, mounted_app
from tests.helpers.web_bundles import concluded_run

pytestmark = pytest.mark.unit
HTML = {"Accept": "text/html"}


@pytest.mark.parametrize("path", ["", "docs/", "runs/smoke-1", "runs/nothing", "nowhere", "dag-runs/a/b"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_has_the_security_headers(viewer: TestClient, results: Path, path: str, accept: str) -> None:
    """Pages, errors and redirects alike: no script but the app's own, no frame around it but Airflow's."""
    concluded_run(results, "smoke-1")
    answer = viewer.get(f"/loadtest/{path}", headers={"Accept": accept})
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "unsafe-inline" not in POLICY


def test_without_a_login_a_browser_gets_the_way_to_it(browse: Callable[[str | None], TestClient]) -> None:
    """A page that needs nothing else, whose link comes back to where the person wanted to go; a program gets JSON."""
    answer = browse(None).get("/loadtest/runs/smoke-1?x=1", headers=HTML)
    assert answer.status_code == 401
    assert 'href="/api/v2/auth/login?next=%2Floadtest%2Fruns%2Fsmoke-1%3Fx%3D1"' in answer.text
    assert '<link rel="stylesheet"' not in answer.text
    assert browse(None).get("/loadtest/runs/smoke-1").json() == {"detail": "Not authenticated"}


def test_an_address_that_leads_nowhere(viewer: TestClient) -> None:
    """404, in one line, with the way back."""
    answer = viewer.get("/loadtest/no/where", headers=HTML)
    assert answer.status_code == 404
    assert "there is no such page" in answer.text
    assert 'href="/loadtest/"' in answer.text


def test_head_is_get_without_a_body(viewer: TestClient) -> None:
    """Same status and headers, and no content."""
    get, head = viewer.get("/loadtest/docs/"), viewer.head("/loadtest/docs/")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_a_fault_of_the_program_is_a_page_too(tokens: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """500 with the security headers, without the error's own text, which may hold anything."""

    def fail(_now: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(overview, "_schedule", fail)
    client = TestClient(mounted_app(), raise_server_exceptions=False, cookies={COOKIE: tokens["viewer"]})
    answer = client.get("/loadtest/", headers=HTML)
    assert answer.status_code == 500
    assert "RuntimeError" in answer.text
    assert "secret" not in answer.text
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_below_another_root_all_addresses_move(tokens: dict[str, str], results: Path) -> None:
    """Airflow may live at https://host/airflow: links of the pages and to Airflow follow."""
    concluded_run(results, "smoke-20261120-100000-abcdef")
    client = TestClient(mounted_app("/airflow"), cookies={COOKIE: tokens["viewer"]})
    page = client.get("/airflow/loadtest/").text
    assert 'href="/airflow/loadtest/runs/smoke-20261120-100000-abcdef"' in page
    assert 'href="/airflow/dags/load_test_weekly"' in page
    assert 'href="/loadtest/' not in page
