"""Reads the metrics pages of the target's own application."""

import logging
import math
import time
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import islice

from include.loadtest.collectors.exposed import (
    APPLICATION,
    FOR_MONITORS,
    REQUEST_TIMES,
    RESPONSES,
    ByName,
    Unknown,
    errors_by_endpoint,
    names_of,
    parsed,
    readings_of,
)
from include.loadtest.collectors.histograms import Buckets, buckets_of, gained, quantile
from include.loadtest.collectors.pages import Answer, Page, PageClient, PageError
from include.loadtest.collectors.reader import FAMILIES, FAMILY_NAMES, ReadingError, family_of
from include.loadtest.exposition import Series
from include.loadtest.pinned import Place

LOG = logging.getLogger("loadtest.collectors")
MAX_FAMILY_SERIES = 20
SINGLE = (
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_open_fds",
    "process_memory_bytes",
    "cpu_usage_percent",
    "memory_usage_percent",
    "cache_hit_ratio",
)
"""Metrics of one series; where a page has more of one, nobody knows which is meant and it is left out."""
SUMMED = (
    "starlette_requests_in_progress",
    "starlette_requests_total",
    "llm_stream_duration_seconds_count",
    "llm_stream_duration_seconds_sum",
)
"""Metrics that are the sum over their series."""
REQUESTS, USER_REQUESTS = "starlette_requests_total", "user_requests_total"
"""All requests as the target counts them, and those of them that users sent: without its metrics and health pages."""
SINCE_LAST_READING = "cpu_usage_percent"
"""A mean since whoever read it last, so the first value tells of a time before the readings began."""
STARTED = "process_start_time_seconds"
QUANTILES = {"request_p50_ms": 0.5, "request_p95_ms": 0.95, "request_p99_ms": 0.99}
MAX_PROCESSES = 64
"""Of which the last reading is kept: where several serve, each reading is of the one that answered."""
_WANTED = names_of(APPLICATION).union(
    SINGLE, SUMMED, RESPONSES, (f"{name}_{part}" for name in REQUEST_TIMES for part in ("bucket", "count"))
)
FIRST_PAGE_SHARE = 2 / 3
"""Of the time that a reading may take, what its first page may: it is asked alone, so that its time means something."""


@dataclass(frozen=True)
class Requests:
    """What one process had counted at a moment (s, of the monotonic clock): requests, and how long they took in s."""

    at_s: float
    count: float | None
    times: Buckets


