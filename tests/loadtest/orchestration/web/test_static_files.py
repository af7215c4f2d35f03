"""Scripts and styles: an allow-list of names, kept by the browser under an address that changes with the content."""

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web import static_files

pytestmark = pytest.mark.unit


def test_a_file_is_kept_under_the_address_that_pages_name(viewer: TestClient) -> None:
    """The page's link leads to it; its type is right, and the browser may keep it for itself."""
    page = viewer.get("/loadtest/docs/").text
    address = page.split('href="/loadtest/static/theme.css?v=')[1].split('"')[0]
    answer = viewer.get(f"/loadtest/static/theme.css?v={address}")
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Cache-Control"] == f"private, max-age={static_files.KEPT_S}"
    assert len(address) == 12


@pytest.mark.parametrize("name", ["nothing.js", "LICENSE.uPlot", "..%2Fpages.py", "%2e%2e%2fapp.py", "app.py"])
def test_nothing_else_is_given_out(viewer: TestClient, name: str) -> None:
    """No other file of the folders, and no path out of them."""
    assert viewer.get(f"/loadtest/static/{name}").status_code == 404


def test_names_are_of_one_file_each() -> None:
    """Two folders are served as one: a name in both would hide a file."""
    names = [path.name for folder in static_files.FOLDERS for path in folder.iterdir() if path.is_file()]
    assert len(names) == len(set(names))
