"""The live page in a real browser: figures change, old ones are said to be old, the end switches to the report."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.run import utc_text
from tests.helpers.browser import PHONE, axe, chromium, opened, scrolls_sideways, tab_stops
from tests.helpers.live_bundles import live_document, load_document
from tests.helpers.web_app import airflow_login, cookie, mounted_app, served

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)
NOTE_PAUSES = """
const begin = window.setTimeout;
window.setTimeout = (action, delay_ms) => {
    if (action.name !== "ask") return begin(action, delay_ms);
    document.documentElement.dataset.pauseMs = Math.round(delay_ms);  // and the page does not ask again
};
"""
HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """The results' folder, the address of the pages, and a viewer's cookie."""
    results = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch, airflow_login(tmp_path_factory.mktemp("airflow")) as tokens:
        patch.setenv("LOADTEST_RESULTS_URI", str(results))
        patch.delenv("LOADTEST_HISTORY_URL", raising=False)
        with served(mounted_app()) as address:
            yield results, address, cookie(tokens["viewer"], address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def bundle(pages: tuple[Path, str, dict[str, str]], request: pytest.FixtureRequest) -> Bundle:
    """A run of the test's own that sends load."""
    run_id = "smoke-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:60]
    bundle = Bundle(pages[0] / run_id)
    bundle.update_manifest(
        profile=load_profile(find_profile("smoke")).model_dump(mode="json"),
        target={"name": "demo"},
        started=utc_text(datetime.now(UTC)),
    )
    bundle.write("live.json", live_document(run_id, load_document()))
    return bundle


def look(browser: Browser, pages: tuple[Path, str, dict[str, str]], bundle: Bundle, **options: Any) -> Any:
    _, address, login = pages
    return opened(browser, f"{address}/loadtest/runs/{bundle.run_id}", cookies=(login,), **options)


def fresh(bundle: Bundle) -> dict[str, Any]:
    """A sign of life that stays fresh for as long as a slow machine needs to look at it."""
    return live_document(bundle.run_id, load_document(), at=datetime.now(UTC) + timedelta(seconds=30))


def tile(page: Page, key: str) -> Any:
    return page.locator(f"#live [data-key={key}]")


