"""The experiment on screens calls an answer seen only where all of it is in sight."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from experiments.screens import ANSWERS, BOTTOM, answer_text
from include.loadtest.reporting.page.report_page import report_html
from include.loadtest.reporting.report import build_report
from tests.helpers.browser import DESKTOP, chromium, opened
from tests.helpers.report_pages import report_bundle

pytestmark = pytest.mark.browser
RELEASE, WHY, NEXT = ANSWERS


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[Page]:
    """The report of a breach."""
    bundle = report_bundle(tmp_path_factory.mktemp("screens"), "SLA_BREACH")
    file = bundle.write_text("report.html", report_html(build_report(bundle), None))
    with chromium() as browser, opened(browser, file.as_uri(), size=DESKTOP) as shown:
        yield shown.page


def test_an_answer_ends_with_its_last_sentence(page: Page) -> None:
    """Its place is that of the answer, not of the question above it."""
    end = page.locator(".answers div", has=page.get_by_text(WHY, exact=True)).locator("dd").evaluate_all(BOTTOM)
    question_end = page.get_by_text(WHY, exact=True).evaluate_all(BOTTOM)
    assert question_end < end - 1
    assert answer_text(page, WHY, DESKTOP[1]).startswith(f"{WHY} ends at y={end:.0f}: At least one critical limit")
    assert answer_text(page, WHY, int(end) + 1) != f"{WHY} missing"
    assert answer_text(page, WHY, int(end) - 1) == f"{WHY} missing", "the question alone would be in sight"


def test_an_answer_without_words_is_missing(page: Page) -> None:
    """However high it stands; a question that is not there has no answer either."""
    assert ": No" in answer_text(page, RELEASE, DESKTOP[1])
    page.locator(".answers dd").evaluate_all("elements => elements.forEach((one) => { one.textContent = ' '; })")
    assert answer_text(page, RELEASE, DESKTOP[1]) == f"{RELEASE} missing"
    page.locator(".answers div", has=page.get_by_text(NEXT, exact=True)).evaluate("element => element.remove()")
    assert answer_text(page, NEXT, DESKTOP[1]) == f"{NEXT} missing"
