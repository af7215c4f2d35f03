"""Trends, marks and comparisons in a real browser, by mouse and by keyboard, on a real history behind a real login."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.history.baselines import list_intended_changes, mark_intended_change
from include.loadtest.history.database import connect
from tests.helpers.browser import PHONE, axe, chromium, opened, scrolls_sideways
from tests.helpers.trend_runs import NOW, fill
from tests.helpers.web_app import airflow_login, cookie, mounted_app, served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The pages on a port, with a filled history; the cookies of an operator and of a viewer."""
    folder = tmp_path_factory.mktemp("trends")
    server = start_postgres(folder / "pg", settings={"fsync": "off"})
    try:
        ensure_database(server, "history")
        fill(server.url("history"))
        with pytest.MonkeyPatch.context() as patch, airflow_login(folder) as tokens:
            patch.setenv("LOADTEST_HISTORY_URL", server.url("history"))
            patch.setenv("LOADTEST_RESULTS_URI", str(folder))
            with served(mounted_app()) as address:
                logins = {role: (cookie(tokens[role], address),) for role in ("op", "viewer")}
                yield {"address": address, "history": server.url("history"), **logins}
    finally:
        stop_postgres(server)


def test_choose_a_figure_and_mark_a_change(browser: Browser, site: dict[str, Any]) -> None:
    """By the form; the mark needs a reason, is told, announced, drawn and listed with the user's name."""
    with opened(browser, f"{site['address']}/loadtest/trends", cookies=site["op"]) as shown:
        page = shown.page
        page.get_by_label("Scope").select_option("endpoint:chat")
        page.get_by_role("button", name="Show").click()
        page.wait_for_load_state("load")
        assert "scope=endpoint%3Achat" in page.url
        page.get_by_text("Mark an intended change").click()
        form = page.get_by_role("form", name="Mark an intended change")
        form.get_by_label("Since").fill("2026-03-01T09:00:00")
        form.get_by_role("button").click()
        assert list_intended_changes(connect(site["history"])) == []  # the browser asks for the reason first
        form.get_by_label("Reason").fill("a new <b>model</b>")
        form.get_by_role("button").click()
        status = page.locator("#action-status")
        expect(status).to_contain_text("comparisons start anew at 2026-03-01 09:00 UTC")
        assert status.get_attribute("aria-live") == "polite"
        expect(page.locator("#changes + .notes, #changes ~ .notes")).to_contain_text("a new <b>model</b>")
        (change,) = list_intended_changes(connect(site["history"]))
        assert (change["marked_by"], change["profile"]) == ("op", "smoke")
        assert shown.seen.elsewhere(page.url) == []


def test_runs_chosen_in_the_table_and_a_refusal(browser: Browser, site: dict[str, Any]) -> None:
    """What the server refuses is said in its words, and nothing is lost of what was typed."""
    address = f"{site['address']}/loadtest/trends?months=all"
    with opened(browser, address, cookies=site["op"], allowed_errors=("422",)) as shown:
        page = shown.page
        page.locator("summary", has_text="Values of").first.click()
        page.get_by_label("Choose smoke-8", exact=True).check()
        page.get_by_label("Choose smoke-7", exact=True).check()
        page.get_by_label("Choose smoke-8", exact=True).uncheck()
        page.get_by_text("Propose or pin a baseline").click()
        form = page.get_by_role("form", name="Propose or pin a baseline")
        expect(form.locator("textarea")).to_have_value("smoke-7")
        form.get_by_label("Reason").fill("too few")
        form.get_by_role("button", name="Pin these runs").click()
        expect(page.locator("#action-status")).to_contain_text("Nothing was changed: a baseline needs at least")
        expect(form.get_by_label("Reason")).to_have_value("too few")
        expect(form.get_by_role("button", name="Pin these runs")).to_be_enabled()


def test_from_run_to_run_by_keyboard(browser: Browser, site: dict[str, Any]) -> None:
    """The picture is one stop of the Tab key; arrows tell each run, Enter opens it."""
    with opened(
        browser, f"{site['address']}/loadtest/trends", cookies=site["viewer"], allowed_errors=("404",)
    ) as shown:
        page = shown.page
        plot = page.locator(".trend-plot").first
        page.locator("button[type=submit]").first.focus()
        page.keyboard.press("Tab")
        expect(plot).to_be_focused()
        page.keyboard.press("ArrowLeft")
        told = page.locator(".trend-told").first
        expect(told).to_contain_text("PASS: 108 ms, 95 % interval")
        page.keyboard.press("ArrowLeft")
        expect(told).to_contain_text("PASS: 107 ms")
        page.keyboard.press("Enter")
        page.wait_for_url("**/loadtest/runs/smoke-7")


def test_compare_two_runs(browser: Browser, site: dict[str, Any]) -> None:
    """By the form, without a second run at first, then with one of another load."""
    with opened(browser, f"{site['address']}/loadtest/compare", cookies=site["viewer"]) as shown:
        page = shown.page
        page.get_by_label("Run A").fill("smoke-8")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="✓ Comparable")).to_be_visible()
        expect(page.get_by_label("Run B")).to_have_value("smoke-7")
        page.get_by_label("Run B").fill("smoke-five-0")
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("heading", name="✗ Not comparable")).to_be_visible()
        assert axe(page) == []


@pytest.mark.parametrize("path", ["trends", "trends?months=all&metric=error_rate", "compare?a=smoke-8"])
@pytest.mark.parametrize("dark", [False, True])
def test_everybody_can_use_them(browser: Browser, site: dict[str, Any], path: str, dark: bool) -> None:
    """No serious finding of axe in light and dark with everything open; a phone does not scroll sideways."""
    mark_intended_change(connect(site["history"]), "demo", None, NOW, by="anna", reason="x" * 300)
    with opened(browser, f"{site['address']}/loadtest/{path}", size=PHONE, dark=dark, cookies=site["op"]) as shown:
        open_all(shown.page)
        assert axe(shown.page) == []
        assert not scrolls_sideways(shown.page)


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
