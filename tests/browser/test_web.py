"""Overview, run, suite and documentation in real Chromium: no error, accessible, by keyboard, on a phone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Page

from include.loadtest.history.overview import Overview, PastRun, ProfileRuns, TargetUse, Waiting
from include.loadtest.orchestration.web import overview, run_page
from tests.helpers.browser import PHONE, axe, chromium, opened, scrolls_sideways, tab_stops
from tests.helpers.web_app import airflow_login, cookie, mounted_app, served
from tests.helpers.web_bundles import begun_run, concluded_run, concluded_suite

pytestmark = pytest.mark.browser
STAMP = "20261120-100000-abcdef"
VERDICTS = ("PASS", "WARN", "SLA_BREACH", "REGRESSION", "INCONCLUSIVE", "ABORTED")
REPORT = """<!doctype html><html lang="en"><head><title>r</title></head><body><h1>Report</h1><script>
let reached = "nothing";
try { reached = parent.document.title } catch (error) { reached = "refused" }
document.body.append(reached + " " + (() => { try { return document.cookie } catch { return "no cookie" } })());
</script></body></html>"""
EVIL = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, Any]]]:
    """The app with a run of each verdict; its address, and the cookie of one who may look."""
    folder = tmp_path_factory.mktemp("web")
    with pytest.MonkeyPatch.context() as patch, airflow_login(folder) as tokens:
        patch.setenv("LOADTEST_RESULTS_URI", str(folder / "results"))
        patch.setenv("LOADTEST_DEFAULT_TARGET", "demo")
        _fill(folder / "results")
        patch.setattr(overview, "_history", lambda: (_told(folder / "results"), None))
        with served(mounted_app()) as address:
            yield f"{address}/loadtest", cookie(tokens["viewer"], address)


def _fill(results: Path) -> None:
    for verdict in VERDICTS:
        bundle = concluded_run(results, _id(verdict), verdict, (("slo_missed", f"{EVIL} of {verdict}"),))
        bundle.write_text("report.html", REPORT)
    begun_run(results, f"soak-{STAMP}")
    concluded_suite(results, f"weekly-{STAMP}", "ABORTED", {_id(verdict): verdict for verdict in VERDICTS})


def _id(verdict: str) -> str:
    return f"smoke-{VERDICTS.index(verdict)}-{STAMP}"


def _told(results: Path) -> Overview:
    now = datetime.now(UTC)
    runs = tuple(
        PastRun(_id(word), word, now - timedelta(hours=place), None, 700.0 + place, str(results / _id(word)), now)
        for place, word in enumerate(VERDICTS)
    )
    profiles = tuple(ProfileRuns(f"profile_{place}", "demo", runs[place:]) for place in range(len(VERDICTS)))
    waiting = (Waiting("load_test_manual/b at here", "smoke-9", now),)
    return Overview(profiles, (), (TargetUse("demo", "load_test_manual/a at here", f"soak-{STAMP}", now, waiting),))


@pytest.mark.parametrize("page", ["/", f"/runs/{_id('SLA_BREACH')}", f"/suites/weekly-{STAMP}", "/docs/operating"])
def test_pages_are_clean_on_a_desk_and_on_a_phone(
    browser: Browser, pages: tuple[str, dict[str, Any]], page: str
) -> None:
    """No error, nothing asked of another host, no serious finding of axe in either theme; nothing scrolls sideways."""
    address, login = pages
    for size, dark in (((1440, 900), False), (PHONE, True)):
        with opened(browser, f"{address}{page}", size=size, dark=dark, cookies=(login,)) as found:
            assert axe(found.page) == []
            assert not scrolls_sideways(found.page)
            assert found.seen.elsewhere(address) == []


def test_from_the_overview_to_a_run_by_keyboard(browser: Browser, pages: tuple[str, dict[str, Any]]) -> None:
    """The Tab key reaches the first content at once, each run and the live page; Enter opens it."""
    address, login = pages
    with opened(browser, f"{address}/", cookies=(login,)) as found:
        stops = tab_stops(found.page)
        assert stops[0] == "a: Skip to content"
        assert any("live page" in stop for stop in stops)
        found.page.get_by_role("link", name="SLA_BREACH").first.focus()
        found.page.keyboard.press("Enter")
        found.page.wait_for_url("**/runs/*")
        assert found.page.locator("dd.release").inner_text() == "No"


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_three_answers_are_on_the_first_screen(
    browser: Browser, pages: tuple[str, dict[str, Any]], verdict: str
) -> None:
    """Of a desk, whatever the verdict; hostile text in them is text."""
    address, login = pages
    with opened(browser, f"{address}/runs/{_id(verdict)}", cookies=(login,)) as found:
        for question in ("Release?", "Why?", "What next?"):
            box = found.page.get_by_text(question, exact=True).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < 900
        assert verdict in found.page.locator("h1").inner_text()


def test_the_report_reaches_nothing_of_the_page(browser: Browser, pages: tuple[str, dict[str, Any]]) -> None:
    """In its frame and by itself: it runs its own script, and has neither the page nor the cookie."""
    address, login = pages
    run_page = f"{address}/runs/{_id('PASS')}"
    with opened(browser, run_page, cookies=(login,), allowed_errors=("Blocked a frame",)) as found:
        frame = found.page.frame_locator("iframe.stored-page").locator("body")
        assert "refused no cookie" in frame.inner_text()
        found.page.goto(f"{run_page}/report")
        assert "no cookie" in found.page.locator("body").inner_text()


def test_without_a_login_the_page_leads_to_it(browser: Browser, pages: tuple[str, dict[str, Any]]) -> None:
    """And needs nothing that is behind the login."""
    address, _ = pages
    with opened(browser, f"{address}/", allowed_errors=("401",)) as found:
        assert found.page.get_by_role("link", name="Log in to Airflow").is_visible()
        assert [one for one in found.seen.requests if "/static/" in one] == []
        assert axe(found.page) == []


def in_airflows_frame(page: Page, address: str) -> FrameLocator:
    """A page of the app as Airflow shows it: in a frame with Airflow's own sandbox."""
    page.evaluate(
        """address => {
            const frame = document.createElement("iframe");
            frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-downloads");
            frame.src = address; frame.id = "airflow"; document.body.append(frame);
        }""",
        address,
    )
    return page.frame_locator("#airflow")