class AppReader:
    """What the application says of itself: its process, requests, errors, pools, and the LLM as it sees it.

    Where several worker processes serve, a reading is of the one that answered: its `process_start_time_seconds` tells
    which, and rates and quantiles are of what that one did since it answered last. What the target does not expose is
    absent, and named once in the log. `metrics_page_ms` is how long the first page took, asked alone.
    """

    source = "app"

    def __init__(
        self, urls: Sequence[str], instance: str, timeout_s: float, addresses: Sequence[str] = ()
    ) -> None:
        self.instance = instance
        self._pages, self._timeout_s = [Page(url, self.source) for url in urls], timeout_s
        self._told = self._has_begun = False
        self._unknown = Unknown(self.source, APPLICATION)
        self._client = PageClient(Place.of(urls[0], addresses))
        self._before: dict[float | None, Requests] = {}

    def read(self) -> Mapping[str, float]:
        """One reading of all pages. Raises ReadingError, which carries what the other page gave."""
        asked_s = time.monotonic()
        first, page_ms = self._ask_first()
        left_s = self._timeout_s - (time.monotonic() - asked_s)
        answers = [first, *self._client.ask(self._pages[1:], left_s)]
        series = series_by_name(answer for answer in answers if isinstance(answer, str))
        values = {**figures(series), **page_ms, **self._since_last(series, asked_s)}
        unknown = self._unknown.tell(series)
        if series:
            self._tell_missing({*values, *unknown})
        if SINCE_LAST_READING in values and not self._has_begun:
            self._has_begun = True
            del values[SINCE_LAST_READING]
        problems = [str(answer) for answer in answers if isinstance(answer, PageError)]
        if problems:
            raise ReadingError("; ".join(problems), values)
        return values

    def _ask_first(self) -> tuple[Answer, dict[str, float]]:
        asked_s = time.monotonic()
        (answer,) = self._client.ask(self._pages[:1], FIRST_PAGE_SHARE * self._timeout_s)
        took_ms = 1e3 * (time.monotonic() - asked_s)
        return answer, {"metrics_page_ms": took_ms} if isinstance(answer, str) else {}

    def _since_last(self, series: ByName, at_s: float) -> dict[str, float]:
        """Rate and quantiles of the requests since the same process answered last; {} where it began anew."""
        started = series.get(STARTED, ())
        key = started[0].value if len(started) == 1 else None
        now, before = requests_of(series, at_s), self._before.pop(key, None)
        self._before[key] = now
        if len(self._before) > MAX_PROCESSES:
            del self._before[next(iter(self._before))]
        return {} if before is None else request_figures(before, now)

    def _tell_missing(self, known: Set[str]) -> None:
        if self._told:
            return
        self._told = True
        found = {family.title for family in map(family_of, known) if family}
        missing = [name for name in (*SINGLE, *SUMMED, *(entry.reading for entry in APPLICATION)) if name not in known]
        missing += [family.title for family in FAMILIES if family.title not in found]
        if missing:
            LOG.info("app: not exposed, so not read: %s", ", ".join(missing))

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def series_by_name(pages: Iterable[str]) -> ByName:
    """The series that an application's readings are made of."""
    return parsed(pages, _WANTED, FAMILY_NAMES)


def requests_of(series: ByName, at_s: float) -> Requests:
    """The users' requests that the pages count, and the histogram of their times, the first kind that they have."""
    name = next((name for name in REQUEST_TIMES if f"{name}_bucket" in series), None)
    entries = series[f"{name}_bucket"] if name else ()
    times = buckets_of(entry for entry in entries if not FOR_MONITORS.search(entry.labels))
    return Requests(at_s, _of_users(series.get(REQUESTS, ())) if REQUESTS in series else times.get(math.inf), times)


def request_figures(before: Requests, now: Requests) -> dict[str, float]:
    """Rate and quantiles of the requests between two readings of one process."""
    values: dict[str, float] = {}
    if before.count is not None and now.count is not None and now.count >= before.count and now.at_s > before.at_s:
        values["requests_per_s"] = (now.count - before.count) / (now.at_s - before.at_s)
    between = gained(before.times, now.times)
    for reading, share in QUANTILES.items():
        time_s = quantile(between, share)
        if time_s is not None:
            values[reading] = 1e3 * time_s
    return values


def figures(series: ByName) -> dict[str, float]:
    """Value by metric; a metric of which any series is no number is left out."""
    values = {**_families(series), **readings_of(series, APPLICATION), **errors_by_endpoint(series)}
    for name in (*SINGLE, *SUMMED):
        entries = series.get(name, ())
        total = _sum(entries)
        if total is not None and (name in SUMMED or len(entries) == 1):
            values[name] = total
    users = _of_users(series.get(REQUESTS, ()))
    return values if users is None else values | {USER_REQUESTS: users}


def _families(series: ByName) -> dict[str, float]:
    found = (
        (entry.name + entry.labels, entry.value)
        for name, entries in series.items()
        if name not in SINGLE and name not in SUMMED and family_of(name)
        for entry in entries
        if entry.value is not None and entry.is_plain
    )
    return dict(islice(found, MAX_FAMILY_SERIES))


def _of_users(entries: Sequence[Series]) -> float | None:
    users = [entry for entry in entries if not FOR_MONITORS.search(entry.labels)]
    return 0.0 if entries and not users else _sum(users)


def _sum(entries: Sequence[Series]) -> float | None:
    """The sum of the series; None where there are none, or one is no number."""
    numbers = [entry.value for entry in entries if entry.value is not None]
    return sum(numbers) if numbers and len(numbers) == len(entries) else None
