"""report.html in Chromium: quiet, accessible, by keyboard and on a phone, and with its three answers in sight."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from include.loadtest.reporting.page.report_page import report_html
from include.loadtest.reporting.report import build_report
from tests.helpers.browser import DESKTOP, PHONE, axe, chromium, opened, scrolls_sideways
from tests.helpers.report_pages import REASONS, made_charts, report_bundle

pytestmark = pytest.mark.browser

SIZES = {"desktop": DESKTOP, "phone": PHONE}
BOTTOM = "elements => Math.max(...elements.map(element => element.getBoundingClientRect().bottom))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def urls(tmp_path_factory) -> Mapping[str, str]:
    """A page a verdict, one with hostile texts, one with many instances, and one of a run without load."""
    folder: Path = tmp_path_factory.mktemp("pages")

    def page(name: str, verdict: str, *, hostile: bool = False, load: bool = True) -> str:
        bundle = report_bundle(folder / name, verdict, hostile=hostile)
        charts = made_charts(hostile=hostile) if load else None
        file = bundle.write_text("report.html", report_html(build_report(bundle), charts))
        return file.as_uri()

    made = {verdict: page(verdict, verdict) for verdict in REASONS}
    made["hostile"] = page("hostile", "SLA_BREACH", hostile=True)
    many = made_charts()
    many["resources"] = [many["resources"][0] | {"instance": f"pod{number}"} for number in range(61)] + many[
        "resources"
    ]
    bundle = report_bundle(folder / "many", "WARN")
    made["many"] = bundle.write_text("report.html", report_html(build_report(bundle), many)).as_uri()
    made["no load"] = page("no_load", "ABORTED", load=False)
    return made


def value_at(page: Page) -> str:
    return page.locator("#charts-load .chart-plot").first.get_attribute("aria-valuetext") or ""


@pytest.mark.parametrize("size", sorted(SIZES))
@pytest.mark.parametrize("verdict", sorted(REASONS))
def test_the_first_screen_answers_release_why_and_what_next(browser, urls, verdict, size) -> None:
    """Whole, without scrolling, and the page does not scroll sideways."""
    with opened(browser, urls[verdict], size=SIZES[size]) as shown:
        assert shown.page.locator(".answers dt").all_inner_texts() == ["Release?", "Why?", "What next?"]
        assert all(shown.page.locator(".answers dd.first").all_inner_texts())
        assert shown.page.locator(".answers dd").evaluate_all(BOTTOM) <= SIZES[size][1]
        assert not scrolls_sideways(shown.page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_fetched_and_axe_finds_nothing_serious(browser, urls, dark) -> None:
    """In both themes, with every table of values open."""
    with opened(browser, urls["SLA_BREACH"], dark=dark) as shown:
        for summary in shown.page.locator("details summary").all():
            summary.click()
        assert shown.seen.elsewhere(urls["SLA_BREACH"]) == []
        assert axe(shown.page) == []


def test_a_run_without_load_is_accessible_and_says_so(browser, urls) -> None:
    """No empty box where a chart would be."""
    with opened(browser, urls["no load"], size=PHONE) as shown:
        assert shown.page.locator("canvas").count() == 0
        assert "so there is nothing to show here" in shown.page.locator("#time").inner_text()
        assert axe(shown.page) == []


def test_hostile_text_sets_nothing(browser, urls) -> None:
    """It is shown as text: no dialog, no element, no attribute of its own, no request."""
    with opened(browser, urls["hostile"]) as shown:
        for summary in shown.page.locator("details summary").all():
            summary.click()
        assert shown.page.locator("img, [onerror]").count() == 0
        assert "alert(2)" in shown.page.locator("#errors").inner_text()
        assert shown.seen.elsewhere(urls["hostile"]) == []


def test_the_keyboard_reads_values_zooms_all_charts_and_shows_all_again(browser, urls) -> None:
    """Arrows, plus, Escape on the focused plot."""
    with opened(browser, urls["PASS"]) as shown:
        page = shown.page
        page.locator("#charts-load .chart-plot").first.focus()
        for key in ("Home", "PageUp", "ArrowRight"):
            page.keyboard.press(key)
        page.wait_for_function("document.querySelector('.chart-plot').getAttribute('aria-valuetext').includes('P95 ')")
        assert "20:00:55 UTC" in value_at(page)
        page.keyboard.press("+")
        page.wait_for_function("!document.querySelector('.chart-reset').hidden")
        assert page.locator(".chart-reset:visible").count() == page.locator(".chart").count()
        page.keyboard.press("Escape")
        page.wait_for_function("document.querySelector('.chart-reset').hidden")
        assert page.locator(".chart-reset:visible").count() == 0


def test_dragging_zooms_and_a_double_click_shows_all(browser, urls) -> None:
    """With the mouse, as the text above the charts says."""
    with opened(browser, urls["PASS"]) as shown:
        plot = shown.page.locator("#charts-load .u-over").first
        plot.scroll_into_view_if_needed()
        box = plot.bounding_box()
        assert box is not None
        y = box["y"] + box["height"] / 2
        shown.page.mouse.move(box["x"] + 100, y)
        shown.page.mouse.down()
        shown.page.mouse.move(box["x"] + 400, y, steps=4)
        shown.page.mouse.up()
        shown.page.wait_for_function("!document.querySelector('.chart-reset').hidden")
        plot.dblclick()
        shown.page.wait_for_function("document.querySelector('.chart-reset').hidden")


MARK_VISIBLE = """() => {
  const wanted = document.querySelectorAll("a[href], button, input, summary, .chart-plot, [tabindex='0']");
  window.missed = new Set([...wanted].filter((one) => one.checkVisibility()));
  document.addEventListener("focusin", (event) => window.missed.delete(event.target));
  return window.missed.size;
}"""


def test_tab_reaches_every_control(browser, urls) -> None:
    """Links, buttons, the box, plots and summaries; on a phone also the tables that scroll."""
    with opened(browser, urls["SLA_BREACH"], size=PHONE) as shown:
        for _ in range(shown.page.evaluate(MARK_VISIBLE) + 5):
            shown.page.keyboard.press("Tab")
        missed = "[...window.missed].map((one) => one.outerHTML.slice(0, 80))"
        assert shown.page.evaluate(missed) == []


def test_the_theme_button_changes_the_theme(browser, urls) -> None:
    """Light by the system's wish, dark after the button."""
    background = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, urls["PASS"]) as shown:
        before = shown.page.evaluate(background)
        shown.page.locator("#theme").click()
        assert shown.page.locator("#theme").get_attribute("aria-pressed") == "true"
        assert shown.page.evaluate(background) != before


