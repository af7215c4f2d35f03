"""How long the pages take with ten thousand runs in the history, in Airflow, behind its login, and in a browser."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

import httpx

from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from experiments.pages_history import BUSIEST, RUNS, latest_of, make_history
from include.embedded.airflow import USER, admin_password
from include.embedded.environment import running_state
from include.embedded.state import EmbeddedError
from tests.helpers.browser import chromium, opened

NAME = "pages_speed"
TIMES, LIMIT_S, PAINT_LIMIT_S = 20, 1.0, 1.0
PAGES_PATH = "/loadtest"
COOKIE = "_token"
_TIMEOUT_S = 60.0
_PAINT = """() => new Promise(done => new PerformanceObserver(list => {
  const painted = list.getEntriesByName("first-contentful-paint")[0];
  if (painted) done(painted.startTime);
}).observe({ type: "paint", buffered: true }))"""


@dataclass(frozen=True)
class Asked:
    """How one page was answered: the seconds of each request to the last byte, and the size of the largest answer."""

    page: str
    seconds: tuple[float, ...]
    largest_bytes: int
    refused: int

    @property
    def middle_s(self) -> float:
        """Half of the requests took less."""
        return statistics.median(self.seconds)


def claims(say: Say) -> Iterator[Claim]:
    """An environment of its own, its history filled, each page asked for twenty times, then opened in Chromium."""
    with temporary_environment(say) as environment:
        address, token = _login(environment)
        say(f"copying {RUNS:,} runs into the history")
        runs, metrics = make_history(environment.history_url)
        say(f"{runs:,} runs and {metrics:,} metrics are there")
        pages = pages_of(environment.history_url)
        with httpx.Client(base_url=address, cookies={COOKIE: token}, timeout=_TIMEOUT_S) as client:
            yield _without_login(address, pages)
            for name, path in pages.items():
                yield _answered(ask(client, name, path), f"{runs:,} runs, {metrics:,} metrics")
        yield from painted(address, token, pages)


def pages_of(history_url: str) -> dict[str, str]:
    """The pages by name; trends of the profile with most runs, of one figure over all time, and of one series."""
    query = {"profile": BUSIEST, "target": "demo", "metric": "latency_p95_ms", "months": "all"}
    latest = latest_of(history_url, BUSIEST)
    return {
        "overview": f"{PAGES_PATH}/",
        "trends": f"{PAGES_PATH}/trends?{urlencode(query)}",
        "trends of an endpoint": f"{PAGES_PATH}/trends?{urlencode(query | {'scope': 'endpoint:tax_iva'})}",
        "compare": f"{PAGES_PATH}/compare?{urlencode({'a': latest})}",
    }


def ask(client: httpx.Client, name: str, path: str, times: int = TIMES) -> Asked:
    """Ask for a page again and again, its first time included."""
    seconds, sizes, refused = [], [0], 0
    for _ in range(times):
        began_s = time.perf_counter()
        answer = client.get(path, headers={"Accept": "text/html"})
        seconds.append(time.perf_counter() - began_s)
        sizes.append(len(answer.content))
        refused += answer.status_code != httpx.codes.OK
    return Asked(name, tuple(seconds), max(sizes), refused)


def _login(environment: Environment) -> tuple[str, str]:
    """Airflow's address, and a token of its login. Raises EmbeddedError where it does not run or refuses."""
    state = running_state(environment.layout)
    if state is None:
        raise EmbeddedError("the environment does not run")
    credentials = {"username": USER, "password": admin_password(environment.layout)}
    answer = httpx.post(f"{state.url}/auth/token", json=credentials, timeout=_TIMEOUT_S)
    if answer.is_error:
        raise EmbeddedError(f"Airflow's login answers HTTP {answer.status_code}")
    return state.url, str(answer.json()["access_token"])


def _without_login(address: str, pages: dict[str, str]) -> Claim:
    codes = [httpx.get(address + path, timeout=_TIMEOUT_S).status_code for path in pages.values()]
    refused = httpx.codes.UNAUTHORIZED
    return Claim(
        NAME,
        "the same pages without a login: HTTP codes",
        f"{int(refused)} each",
        ", ".join(map(str, codes)),
        all(code == refused for code in codes),
    )


def _answered(asked: Asked, history: str) -> Claim:
    slowest_s = max(asked.seconds)
    return Claim(
        NAME,
        f"{asked.page}, {len(asked.seconds)} times over HTTP with a login, {history}: slowest; middle; largest answer; "
        "answers that were not 200",
        f"{LIMIT_S:g} s at most; ; ; 0",
        f"{slowest_s:.2f} s; {asked.middle_s:.2f} s; {asked.largest_bytes / 1024:,.0f} KiB; {asked.refused}",
        slowest_s <= LIMIT_S and not asked.refused,
    )


def painted(address: str, token: str, pages: dict[str, str]) -> Iterator[Claim]:
    """The first paint of each page in Chromium, from the click on, with everything it loads."""
    cookie = {"name": COOKIE, "value": token, "url": address}
    with chromium() as browser:
        for name, path in pages.items():
            with opened(browser, address + path, cookies=(cookie,)) as shown:
                paint_s = float(shown.page.evaluate(_PAINT)) / 1000
            yield Claim(
                NAME,
                f"{name}: first paint with content in Chromium, nothing kept from before",
                f"{PAINT_LIMIT_S:g} s at most",
                f"{paint_s:.2f} s",
                paint_s <= PAINT_LIMIT_S,
            )
