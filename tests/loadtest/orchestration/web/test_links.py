"""Addresses are paths, with every part quoted."""

import pytest
from fastapi import Request

from include.loadtest.orchestration.web.links import airflow_link, link, login_link

pytestmark = pytest.mark.unit


def _request(root: str = "/loadtest", path: str = "/loadtest/", query: bytes = b"") -> Request:
    scope = {"type": "http", "root_path": root, "path": path, "query_string": query, "headers": []}
    return Request(scope | {"server": ("h", 80), "scheme": "http"})


def test_pages_of_the_app() -> None:
    """Without parts the overview; a query that is None is left out; nothing in a part ends it."""
    assert link(_request()) == "/loadtest/"
    assert link(_request(), "compare", a="x&y", b=None) == "/loadtest/compare?a=x%26y"
    assert link(_request("/af/loadtest"), "runs", "a/../b?c") == "/af/loadtest/runs/a%2F..%2Fb%3Fc"


def test_pages_of_airflow() -> None:
    """Below Airflow's own root, or another installation's address."""
    parts = ("dags", "d", "runs", "manual__2026-11-20T10:00:00+00:00")
    assert airflow_link(_request("/af/loadtest"), *parts) == "/af/dags/d/runs/manual__2026-11-20T10%3A00%3A00%2B00%3A00"
    assert airflow_link(_request(), "dags", "d", base="https://other.example") == "https://other.example/dags/d"


def test_the_login_comes_back() -> None:
    """With the query that was asked for."""
    asked = _request(path="/loadtest/trends", query=b"profile=smoke")
    assert login_link(asked) == "/api/v2/auth/login?next=%2Floadtest%2Ftrends%3Fprofile%3Dsmoke"