def test_paper_is_light_and_shows_the_charts(browser, urls) -> None:
    """Whatever the screen's theme was; the bar with its buttons is not printed."""
    with opened(browser, urls["PASS"], dark=True) as shown:
        shown.page.emulate_media(media="print")
        shown.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert shown.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert not shown.page.locator("header.bar").is_visible()
        assert shown.page.locator("#charts-load canvas").first.is_visible()
        shown.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert shown.page.evaluate("document.documentElement.dataset.theme") is None


def test_every_chart_has_its_values_as_a_table(browser, urls) -> None:
    """Rows for the windows, each lower bound with its sign."""
    with opened(browser, urls["PASS"]) as shown:
        summaries = shown.page.locator(".chart-values summary")
        assert summaries.count() == shown.page.locator(".chart").count()
        summaries.first.click()
        rows = shown.page.locator("#charts-load .chart-values").first.locator("tbody tr")
        rows.nth(119).wait_for()
        signs = {place: text.count("≥") for place, text in enumerate(rows.all_inner_texts()) if "≥" in text}
        assert signs == {50: 3, 60: 2, 70: 1}


def test_the_evidence_has_its_bounds_where_they_belong_among_many_series(browser, urls) -> None:
    """Beside readings of other times, and of more instances than are drawn: nothing fails, and one row has the sign."""
    with opened(browser, urls["many"]) as shown:
        evidence = shown.page.locator("#chart-evidence")
        evidence.locator(".chart-values summary").click()
        rows = evidence.locator(".chart-values tbody tr")
        rows.nth(239).wait_for()
        assert [text.split("\t")[0] for text in rows.all_inner_texts() if "≥" in text] == ["2026-11-26 20:04:10 UTC"]
        assert "4 more series are not drawn" in shown.page.locator("#time").inner_text()
