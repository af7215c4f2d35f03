"""The documentation in Airflow: its links work, and nothing in it is markup of this app."""

import posixpath
import re

import pytest
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web.docs_pages import FOLDER, rendered

pytestmark = pytest.mark.unit
ROOT = "/loadtest/docs"


def test_every_page_is_listed_and_opens(viewer: TestClient) -> None:
    """With and without `.md`, as the repository's links have it."""
    listed = set(re.findall(rf'href="{ROOT}/([^"]+)"', viewer.get(f"{ROOT}/").text))
    assert listed == {path.relative_to(FOLDER).as_posix().removesuffix(".md") for path in FOLDER.rglob("*.md")}
    for name in sorted(listed):
        assert viewer.get(f"{ROOT}/{name}").status_code == 200
    assert viewer.get(ROOT).text == viewer.get(f"{ROOT}/").text
    assert viewer.get(f"{ROOT}/operating.md").text == viewer.get(f"{ROOT}/operating").text


def test_links_between_pages_and_to_headings_lead_somewhere(viewer: TestClient) -> None:
    """Each link of each page: the page is there, and the heading too."""
    bodies = {
        path.relative_to(FOLDER).as_posix().removesuffix(".md"): viewer.get(f"{ROOT}/{path.relative_to(FOLDER)}").text
        for path in FOLDER.rglob("*.md")
    }
    broken = []
    for name, body in bodies.items():
        for href in re.findall(r'href="((?:/loadtest/docs/|#)[^"]*)"', body.split("<article")[1]):
            path, _, heading = href.partition("#")
            target = path.removeprefix(f"{ROOT}/") or name
            if target.startswith("pictures/"):
                continue
            if target not in bodies or (heading and f'id="{heading}"' not in bodies[target]):
                broken.append((name, href))
    assert broken == []


def test_html_and_scripts_are_text() -> None:
    """And no link runs anything."""
    body = rendered("# A <b>\n\n<script>1</script> [x](javascript:alert) ![y](data:text/html,1)", "page", ROOT)
    assert "<script" not in body
    assert 'href="javascript' not in body
    assert "&lt;script&gt;" in body


def test_links_are_of_this_app_and_others_open_nothing_of_it() -> None:
    """Relative ones below the app's own root; of files that are not served the text alone."""
    text = "[a](operating.md#x) [b](../include/x.py) [c](https://example.org) [d](#here) [e](alerts/history_away.md)"
    body = rendered(text, "monitoring", "/af/loadtest/docs")
    assert 'href="/af/loadtest/docs/operating#x"' in body
    assert "<a>b</a>" in body
    assert 'href="https://example.org" rel="noopener noreferrer"' in body
    assert 'href="#here"' in body
    assert 'href="/af/loadtest/docs/alerts/history_away"' in body
    assert 'href="/d/operating"' in rendered("[a](../operating.md)", "alerts/history_away", "/d")


def test_headings_have_ids_as_on_github() -> None:
    """Lower case, no signs, dashes; the second of a name is counted."""
    body = rendered("# What `make up` does: 1\n\n## Again\n\n## Again", "page", ROOT)
    assert re.findall(r'id="([^"]+)"', body) == ["what-make-up-does-1", "again", "again-1"]


def test_pictures_are_served(viewer: TestClient) -> None:
    """As what they are."""
    answer = viewer.get(f"{ROOT}/pictures/weekly-suite.png")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.content == (FOLDER / "pictures" / "weekly-suite.png").read_bytes()


@pytest.mark.parametrize("name", ["operatin", "../README", "..%2fREADME.md", "pictures/none.png"])
def test_an_unknown_page(viewer: TestClient, name: str) -> None:
    """404, with the nearest name where one is near; no path leads out of the folder."""
    answer = viewer.get(f"{ROOT}/{name}")
    assert answer.status_code == 404
    if name == "operatin":
        assert answer.json()["detail"].endswith("; did you mean operating?")
    assert posixpath.basename(name) == "README" or "PratikoAI" not in answer.text
