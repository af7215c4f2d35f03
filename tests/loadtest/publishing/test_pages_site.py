import re
from html.parser import HTMLParser

import pytest

from include.loadtest.publishing.pages_index import IndexEntry
from include.loadtest.publishing.pages_site import index_page, run_page
from include.loadtest.reporting.summary import plot_section

pytestmark = pytest.mark.unit
ENTRY = IndexEntry("smoke-1", "SLA_BREACH", "smoke", None, "demo", "2026-01-05T06:00:00.000000Z")
SUMMARY = (
    "# ❌ SLA_BREACH: Smoke\n\n**A limit was missed.**\n\n## Limits\n\n| limit | n |\n| --- | --- |\n| p95 | 20 |\n"
)
HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=y> ![x](https://evil.example/x.png) [x](javascript:alert(1)) "
    '[y](data:text/html,x) "><svg onload=z>'
)


class Tags(HTMLParser):
    """All elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in names]


def test_a_runs_page_is_its_summary_with_the_picture_above_the_figures() -> None:
    """The verdict first; the table is a table; the files are linked by their names."""
    page = run_page(ENTRY, SUMMARY, ["verdict.json", "locust_results.html"], "load_test_plot.png")
    verdict, picture, limits = (page.index(text) for text in ("<h1>❌ SLA_BREACH", "<img src=", "<h2>Limits"))
    assert verdict < picture < limits
    assert "<td>p95</td>" in page
    assert "<title>SLA_BREACH · smoke · 2026-01-05 06:00:00 UTC</title>" in page
    links = [attributes["href"] for attributes in Tags(page).of("a")]
    assert links == ["../", "verdict.json", "locust_results.html"]


def test_a_run_without_a_picture_has_none() -> None:
    """An image that cannot be loaded says nothing."""
    assert Tags(run_page(ENTRY, SUMMARY, [], None)).of("img") == []


def test_foreign_text_stays_text() -> None:
    """Neither a script nor an image of elsewhere nor an address that runs something, whatever a summary contains."""
    tags = Tags(run_page(ENTRY, f"# {HOSTILE}\n\n{HOSTILE}\n", [], None))
    assert tags.of("script", "svg", "img") == []
    assert not any(name.startswith("on") for _, attributes in tags.found for name in attributes)
    assert all(re.match(r"\.\./|https://evil", str(link["href"])) for link in tags.of("a"))


@pytest.mark.parametrize("field", ["profile", "suite", "target"])
def test_foreign_text_of_the_list_stays_text(field: str) -> None:
    """The list comes from a file that others may write."""
    entry = IndexEntry("smoke-1", **{field: HOSTILE})
    for page in (index_page([entry]), run_page(entry, "", [], None)):
        tags = Tags(page)
        assert tags.of("script", "svg", "img") == []
        assert not any(name.startswith("on") for _, attributes in tags.found for name in attributes)
    assert "&lt;script&gt;" in index_page([entry])


def test_the_picture_is_shown_once_though_the_summary_has_it_too() -> None:
    """Above the figures; where it could not be published, no link to it is left."""
    summary = f"{SUMMARY}\n{plot_section('load_test_plot.png')}\n"
    assert Tags(run_page(ENTRY, summary, [], "load_test_plot.png")).of("img")[0]["src"] == "load_test_plot.png"
    for plot, times in (("load_test_plot.png", 1), (None, 0)):
        page = run_page(ENTRY, summary, [], plot)
        assert page.count("load_test_plot.png") == times
        assert "Over time" not in page


def test_the_list_shows_each_runs_verdict_subject_target_and_time() -> None:
    """In the given order; what is not known says so."""
    suite = IndexEntry("weekly-1", "PASS", None, "weekly", "demo", "2026-01-04T02:00:00.000000Z")
    page = index_page([ENTRY, suite, IndexEntry("smoke-0")])
    rows = [re.sub(r"<[^>]+>", " | ", row) for row in re.findall(r"<tr>(<td>.*)</tr>", page)]
    cells = [[cell for cell in row.split(" | ") if cell] for row in rows]
    assert cells == [
        ["❌ SLA_BREACH", "smoke", "demo", "2026-01-05 06:00:00 UTC", "smoke-1"],
        ["✅ PASS", "suite weekly", "demo", "2026-01-04 02:00:00 UTC", "weekly-1"],
        ["verdict not known", "not known", "not known", "–", "smoke-0"],
    ]
    assert [link["href"] for link in Tags(page).of("a")] == ["smoke-1/", "weekly-1/", "smoke-0/"]


def test_pages_fit_a_phone_and_its_theme_and_fetch_nothing() -> None:
    """A policy of the page's own forbids scripts and other hosts."""
    for page in (index_page([]), run_page(ENTRY, SUMMARY, [], None)):
        tags = Tags(page)
        assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in tags.of("meta")
        [policy] = [str(meta["content"]) for meta in tags.of("meta") if "http-equiv" in meta]
        assert policy.startswith("default-src 'none'; img-src 'self';")
        assert "prefers-color-scheme:dark" in page
        assert tags.of("link", "script") == []
        assert "url(" not in page
