"""A review in real Chromium: four answers on the first screen, by keyboard, on a phone, in the dark, asking nobody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from include.loadtest.reporting.review_page import review_html
from tests.helpers.browser import DESKTOP, PHONE, axe, chromium, opened, scrolls_sideways, tab_stops
from tests.helpers.planted_review import full_review
from tests.helpers.reviews import review_of

pytestmark = pytest.mark.browser
QUESTIONS = ["How many users do we carry?", "What to buy?", "What changed?", "What to decide?"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A quarterly review with something of everything, hostile names among it."""
    return _written(tmp_path_factory.mktemp("review") / "review.html", review_html(full_review()))


def _written(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    return file.as_uri()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_four_answers_stand_on_the_first_screen(browser: Browser, page_url: str, size: tuple[int, int]) -> None:
    """Each question with its answer in a word or two, and the page is no wider than the window."""
    with opened(browser, page_url, size=size) as found:
        heads = found.page.locator(".question .head")
        assert [head.locator("h2").inner_text() for head in heads.all()] == QUESTIONS
        assert heads.first.locator(".short").inner_text() == "50 users (planned 50 to 100)"
        boxes = [head.bounding_box() for head in heads.all()]
        assert all(box is not None and box["y"] + box["height"] <= size[1] for box in boxes)
        assert not scrolls_sideways(found.page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_is_accessible_and_asks_nobody(browser: Browser, page_url: str, dark: bool) -> None:
    """No serious finding of axe in either theme, no error in the console, no request but for the file itself."""
    with opened(browser, page_url, dark=dark) as found:
        assert axe(found.page) == []
        assert found.seen.elsewhere(page_url) == []


def test_a_phone_has_no_serious_finding(browser: Browser, page_url: str) -> None:
    """Tables that are wider than the screen can be reached and scrolled by keyboard."""
    with opened(browser, page_url, size=PHONE) as found:
        assert axe(found.page) == []
        assert any(stop.startswith("div: Table: Capacity") for stop in tab_stops(found.page))


def test_it_works_by_keyboard(browser: Browser, page_url: str) -> None:
    """From the skip link over the theme to the values of a picture and the reports of the runs."""
    with opened(browser, page_url) as found:
        stops = tab_stops(found.page)
        assert stops[0] == "a: Skip to the review"
        for wanted in ("a: Decisions", "button: Dark", "summary: Values of peak_hours", "a: tax_deadline-1"):
            assert any(stop.startswith(wanted) for stop in stops), wanted
        found.page.locator("#theme").focus()
        found.page.keyboard.press("Enter")
        assert found.page.evaluate("document.documentElement.dataset.theme") == "dark"
        found.page.locator("summary").first.focus()
        found.page.keyboard.press("Enter")
        assert found.page.get_by_role("cell", name="4,420 ms").first.is_visible()


def test_hostile_names_are_only_text(browser: Browser, page_url: str) -> None:
    """No element of theirs, no script, no dialog; they can be read as they are."""
    with opened(browser, page_url) as found:
        assert found.page.locator("script").count() == 1, "the page's own"
        assert found.page.locator("main img").count() == 0
        assert "<script>alert(1)</script>" in found.page.locator("#trends").inner_text()


def test_on_paper_everything_is_open(browser: Browser, page_url: str) -> None:
    """Buttons and links of the bar are gone, and nothing is cut at the side."""
    with opened(browser, page_url) as found:
        found.page.emulate_media(media="print")
        assert not found.page.locator("header.bar").is_visible()
        assert found.page.locator("#decisions").is_visible()


def test_without_a_history_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    """In the answers, in place of the pictures; the page works all the same."""
    with opened(browser, _written(tmp_path / "review.html", review_html(review_of()))) as found:
        assert "Not known: the history gave no answer" in found.page.locator("#trends").inner_text()
        assert "is not known: the history gave no answer" in found.page.locator(".questions").inner_text()
        assert axe(found.page) == []