def test_airflows_pages_open_around_the_frame(browser: Browser, pages: tuple[str, dict[str, Any]]) -> None:
    """Airflow shows the app in a frame whose sandbox lets no link out: Airflow would open within itself."""
    address, login = pages
    with opened(browser, f"{address}/", cookies=(login,), allowed_errors=("404",)) as found:
        in_airflows_frame(found.page, f"{address}/").locator("a[data-airflow]").first.click()
        found.page.wait_for_url("**/dags/load_test_*")
        assert len(found.page.frames) == 1


def test_another_site_opens_in_a_tab_of_its_own(
    browser: Browser, pages: tuple[str, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not within Airflow's frame: the issue of a run, a link of the documentation."""
    address, login = pages
    issue = f"{address.replace('127.0.0.1', 'localhost')}/docs/"  # another origin, of this machine
    monkeypatch.setattr(run_page, "issue_of", lambda _: issue)
    with opened(browser, f"{address}/docs/", cookies=(login,), allowed_errors=("401",)) as found:
        frame = in_airflows_frame(found.page, f"{address}/runs/{_id('PASS')}")
        with found.page.context.expect_page() as other:
            frame.get_by_role("link", name="GitHub issue").click()
        assert other.value.url == issue
        assert other.value.evaluate("window.opener") is None
        assert found.page.url == f"{address}/docs/"
        assert frame.locator("h1").count() == 1


def test_the_documentation_opens_from_the_report_and_from_the_runs_page(
    browser: Browser, pages: tuple[str, dict[str, Any]]
) -> None:
    """From the report as any page, with styles; from the run's page also within Airflow, whose frame opens no tabs."""
    address, login = pages
    guide = f"{address}/docs/runbooks/limits"
    with opened(browser, f"{address}/runs/{_id('SLA_BREACH')}", cookies=(login,)) as found:
        report = found.page.frame_locator("iframe.stored-page")
        report.locator("body").evaluate(
            """(body, address) => {
                const link = document.createElement("a");
                Object.assign(link, {href: address, target: "_blank", rel: "noopener noreferrer"});
                link.textContent = "Guide";
                body.append(link);
            }""",
            guide,
        )
        with found.page.context.expect_page() as other:
            report.get_by_role("link", name="Guide").click()
        other.value.wait_for_load_state()
        assert other.value.evaluate("[self.origin, [...document.styleSheets].every(one => one.cssRules.length)]") == [
            address.removesuffix("/loadtest"),
            True,
        ]
        framed = in_airflows_frame(found.page, f"{address}/runs/{_id('SLA_BREACH')}")
        framed.get_by_role("link", name="What to do: limits").click()
        framed.locator("h1", has_text=re.compile("limit", re.IGNORECASE)).wait_for()  # the click begins the way there
