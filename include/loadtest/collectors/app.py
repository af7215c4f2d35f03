"""Reads the metrics pages of the target's own application."""

import asyncio
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlsplit

import httpx

from include.loadtest.collectors.reader import FAMILIES, ReadingError, family_of
from include.loadtest.errors import printable
from include.loadtest.exposition import Series, series_of

LOG = logging.getLogger("loadtest.collectors")
MAX_PAGE_BYTES = 2 * 1024 * 1024
MAX_FAMILY_SERIES = 20
HEADERS = {
    "User-Agent": "loadtest-collectors",  # and no run id: these requests are none of the run's own
    "Accept": "text/plain",
    "Accept-Encoding": "identity",  # a compressed page has no bound that holds before it is unpacked
    "Connection": "close",  # servers close an idle connection after about one interval: it would fail now and then
}
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
_FOR_MONITORS = re.compile(r'/(metrics|health|healthz|livez|readyz)"')
SINCE_LAST_READING = "cpu_usage_percent"
"""A mean since whoever read it last, so the first value tells of a time before the readings began."""


class PageError(Exception):
    """A page that should be there gave nothing."""


@dataclass
class Page:
    """A metrics page: asked until it turns out not to exist. `seen`: it has answered."""

    url: str
    seen: bool = False
    exists: bool = True

    @property
    def path(self) -> str:
        """Its path, for messages."""
        return urlsplit(self.url).path


class AppReader:
    """The process and the requests in work, as the application counts them, and its cache's hit ratio.

    Where several worker processes serve, a reading is of the one that answered: its `process_start_time_seconds` tells
    which. What the target does not expose is absent, and named once in the log.
    """

    source = "app"

    def __init__(self, urls: Sequence[str], instance: str, timeout_s: float) -> None:
        self.instance = instance
        self._pages, self._timeout_s = [Page(url) for url in urls], timeout_s
        self._told = self._has_begun = False
        # The loop's timer is a deadline for the whole exchange; a socket's would start anew with each byte that drips.
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(headers=HEADERS, timeout=timeout_s, trust_env=False, follow_redirects=False)

    def read(self) -> Mapping[str, float]:
        """One reading of all pages. Raises ReadingError, which carries what the other page gave."""
        asked = [page for page in self._pages if page.exists]
        answers = self._loop.run_until_complete(self._ask(asked))
        texts = [answer for answer in answers if isinstance(answer, str)]
        values = figures(texts)
        if texts:
            self._tell_missing(values)
        if SINCE_LAST_READING in values and not self._has_begun:
            self._has_begun = True
            del values[SINCE_LAST_READING]
        problems = [str(answer) for answer in answers if isinstance(answer, PageError)]
        if problems:
            raise ReadingError("; ".join(problems), values)
        return values

    async def _ask(self, pages: Sequence[Page]) -> list[str | PageError | None]:
        return list(await asyncio.gather(*(self._answer(page) for page in pages)))

    async def _answer(self, page: Page) -> str | PageError | None:
        """The page's text, why there is none, or None for a page that does not exist."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._text(page)
        except PageError as error:
            return error
        except (TimeoutError, httpx.TimeoutException):
            return PageError(f"{page.path}: no answer within {self._timeout_s:g} s")
        except httpx.HTTPError as error:
            cause = printable(str(error), 150)
            return PageError(f"{page.path}: {cause or type(error).__name__}")

    async def _text(self, page: Page) -> str | None:
        async with self._client.stream("GET", page.url) as response:
            status = response.status_code
            if status in (401, 403, 404, 405, 410) and not page.seen:
                page.exists = False
                LOG.info("app: %s is not exposed (status %d)", page.path, status)
                return None
            if status != 200:
                raise PageError(f"{page.path}: status {status}")
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > MAX_PAGE_BYTES:
                    raise PageError(f"{page.path}: larger than {MAX_PAGE_BYTES} bytes")
        page.seen = True
        return body.decode("utf-8", errors="replace")

    def _tell_missing(self, values: Mapping[str, float]) -> None:
        if self._told:
            return
        self._told = True
        found = {family.title for family in map(family_of, values) if family}
        missing = [name for name in (*SINGLE, *SUMMED) if name not in values]
        missing += [family.title for family in FAMILIES if family.title not in found]
        if missing:
            LOG.info("app: not exposed, so not read: %s", ", ".join(missing))

    def close(self) -> None:
        """Close what is open."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.close()


def figures(pages: Iterable[str]) -> dict[str, float]:
    """Value by metric; a metric of which any series is no number is left out. The first page that has it counts."""
    values: dict[str, float] = {}
    for page in pages:
        series: dict[str, list[Series]] = {}
        families: dict[str, float] = {}
        for entry in series_of(page):
            if entry.name in SINGLE or entry.name in SUMMED:
                series.setdefault(entry.name, []).append(entry)
                if entry.name == REQUESTS and not _FOR_MONITORS.search(entry.labels):
                    series.setdefault(USER_REQUESTS, []).append(entry)
            elif entry.value is not None and entry.is_plain and family_of(entry.name):
                families[entry.name + entry.labels] = entry.value
        values = {**dict(islice(families.items(), MAX_FAMILY_SERIES)), **_known(series), **values}
    return values


def _known(series: Mapping[str, Sequence[Series]]) -> dict[str, float]:
    known = {}
    for name, entries in series.items():
        numbers = [entry.value for entry in entries if entry.value is not None]
        if len(numbers) == len(entries) and (name in SUMMED or name == USER_REQUESTS or len(numbers) == 1):
            known[name] = sum(numbers)
    return known
