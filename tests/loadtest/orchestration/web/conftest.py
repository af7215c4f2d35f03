from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.helpers.web_app import COOKIE, airflow_login, mounted_app

Browse = Callable[[str | None], TestClient]


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A token of Airflow's for each role."""
    with airflow_login(tmp_path_factory.mktemp("airflow")) as made:
        yield made


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for bundles."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setenv("LOADTEST_RESULTS_URI", str(folder))
    monkeypatch.setenv("LOADTEST_DEFAULT_TARGET", "demo")
    monkeypatch.delenv("LOADTEST_HISTORY_URL", raising=False)
    return folder


@pytest.fixture
def browse(tokens: dict[str, str]) -> Browse:
    """Makes a client of the pages with a role's login; None: without one. Redirects are not followed."""

    def client(role: str | None) -> TestClient:
        found = TestClient(mounted_app(), base_url="http://airflow.example", follow_redirects=False)
        if role is not None:
            found.cookies.set(COOKIE, tokens[role])
        return found

    return client


@pytest.fixture
def viewer(browse: Browse) -> TestClient:
    """A client of one who may look, and no more."""
    return browse("viewer")
