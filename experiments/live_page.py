"""The live page of real runs: how late a request is on it, and that it stays true through a reload and a restart."""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq
from playwright.sync_api import Page

from experiments.aftermath import document, sample_rows
from experiments.api import Api, until
from experiments.claims import Claim, Say
from experiments.environment import Environment, Ran, temporary_environment
from experiments.live_truth import Facts, Look, untruths
from include.embedded.airflow import USER, admin_password
from include.embedded.client import ApiUnavailableError
from include.embedded.environment import running_state
from include.embedded.processes import find_process, start_process
from include.embedded.state import EmbeddedError, EnvironmentState
from tests.helpers.browser import chromium, opened
from tests.helpers.web_app import COOKIE, cookie

NAME, DAG = "live_page", "load_test_manual"
USERS, DURATION_S = "10", "60"
LAG_S = 10.0
"""Of the issue: from a request's end to its figure on the page."""
ASK_EVERY_S, LOOK_EVERY_S = 0.5, 0.25
BEGIN_LIMIT_S, END_LIMIT_S, RESTART_AFTER_S = 240.0, 420.0, 5.0
COUNT = "document.querySelector('#live-phase')?.textContent.match(/([\\d,]+) requests so far/)?.[1] ?? null"


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
    with httpx.Client(base_url=state.url, timeout=10, trust_env=False, cookies={COOKIE: token}) as client:
        watched = _Watched(client, followed)
        looks, facts = watched.looks, watched.facts
        watched.until(lambda: len(looks) > 0 and (looks[-1].requests or 0) > 50, BEGIN_LIMIT_S)
        say("the scheduler is killed in the middle of the load")
        killed_s = time.time()
        restart = _kill_scheduler(state)
        watched.until(lambda: time.time() > killed_s + RESTART_AFTER_S, 60)
        restart(environment)
        say("and started again")
        watched.until(lambda: followed.has_ended, END_LIMIT_S)
    after = [look for look in looks if look.at_s > killed_s]
    wrong = untruths(looks, facts)
    for one in wrong:
        say(one)
    kinds = ", ".join(dict.fromkeys(f"{look.kind}" for look in after))
    load = (document(followed.bundle, "manifest.json").get("load") or {}).get("completed")
    yield Claim(
        NAME,
        f"the scheduler is killed in the middle of a load and started again {RESTART_AFTER_S:g} s later",
        "at each look the page is true by Airflow's states of the tasks and by the samples on disk; the run comes to "
        "an end with a verdict",
        f"{len(looks)} looks and {len(facts)} at Airflow and the disk, {len(wrong)} untrue; after the kill: {kinds}; "
        f"load complete={load}, make run ended with {_shown(followed)}",
        not wrong
        and min(len(after), sum(one.at_s > killed_s for one in facts)) > 10
        and followed.ran is not None
        and followed.ran.shown != "none",
    )


class _Watched:
    """A run that is looked at: on its page, and at Airflow and the disk, which know nothing of the page."""

    def __init__(self, client: httpx.Client, followed: Followed) -> None:
        self._client, self._followed = client, followed
        self._api = Api.of(followed.environment.layout)
        self._dag_run = str((self._api.latest_run(DAG) or {})["dag_run_id"])
        self.looks: list[Look] = []
        self.facts: list[Facts] = []

    def until(self, is_over: Callable[[], bool], limit_s: float) -> None:
        """Raises EmbeddedError where it is not over within the limit."""
        deadline_s = time.time() + limit_s
        while not is_over():
            if time.time() > deadline_s:
                raise EmbeddedError(f"{self._bundle.name}: nothing came of it within {limit_s:.0f} s")
            with suppress(httpx.HTTPError, ApiUnavailableError):  # a busy server; the page says so, and asks again
                self.looks.append(self._look())
                self.facts.append(Facts(time.time(), self._api.states(DAG, self._dag_run), sample_rows(self._bundle)))
            time.sleep(ASK_EVERY_S)

    def _look(self) -> Look:
        found = self._client.get(f"/loadtest/runs/{self._bundle.name}/live").raise_for_status().json()
        kind = "over" if found["is_over"] else found["state"]["kind"]
        requests = ((found["load"] or {}).get("requests") or {}).get("n")
        return Look(time.time(), kind, found["state"]["text"], requests)

    @property
    def _bundle(self) -> Path:
        assert self._followed.bundle is not None  # noqa: S101 - start() waits for it
        return self._followed.bundle


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