def ask_now(page: Page) -> None:
    """As when a hidden tab is looked at again."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_figures_change_without_a_reload_and_survive_one(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """Nothing is asked of another host; after a reload the same is there at once."""
    with look(browser, pages, bundle) as found:
        page = found.page
        expect(tile(page, "latency_p95_ms")).to_contain_text("880 ms")
        expect(tile(page, "users")).to_contain_text("planned now: 10")
        expect(page.locator("#live-phase")).to_contain_text("600 requests so far, 6 failed")
        expect(page.locator("#live-state")).to_contain_text("run_profile sends the load")
        expect(page.locator("#live canvas")).to_have_count(10)
        bundle.write("live.json", live_document(bundle.run_id, load_document(p95_ms=4200.0, requests=700)))
        expect(tile(page, "latency_p95_ms")).to_contain_text("4200 ms")
        expect(tile(page, "latency_p95_ms")).to_contain_text("beyond it now")
        expect(page.locator("#live-requests")).to_contain_text("700")
        bundle.write("live.json", live_document(bundle.run_id, load_document(p95_ms=None)))
        expect(tile(page, "latency_p95_ms")).to_contain_text("12 requests in the last 60 s, 20 are needed")
        page.reload()
        expect(tile(page, "latency_p95_ms")).to_contain_text("12 requests in the last 60 s, 20 are needed")
        assert found.seen.elsewhere(page.url) == []


def test_old_figures_are_greyed_and_said_to_be_old(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """With what to do; as soon as signs of life come again, that is over."""
    old = datetime.now(UTC) - timedelta(seconds=45)
    bundle.write("live.json", live_document(bundle.run_id, load_document(), at=old))
    with look(browser, pages, bundle) as found:
        page = found.page
        expect(page.locator("#live.live-stale #live-fresh")).to_contain_text("the figures below are old")
        expect(page.locator("#live-fresh")).to_have_text(re.compile("last update (4[5-9] s|5[0-9] s|[0-9]+ min)"))
        expect(page.locator("#live-state")).to_contain_text("No sign of life from run_profile")
        expect(page.locator("#live-todo")).to_contain_text("is the scheduler alive?")
        expect(page.locator(".answers.verdict-inconclusive h1")).to_contain_text("no verdict")
        bundle.write("live.json", fresh(bundle))
        ask_now(page)
        expect(page.locator("#live.live-stale")).to_have_count(0)
        expect(page.locator("#live-todo")).to_be_hidden()
        expect(page.locator(".answers.verdict-running h1")).to_contain_text("running")
        assert page.title().startswith("running: ")


def test_a_server_that_does_not_answer_is_said_to_be_silent(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """The figures stay, grey, and the page asks again by itself."""
    with look(browser, pages, bundle, allowed_errors=("Failed to load resource",)) as found:
        page = found.page
        expect(tile(page, "latency_p95_ms")).to_contain_text("880 ms")
        page.route("**/live", lambda route: route.abort())
        ask_now(page)
        expect(page.locator("#live-fresh")).to_contain_text("has not answered the last question")
        ask_now(page)
        expect(page.locator("#live.live-stale #live-fresh")).to_contain_text("has not answered")
        expect(tile(page, "latency_p95_ms")).to_contain_text("880 ms")
        bundle.write("live.json", fresh(bundle))
        page.unroute("**/live")
        ask_now(page)
        expect(page.locator("#live.live-stale")).to_have_count(0)


def test_the_end_switches_to_the_report_and_says_so(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """A verdict alone does not: a suspected run is repeated before it is final."""
    with look(browser, pages, bundle) as found:
        page = found.page
        verdict = {"schema": 1, "run_id": bundle.run_id, "verdict": "PASS", "reasons": [], "slos": []}
        bundle.write("verdict.json", verdict)
        done = live_document(bundle.run_id, load_document(ended=True), stage="confirm")
        bundle.write("live.json", done)
        expect(page.locator("#live-badge")).to_have_text("so far PASS, not final")
        expect(tile(page, "latency_p95_ms")).to_contain_text("12 requests")
        bundle.write_text("report.html", "<!doctype html><title>The report</title><p>All of it</p>")
        ended = live_document(bundle.run_id, load_document(ended=True), stage="publish", state="ended")
        bundle.write("live.json", ended)
        expect(page.locator("#live-state")).to_contain_text("The report is there: verdict PASS")
        expect(page.locator("iframe")).to_be_visible()
        expect(page.locator("#live")).to_have_count(0)


def test_hostile_text_is_text(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """In an alert, a scenario, a failed stage; an address that is none of this app's is no link."""
    alert = {
        "id": HOSTILE, "metric": "error_rate", "severity": HOSTILE, "text": HOSTILE,
        "since": utc_text(datetime.now(UTC)), "until": None, "page": "javascript:alert(3)",
    }  # fmt: skip
    load = load_document(alerts=[alert], scenario=HOSTILE)
    bundle.write("live.json", live_document(bundle.run_id, load, stage="warm_cache", state="failed", text=HOSTILE))
    with look(browser, pages, bundle) as found:
        page = found.page
        expect(page.locator("#live-alerts li")).to_contain_text(HOSTILE)
        expect(page.locator("#live-requests")).to_contain_text(HOSTILE)
        expect(page.locator("#live-log")).to_contain_text(f"warm_cache failed: {HOSTILE}")
        assert page.locator("#live img, #live script:not([src]), #live a[href^=javascript]").count() == 0


