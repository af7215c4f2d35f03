"""Each page in real Chromium, on real runs of every verdict: what it shows, and that it is sound.

`RECORD=dir` keeps the pictures: `<page>-<verdict>-<1440|390|dark>.png`.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from experiments.screen_runs import Shown, made_runs, running
from include.embedded.airflow import USER, admin_password
from include.embedded.environment import running_state
from include.loadtest.verdict import Verdict
from tests.helpers.browser import DESKTOP, PHONE, SERIOUS, axe, chromium, logged_in, opened, scrolls_sideways

NAME = "screens"
RECORD_VARIABLE = "RECORD"
ANSWERS = ("Release?", "Why?", "What next?")
QUIET_MS = 1_500
BOTTOM = "elements => Math.max(...elements.map(element => element.getBoundingClientRect().bottom))"
"""Where the lowest of some elements ends, in px from the top of the window."""


@dataclass(frozen=True)
class Mode:
    """One way to look at a page."""

    name: str
    size: tuple[int, int]
    dark: bool = False


MODES = (Mode("1440", DESKTOP), Mode("390", PHONE), Mode("dark", DESKTOP, dark=True))


@dataclass(frozen=True)
class Place:
    """A page: its name for the picture, and its path below the plugin's."""

    name: str
    path: str


def claims(say: Say) -> Iterator[Claim]:
    """Runs of six verdicts and one that is under way, then every page in three modes."""
    kept = os.environ.get(RECORD_VARIABLE)
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="loadtest-screens-"))
    folder.mkdir(parents=True, exist_ok=True)
    with temporary_environment(say) as environment, chromium() as browser:
        runs = list(made_runs(environment, say))
        found = [run.verdict for run in runs]
        yield Claim(NAME, "real runs, one of each verdict", _words(Verdict), _words(found), set(found) == set(Verdict))
        studio = Studio(environment, browser, folder, say)
        for run in runs:
            yield from studio.run_claims(run)
        for place in _other_places(runs):
            yield studio.claim(place)
        with running(environment, say) as live:
            yield studio.claim(Place("run-running", f"/runs/{live.run_id}"))
    say(f"pictures in {folder}")


def _words(words: object) -> str:
    return ", ".join(sorted(map(str, words)))  # type: ignore[call-overload]


def _other_places(runs: list[Shown]) -> Iterator[Place]:
    by_verdict = {run.verdict: run.run_id for run in runs}
    first, second = by_verdict.get("PASS", runs[0].run_id), by_verdict.get("SLA_BREACH", runs[-1].run_id)
    yield Place("overview", "/")
    yield Place("compare", f"/compare?a={second}&b={first}")
    yield Place("trends", "/trends")
    yield Place("docs", "/docs/verdicts")


class Studio:
    """A browser that is logged in at Airflow, and where its pictures go."""

    def __init__(self, environment: Environment, browser: Browser, folder: Path, say: Say) -> None:
        state = running_state(environment.layout)
        if state is None:
            raise RuntimeError("the environment does not run")
        self._url, self._browser, self._folder, self._say = state.url, browser, folder, say
        self._cookies = self._logged_in(admin_password(environment.layout))

    def _logged_in(self, password: str) -> tuple[dict[str, object], ...]:
        """By Airflow's own form, as a person does."""
        context = self._browser.new_context()
        try:
            logged_in(context, f"{self._url}/loadtest/", USER, password)
            return tuple(dict(cookie) for cookie in context.cookies())
        finally:
            context.close()

    def run_claims(self, run: Shown) -> Iterator[Claim]:
        """The run page, and the place on the report's first screen that answers the three questions."""
        yield self.claim(Place(f"run-{run.verdict.lower()}", f"/runs/{run.run_id}"))
        report = Place(f"report-{run.verdict.lower()}", f"/runs/{run.run_id}/report")
        yield self.claim(report)
        seen = [self._answered(report, mode) for mode in MODES[:2]]
        expected = f"{', '.join(ANSWERS)} within 1440×900 and 390×844"
        yield Claim(
            NAME,
            f"{run.verdict}: the report's first screen",
            expected,
            "; ".join(seen),
            all("missing" not in one for one in seen),
        )

    def _answered(self, place: Place, mode: Mode) -> str:
        """Where each answer ends, and its first words, or what is missing on the first screen."""
        with opened(self._browser, f"{self._url}/loadtest{place.path}", size=mode.size, cookies=self._cookies) as at:
            return f"{mode.name}: {'; '.join(answer_text(at.page, question, mode.size[1]) for question in ANSWERS)}"

    def claim(self, place: Place) -> Claim:
        """No error, nothing asked elsewhere, no serious finding of axe, no sideways scroll, in each mode."""
        self._say(f"looking at {place.name}")
        faults = [f"{mode.name}: {fault}" for mode in MODES for fault in self._faults(place, mode)]
        measured = "; ".join(faults) or "none"
        looked_for = f"console errors, other requests, axe ({', '.join(SERIOUS)}), sideways scroll"
        what = f"{place.name} at 1440 px, 390 px and dark: {looked_for}"
        return Claim(NAME, what, "none", measured, not faults)

    def _faults(self, place: Place, mode: Mode) -> list[str]:
        url = f"{self._url}/loadtest{place.path}"
        faults: list[str] = []
        try:
            with opened(self._browser, url, size=mode.size, dark=mode.dark, cookies=self._cookies) as at:
                at.page.wait_for_timeout(QUIET_MS)
                _photograph(at.page, self._folder / f"{place.name}-{mode.name}.png")
                faults += [f"asked {one}" for one in at.seen.elsewhere(url)[:3]]
                faults += axe(at.page)
                if scrolls_sideways(at.page):
                    faults.append("the page scrolls sideways")
        except (AssertionError, Error) as error:
            faults.append(str(error).splitlines()[0])
        return faults


def answer_text(page: Page, question: str, height_px: int) -> str:
    """The answer of a question: where its last sentence ends, in px, and its first words.

    "missing" where it is not there, is empty, or ends below the first `height_px`.
    """
    sentences = page.locator(f'.answers div:has(> dt:text-is("{question}")) > dd')
    words = " ".join(text.strip() for text in sentences.all_inner_texts()).strip()
    end_px = sentences.evaluate_all(BOTTOM) if words else None
    if end_px is None or end_px > height_px:
        return f"{question} missing"
    return f"{question} ends at y={end_px:.0f}: {words[:60]}"


def _photograph(page: Page, picture: Path) -> None:
    page.screenshot(path=picture, full_page=True)
    page.screenshot(path=picture.with_name(f"{picture.stem}-first.png"))
