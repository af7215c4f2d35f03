"""GETs that are sent again and again: what `httpx.AsyncClient` would make anew for each is made once.

That is half of what a request costs this process, and the collectors share their machine with what they measure.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx


class Exchange:
    """Sends GETs, with the same headers each, the credentials of its address, and cookies that a server has set.

    Redirects are not followed, and there is no timeout: the caller keeps one for the whole exchange.
    """

    def __init__(self, headers: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._headers = dict(headers)
        self._transport = transport or httpx.AsyncHTTPTransport(trust_env=False)
        self._made: dict[tuple[str, ...], httpx.Request] = {}
        self._cookies = httpx.Cookies()

    @asynccontextmanager
    async def get(self, url: str, **asked: str) -> AsyncIterator[httpx.Response]:
        """An answer whose body is still to be read; `asked`: the query. Raises httpx.HTTPError and httpx.InvalidURL."""
        key = (url, *asked.values())
        request = self._made.get(key) or self._made.setdefault(key, self._request(url, asked))
        response = await self._transport.handle_async_request(request)
        try:
            if "set-cookie" in response.headers:
                response.request = request
                self._cookies.extract_cookies(response)
                self._made.clear()
            yield response
        finally:
            await response.aclose()

    def _request(self, url: str, asked: Mapping[str, str]) -> httpx.Request:
        request = httpx.Request("GET", url, params=asked or None, headers=self._headers, cookies=self._cookies)
        user, password = request.url.username, request.url.password
        return next(httpx.BasicAuth(user, password).auth_flow(request)) if user or password else request

    async def close(self) -> None:
        """Close what is open."""
        await self._transport.aclose()
