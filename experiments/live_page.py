"""The live page of real runs: how late a request is on it, and that it stays true through a reload and a restart."""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
from playwright.sync_api import Page

from experiments.aftermath import document
from experiments.api import until
from experiments.claims import Claim, Say
from experiments.environment import Environment, Ran, temporary_environment
from include.embedded.airflow import USER, admin_password
from include.embedded.environment import running_state
from include.embedded.processes import find_process, start_process
from include.embedded.state import EmbeddedError, EnvironmentState
from include.loadtest.live.page_state import SILENT_S
from tests.helpers.browser import chromium, opened
from tests.helpers.web_app import COOKIE, cookie

NAME = "live_page"
USERS, DURATION_S = "10", "60"
LAG_S = 10.0
"""Of the issue: from a request's end to its figure on the page."""
ASK_EVERY_S, LOOK_EVERY_S = 0.5, 0.25
BEGIN_LIMIT_S, END_LIMIT_S, RESTART_AFTER_S = 240.0, 420.0, 5.0
COUNT = "document.querySelector('#live-phase')?.textContent.match(/([\\d,]+) requests so far/)?.[1] ?? null"


@dataclass(frozen=True)
class Look:
    """What the page said at a moment (seconds since the epoch): its state's kind, and requests so far."""

    at_s: float
    kind: str
    text: str
    requests: int | None
    age_s: float | None
    """Of the last sign of life, by live.json itself."""


