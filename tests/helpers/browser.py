"""Real Chromium on real pages: what a page logs, asks for, and how accessible it is."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.helpers.programs import program

# Chromium asks its vendor for updates and settings, which no test needs; as root it has no sandbox.
_QUIET = (
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps"),
)
SERIOUS = ("serious", "critical")
DESKTOP, PHONE = (1440, 900), (390, 844)


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser, started; the test that uses it fails in CI where Chromium is missing."""
    path = program("chromium")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*_QUIET, *sandbox])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Seen:
    """What happened on a page: errors of its scripts and console, dialogs, and requests to other hosts than its own."""

    errors: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Of all addresses, in order; `data:` and `blob:` ask nobody."""

    def elsewhere(self, url: str) -> list[str]:
        """Requests to another origin than the page's; of a file, every request but the one for itself."""
        own = urlsplit(url)
        if own.scheme == "file":
            return [one for one in self.requests if one != url]
        return [one for one in self.requests if urlsplit(one)[:2] != own[:2]]


@dataclass(frozen=True)
class Opened:
    """A page that is open, and what has been seen on it since."""

    page: Page
    seen: Seen


def logged_in(context: BrowserContext, address: str, user: str, password: str) -> Page:
    """A page of Airflow's plugin, opened as a person comes to it: refused, then by Airflow's own form, and back."""
    page = context.new_page()
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 401, f"{address} without a login: {answer.status}"
    page.get_by_role("link", name="Log in to Airflow").click()
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(address)
    return page


@contextmanager
def opened(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    cookies: tuple[dict[str, Any], ...] = (),
    allowed_errors: tuple[str, ...] = (),
) -> Iterator[Opened]:
    """A page in a context of its own, loaded; leaving checks that no script failed and no dialog came up.

    `allowed_errors`: parts of console messages that the page's own failing requests make, where a test wants them.
    """
    scheme: Literal["dark", "light"] = "dark" if dark else "light"
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    try:
        if cookies:
            context.add_cookies(list(cookies))  # type: ignore[arg-type]
        page, seen = _watched(context)
        page.goto(url, wait_until="load")
        yield Opened(page, seen)
        assert [error for error in seen.errors if not any(part in error for part in allowed_errors)] == []
        assert seen.dialogs == []
    finally:
        context.close()


def _watched(context: BrowserContext) -> tuple[Page, Seen]:
    page, seen = context.new_page(), Seen()

    def dismiss(dialog: Any) -> None:
        seen.dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("console", lambda message: seen.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("dialog", dismiss)
    context.on(
        "request",
        lambda request: None if request.url.startswith(("data:", "blob:")) else seen.requests.append(request.url),
    )
    return page, seen


def axe(page: Page) -> list[str]:
    """Serious and critical findings of axe-core, a line each: the rule, its help, and the elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{entry['id']}: {entry['help']}: {', '.join(str(node['target']) for node in entry['nodes'][:5])}"
        for entry in found
        if entry["impact"] in SERIOUS
    ]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page itself is wider than its window; a box that scrolls by itself does not count."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def tab_stops(page: Page, most: int = 200) -> list[str]:
    """What the Tab key reaches from the top of the page: tag and accessible text of each stop, until it comes round."""
    describe = (
        "(() => { const e = document.activeElement; if (!e || e === document.body) return null;"
        " return e.tagName.toLowerCase() + ': ' + (e.getAttribute('aria-label') || e.innerText || e.name || e.id || '')"
        ".trim().slice(0, 60) })()"
    )
    stops: list[str] = []
    page.evaluate("document.activeElement && document.activeElement.blur()")
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(describe)
        if stop is None or (stops and stop == stops[0] and len(stops) > 1):
            break
        stops.append(stop)
    return stops
