"""Whether the target's process is still the one that the load began with."""

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal

import httpx

from include.loadtest.errors import printable
from include.loadtest.exposition import series_of
from include.loadtest.run import utc_text
from include.loadtest.target.requests import exchange, http_client
from include.loadtest.target.settings import Target

ASKS = 5
"""Several processes may answer in turn."""
TRIES, PAUSE_S = 3, 1.0
TIMEOUT_S = 10.0
RESOLUTION_S = 2.0
"""Clocks that differ by less count as equal: a Date header is exact to 1 s."""
_PROXY_STATUS = (502, 503, 504)
START_TIME = "process_start_time_seconds"
LATEST_S = 1e11
"""The year 5138: a larger number is no time in seconds."""


def start_times_s(page: str) -> list[float]:
    """Start times that a metrics page names, in seconds since 1970; what is no time is left out."""
    values = (series.value for series in series_of(page) if series.name == START_TIME)
    return [value for value in values if value and value < LATEST_S]


Kind = Literal["same", "restarted", "joined", "unknown"]


@dataclass(frozen=True)
class Restart:
    """What became of the target's processes. `restarted`: all that answer are new, or none answers any more;
    `joined`: new ones beside older ones, as where more are started under load; `unknown`: it does not say.

    `text` is one sentence, empty for `same`.
    """

    kind: Kind
    text: str = ""

    def document(self) -> dict[str, str]:
        """For the manifest."""
        return asdict(self)


def restart_since(target: Target, since: datetime) -> Restart:
    """Whether the processes that answer now have run since `since`. Takes up to 5 answers.

    A target that refuses is asked three times within about 3 s. Linux rounds start times down by up to 1 s, so a
    restart within the first second may be missed, and none is made up. A clock of the target's that differs from this
    one is corrected by the Date header of its answers.
    """
    url = f"{target.base_url}/metrics"
    starts_s: list[float] = []
    for _ in range(ASKS):
        try:
            starts_s += _ask(target, url)
        except httpx.HTTPError as error:
            cause = printable(str(error), 200)
            return Restart("restarted", f"{url} does not answer any more: {cause or type(error).__name__}.")
        if not starts_s:
            break
    if not starts_s:
        return Restart("unknown", f"{url} does not say when the target's process started.")
    if max(starts_s) <= since.timestamp():
        return Restart("same")
    began = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=max(starts_s))
    when = f"{utc_text(began)}, after {utc_text(since)}"
    if min(starts_s) > since.timestamp():
        return Restart("restarted", f"The target was restarted: its process started at {when}.")
    return Restart("joined", f"A process of the target started at {when}, beside older ones.")


def _ask(target: Target, url: str) -> list[float]:
    """Start times by this machine's clock of the process that answers; [] if not told. Raises httpx.HTTPError."""
    for left in reversed(range(TRIES)):
        try:
            return _ask_once(target, url)
        except httpx.HTTPError:
            if not left:
                raise
            time.sleep(PAUSE_S)
    return []


def _ask_once(target: Target, url: str) -> list[float]:
    dates: list[str] = []
    with http_client(target, TIMEOUT_S) as client:  # a connection of its own: another process may take it
        client.event_hooks = {"response": [lambda response: dates.append(response.headers.get("date", ""))]}
        answer = exchange(client, "GET", url, timeout_s=TIMEOUT_S, headers={"Connection": "close"})
    if answer.status in _PROXY_STATUS:
        raise httpx.HTTPError(f"status {answer.status}")
    if answer.status != 200:
        return []
    ahead_s = _ahead_s(dates[0])
    return [start_s - ahead_s for start_s in start_times_s(answer.text)]


def _ahead_s(date: str) -> float:
    """How far the target's clock is ahead of this one's, by its Date header; 0 where both agree or none is sent."""
    try:
        ahead_s = parsedate_to_datetime(date).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, OSError):
        return 0.0
    return ahead_s if abs(ahead_s) > RESOLUTION_S else 0.0
