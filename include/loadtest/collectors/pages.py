"""Asks servers for pages, each within a deadline and a size that hold whatever they do."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from include.loadtest.collectors.exchange import Exchange
from include.loadtest.errors import printable
from include.loadtest.pinned import AsyncPinnedTransport, Place

LOG = logging.getLogger("loadtest.collectors")
MAX_PAGE_BYTES = 2 * 1024 * 1024
HEADERS = {
    "User-Agent": "loadtest-collectors",  # and no run id: these requests are none of the run's own
    "Accept": "text/plain",
    "Accept-Encoding": "identity",  # a compressed page has no bound that holds before it is unpacked
    "Connection": "close",  # servers close an idle connection after about one interval: it would fail now and then
}
_NOT_THERE, _NOT_ALLOWED = (404, 405, 410), (401, 403)
ASKED_AGAIN_S = 60.0
"""A page that was not there, or not for us, may come with a restart; asking at each reading would fill its log."""


class PageError(Exception):
    """A page that should be there gave nothing."""


@dataclass
class Page:
    """A page. `seen`: it has answered. `source` names it in the log.

    Until it has been seen, one that does not exist, or not for us, is asked for again only after a while.
    """

    url: str
    source: str
    seen: bool = False
    is_told: bool = False
    rests_until_s: float = 0.0
    meanwhile: PageError | None = None

    @property
    def path(self) -> str:
        """Its path, for messages."""
        return urlsplit(self.url).path

    def rest(self, status: int) -> PageError | None:
        """What is said of it until it is asked again: not to be allowed to see it is an error, not to exist is none."""
        self.rests_until_s = time.monotonic() + ASKED_AGAIN_S
        self.meanwhile = PageError(f"{self.path}: status {status}") if status in _NOT_ALLOWED else None
        if self.meanwhile is None and not self.is_told:
            self.is_told = True
            LOG.info("%s: %s is not exposed (status %d)", self.source, self.path, status)
        return self.meanwhile


Answer = str | PageError | None
"""A page's text, why there is none, or None for a page that does not exist."""


class PageClient:
    """Asks for several pages at once. An address may hold credentials; no message has them.

    With a `place` it asks that server only, at its checked addresses.
    """

    def __init__(self, place: Place | None = None) -> None:
        # The loop's timer is a deadline for the whole exchange; a socket's would start anew with each byte that drips.
        self._loop = asyncio.new_event_loop()
        self._exchange = Exchange(HEADERS, None if place is None else AsyncPinnedTransport(place))

    def ask(self, pages: Sequence[Page], timeout_s: float) -> list[Answer]:
        """The answers, in order, after `timeout_s` at the latest."""
        return self._loop.run_until_complete(self._ask(pages, timeout_s))

    async def _ask(self, pages: Sequence[Page], timeout_s: float) -> list[Answer]:
        return list(await asyncio.gather(*(self._answer(page, timeout_s) for page in pages)))

    async def _answer(self, page: Page, timeout_s: float) -> Answer:
        if time.monotonic() < page.rests_until_s:
            return page.meanwhile
        try:
            async with asyncio.timeout(timeout_s):
                return await self._text(page)
        except PageError as error:
            return error
        except TimeoutError:
            return PageError(f"{page.path}: no answer within {timeout_s:.2g} s")
        except httpx.HTTPError as error:
            cause = printable(str(error), 150)
            return PageError(f"{page.path}: {cause or type(error).__name__}")

    async def _text(self, page: Page) -> Answer:
        async with self._exchange.get(page.url) as response:
            status = response.status_code
            if status in (*_NOT_THERE, *_NOT_ALLOWED) and not page.seen:
                return page.rest(status)
            if status != 200:
                raise PageError(f"{page.path}: status {status}")
            body = await body_of(response, page.path)
        page.seen = True
        return body.decode("utf-8", errors="replace")

    def close(self) -> None:
        """Close what is open."""
        self._loop.run_until_complete(self._exchange.close())
        self._loop.close()


async def body_of(response: httpx.Response, path: str) -> bytes:
    """A body as it came. Raises PageError for one that is too large."""
    body = bytearray()
    async for part in response.aiter_raw():
        body += part
        if len(body) > MAX_PAGE_BYTES:
            raise PageError(f"{path}: larger than {MAX_PAGE_BYTES} bytes")
    return bytes(body)