def test_an_alert_links_its_page_and_the_log_grows_line_by_line(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """A line that is there already is not made again: a screen reader would read it anew."""
    with look(browser, pages, bundle) as found:
        page = found.page
        expect(page.locator("#live-log li")).to_have_count(3)
        page.evaluate("document.querySelector('#live-log li').dataset.first = 'yes'")
        alert = {
            "id": "error_rate_high", "metric": "error_rate", "severity": "critical", "text": "error_rate at 4 %",
            "since": utc_text(datetime.now(UTC)), "until": None, "page": "docs/alerts/error_rate_high.md",
        }  # fmt: skip
        before = json.loads((bundle.path / "live.json").read_text())
        bundle.write(
            "live.json", before | {"at": utc_text(datetime.now(UTC)), "load": before["load"] | {"alerts": [alert]}}
        )
        expect(page.locator("#live-log li")).to_have_count(4)
        assert page.locator("#live-log li").first.get_attribute("data-first") == "yes"
        address = page.get_by_role("link", name="What to do: error_rate_high").first.get_attribute("href")
        assert address == "/loadtest/docs/alerts/error_rate_high.md"
        assert page.request.get(f"{pages[1]}{address}").status == 200


def test_an_alert_that_gets_worse_stays_one_line(browser: Browser, pages: Any, bundle: Bundle) -> None:
    """Its text has the worst value so far: the line changes, as a reload would show it, and no other is made."""
    alert = {
        "id": "latency_p95_high", "metric": "latency_p95_ms", "severity": "critical", "until": None,
        "since": utc_text(datetime.now(UTC)), "page": "docs/alerts/latency_p95_high.md",
    }  # fmt: skip

    def show(p95_ms: str) -> None:
        load = load_document(alerts=[alert | {"text": f"latency_p95_ms at {p95_ms} ms (alert: > 5,000 ms for 30 s)"}])
        bundle.write("live.json", live_document(bundle.run_id, load))

    show("5,100")
    with look(browser, pages, bundle) as found:
        lines = found.page.locator("#live-log li", has_text="alert latency_p95_high")
        expect(lines).to_contain_text("at 5,100 ms")
        for p95_ms in ("5,900", "12,300"):
            show(p95_ms)
            ask_now(found.page)
            expect(lines).to_contain_text(f"at {p95_ms} ms")  # strict: one line
        assert lines.get_by_role("link").get_attribute("aria-label") == "What to do: alert latency_p95_high"


@pytest.mark.parametrize(
    "case",
    [("running", -30, 2000), ("waiting", 60, 5000), ("waiting", 3600, 30_000), (None, 0, 5000)],
    ids=["works", "waits", "waits-for-an-hour", "not-known"],
)
def test_what_does_not_change_is_asked_for_less_often(
    browser: Browser, pages: Any, bundle: Bundle, case: tuple[str | None, int, int]
) -> None:
    """A run may wait for its target for hours, and each question reads the store several times."""
    state, quiet_s, pause_ms = case
    if state is None:
        (bundle.path / "live.json").unlink()
    else:
        stage = "run_profile" if state == "running" else "preflight"
        at = datetime.now(UTC) - timedelta(seconds=quiet_s)
        bundle.write("live.json", live_document(bundle.run_id, at=at, stage=stage, state=state, text="demo is held"))
    _, address, login = pages
    with opened(browser, f"{address}/loadtest/docs/", cookies=(login,)) as found:
        found.page.add_init_script(NOTE_PAUSES)
        found.page.goto(f"{address}/loadtest/runs/{bundle.run_id}")
        expect(found.page.locator("html")).to_have_attribute("data-pause-ms", str(pause_ms))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everybody_can_use_it(browser: Browser, pages: Any, bundle: Bundle, dark: bool) -> None:
    """On a phone nothing sticks out; no serious finding; the keyboard reaches plots, tables and the log."""
    with look(browser, pages, bundle, size=PHONE, dark=dark) as found:
        page = found.page
        expect(page.locator("#live canvas")).to_have_count(10)
        assert not scrolls_sideways(page)
        assert axe(page) == []
        stops = " ".join(tab_stops(page))
        assert "What happened, in order of time" in stops
        assert "Requests so far, by scenario" in stops