@dataclass
class Followed:
    """A run that goes on in a thread of its own."""

    environment: Environment
    ran: Ran | None = None
    bundle: Path | None = None
    _thread: threading.Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin, and wait for its bundle."""
        before = self.environment.bundles()
        self._thread = threading.Thread(target=self._run, name="run", daemon=True)
        self._thread.start()
        until("a bundle", lambda: bool(self.environment.bundles() - before), BEGIN_LIMIT_S)
        self.bundle = sorted(self.environment.bundles() - before)[-1]

    def _run(self) -> None:
        self.ran = self.environment.run(Path("smoke"), USERS=USERS, DURATION_S=DURATION_S)

    @property
    def has_ended(self) -> bool:
        """Whether the command has."""
        return self._thread is not None and not self._thread.is_alive()

    def live(self) -> dict[str, Any]:
        """live.json as it stands on the disk; empty before it is there."""
        return document(self.bundle, "live.json") if self.bundle else {}


def claims(say: Say) -> Iterator[Claim]:
    """One run that is looked at in a browser, one whose scheduler is killed; one environment for both."""
    with temporary_environment(say) as environment:
        state = running_state(environment.layout)
        if state is None:
            raise EmbeddedError("the environment does not run")
        token = _token(state, environment)
        yield from _in_the_browser(environment, state, token, say)
        yield from _through_a_restart(environment, state, token, say)


def _token(state: EnvironmentState, environment: Environment) -> str:
    with httpx.Client(base_url=state.url, timeout=30, trust_env=False) as client:
        login = {"username": USER, "password": admin_password(environment.layout)}
        return str(client.post("/auth/token", json=login).json()["access_token"])


def _in_the_browser(environment: Environment, state: EnvironmentState, token: str, say: Say) -> Iterator[Claim]:
    followed = Followed(environment)
    followed.start()
    assert followed.bundle is not None  # noqa: S101 - start() waits for it
    address = f"{state.url}/loadtest/runs/{followed.bundle.name}"
    say(f"{followed.bundle.name}: its page is open in Chromium")
    # Airflow's API is busy with the tasks now and then; the page asks again by itself.
    with (
        chromium() as browser,
        opened(browser, address, cookies=(cookie(token, state.url),), allowed_errors=("Failed to load",)) as found,
    ):
        counts, reload = _watch_page(found.page, followed)
        until("the report on the page", lambda: found.page.locator("iframe").count() == 1, END_LIMIT_S)
        elsewhere = found.seen.elsewhere(address)
    ends_s = _ends_s(followed.bundle)
    yield _lag_claim(counts, ends_s)
    yield Claim(
        NAME,
        "the page of that run is reloaded in the middle of the load",
        "the figures are there again, none is lower than before; in the end the page shows the report by itself",
        f"{reload.requests_before} requests before, {reload.requests_after} {reload.took_s:.1f} s after the reload; "
        f"report shown, {len(elsewhere)} requests to other hosts, make run ended with {_shown(followed)}",
        reload.requests_after >= reload.requests_before and not elsewhere,
    )


@dataclass(frozen=True)
class _Reload:
    requests_before: int
    requests_after: int
    took_s: float


def _watch_page(page: Page, followed: Followed) -> tuple[list[tuple[float, int]], _Reload]:
    """The number of requests on the page over time, and the reload in the middle of the load."""
    seen: list[tuple[float, int]] = []
    reload: _Reload | None = None
    until("the load on the page", lambda: _count(page) is not None, BEGIN_LIMIT_S)
    began_s = time.time()
    while not (followed.live().get("load") or {}).get("ended") or time.time() < began_s + 1:
        count = _count(page)
        if count is not None:
            seen.append((time.time(), count))
        if reload is None and time.time() > began_s + int(DURATION_S) / 2 and count:
            reload = _reloaded(page, count)
        time.sleep(LOOK_EVERY_S)
        if time.time() > began_s + END_LIMIT_S:
            raise EmbeddedError("the load did not end")
    deadline_s = time.time() + LAG_S
    while time.time() < deadline_s:  # the last part, and its figure
        if (count := _count(page)) is not None:
            seen.append((time.time(), count))
        time.sleep(LOOK_EVERY_S)
    return seen, reload or _Reload(0, -1, 0.0)


def _count(page: Page) -> int | None:
    text = page.evaluate(COUNT)
    return None if text is None else int(text.replace(",", ""))


def _reloaded(page: Page, before: int) -> _Reload:
    asked_s = time.monotonic()
    page.reload()
    until("figures after the reload", lambda: _count(page) is not None, 60)
    return _Reload(before, _count(page) or 0, time.monotonic() - asked_s)


def _ends_s(bundle: Path) -> list[float]:
    """When each request ended, in the order in which they were written."""
    ends = []
    for part in sorted((bundle / "samples").glob("*.parquet")):
        table = pq.read_table(part, columns=["intended_start", "latency_us"])
        starts_ns, latency_us = table["intended_start"].cast("int64").to_pylist(), table["latency_us"].to_pylist()
        ends += [start / 1e9 + late / 1e6 for start, late in zip(starts_ns, latency_us, strict=True)]
    return ends


def _lag_claim(counts: list[tuple[float, int]], ends_s: list[float]) -> Claim:
    """A request is on the page as soon as the page's count is above its place in the order of writing."""
    highest, steps = -1, []
    for at_s, count in counts:
        if count > highest:
            highest = count
            steps.append((count, at_s))
    places = [count for count, _ in steps]
    shown = [(place, bisect_right(places, place)) for place in range(len(ends_s))]
    lags = sorted(steps[step][1] - ends_s[place] for place, step in shown if step < len(steps))
    median_s = lags[len(lags) // 2] if lags else float("inf")
    worst_s = lags[-1] if lags else float("inf")
    return Claim(
        NAME,
        f"from a request's end to its figure on the page, each of a load of {USERS} users and {DURATION_S} s",
        f"at most {LAG_S:g} s, all requests shown",
        f"median {median_s:.1f} s, worst {worst_s:.1f} s, {len(lags)} of {len(ends_s)} requests shown",
        worst_s <= LAG_S and len(lags) == len(ends_s) > 0,
    )


def _through_a_restart(environment: Environment, state: EnvironmentState, token: str, say: Say) -> Iterator[Claim]:
    followed = Followed(environment)
    followed.start()
    looks: list[Look] = []
    with httpx.Client(base_url=state.url, timeout=10, trust_env=False, cookies={COOKIE: token}) as client:
        _look_until(client, followed, looks, lambda: len(looks) > 0 and (looks[-1].requests or 0) > 50, BEGIN_LIMIT_S)
        say("the scheduler is killed in the middle of the load")
        killed_s = time.time()
        restart = _kill_scheduler(state)
        _look_until(client, followed, looks, lambda: time.time() > killed_s + RESTART_AFTER_S, 60)
        restart(environment)
        say("and started again")
        _look_until(client, followed, looks, lambda: followed.has_ended, END_LIMIT_S)
    after = [look for look in looks if look.at_s > killed_s]
    wrong = [look for look in looks if not _is_true(look)]
    kinds = ", ".join(dict.fromkeys(f"{look.kind}" for look in after))
    load = (document(followed.bundle, "manifest.json").get("load") or {}).get("completed")
    yield Claim(
        NAME,
        f"the scheduler is killed in the middle of a load and started again {RESTART_AFTER_S:g} s later",
        f"at each look the page is true: who works gave a sign of life within {SILENT_S} s, who gave none is said to "
        "be silent; the run comes to an end with a verdict",
        f"{len(looks)} looks, {len(wrong)} untrue; after the kill: {kinds}; load complete={load}, "
        f"make run ended with {_shown(followed)}",
        not wrong and len(after) > 10 and followed.ran is not None and followed.ran.shown != "none",
    )


def _look_until(
    client: httpx.Client, followed: Followed, looks: list[Look], is_over: Callable[[], bool], limit_s: float
) -> None:
    assert followed.bundle is not None  # noqa: S101 - start() waits for it
    deadline_s = time.time() + limit_s
    while not is_over():
        if time.time() > deadline_s:
            raise EmbeddedError(f"{followed.bundle.name}: nothing came of it within {limit_s:.0f} s")
        try:
            found = client.get(f"/loadtest/runs/{followed.bundle.name}/live").json()
        except httpx.HTTPError:  # a busy server; the page says so, and asks again
            continue
        at = followed.live().get("at")
        now_s = time.time()
        state, load = found["state"], found["load"] or {}
        age_s = None if at is None else now_s - datetime.fromisoformat(at).timestamp()
        looks.append(Look(now_s, state["kind"], state["text"], (load.get("requests") or {}).get("n"), age_s))
        time.sleep(ASK_EVERY_S)


def _is_true(look: Look) -> bool:
    """Judged by the file itself, read after the answer: it may be newer than that, so silence may just have ended."""
    if look.age_s is None:
        return look.kind == "unknown"
    if look.kind == "working":
        return look.age_s <= SILENT_S + ASK_EVERY_S
    return look.kind in ("between", "waiting") or look.age_s >= SILENT_S or look.age_s < ASK_EVERY_S


def _kill_scheduler(state: EnvironmentState) -> Callable[[Environment], None]:
    """Kill it, not the tasks that it started; returns what starts it again as it was started."""
    record = next(one for one in state.processes if one.name == "scheduler")
    process = find_process(record)
    if process is None:
        raise EmbeddedError("the scheduler does not run")
    command, variables = process.cmdline(), process.environ()
    process.kill()
    psutil.wait_procs([process], timeout=10)

    def start(environment: Environment) -> None:
        layout = environment.layout
        log = layout.logs / "scheduler.log"
        start_process("scheduler", command, environment=variables, log=log, cwd=layout.checkout)

    return start


def _shown(followed: Followed) -> str:
    deadline_s = time.monotonic() + END_LIMIT_S
    while not followed.has_ended and time.monotonic() < deadline_s:
        time.sleep(LOOK_EVERY_S)
    return "no verdict" if followed.ran is None else followed.ran.shown
