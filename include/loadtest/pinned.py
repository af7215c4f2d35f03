"""HTTP to one server at the addresses that were checked: its name is not looked up again, and no other is reached.

Between a check and a connection a name may come to point to another machine (DNS rebinding), and a redirect or a fault
of the caller may name another one. So a client gets the addresses, and connects to those.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import httpx


@dataclass(frozen=True)
class Place:
    """A server: scheme, host and port as an address has them, and the IP addresses that were checked, best first."""

    scheme: str
    host: str
    port: int
    addresses: tuple[str, ...]

    @classmethod
    def of(cls, base_url: str, addresses: Sequence[str]) -> "Place":
        """Of `http://host:port`; without addresses the host has to be one itself. Raises httpx.InvalidURL."""
        url = httpx.URL(base_url)
        return cls(url.scheme, url.host, _port(url), tuple(addresses) or (url.host,))

    def requests(self, request: httpx.Request) -> Iterator[httpx.Request]:
        """The same request to each address; the server still sees its name. Raises httpx.ConnectError: another server.

        The certificate of an https server is checked against the name as before.
        """
        url = request.url
        if (url.scheme, url.host, _port(url)) != (self.scheme, self.host, self.port):
            raise httpx.ConnectError(f"{url.host} is not the server that was checked ({self.host})", request=request)
        for address in self.addresses:
            if address == self.host:
                yield request
                continue
            yield httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": self.host},
            )


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}.get(url.scheme, 0)


class PinnedTransport(httpx.BaseTransport):
    """For `httpx.Client(transport=…)`: the addresses one after the other, until one takes the connection."""

    def __init__(self, place: Place) -> None:
        self._place, self._inner = place, httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises what the last address raised."""
        failure: httpx.TransportError | None = None
        for one in self._place.requests(request):
            try:
                return self._inner.handle_request(one)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("no address was checked", request=request)

    def close(self) -> None:
        """Close what is open."""
        self._inner.close()


class AsyncPinnedTransport(httpx.AsyncBaseTransport):
    """The same for `httpx.AsyncClient(transport=…)`."""

    def __init__(self, place: Place) -> None:
        self._place, self._inner = place, httpx.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange. Raises what the last address raised."""
        failure: httpx.TransportError | None = None
        for one in self._place.requests(request):
            try:
                return await self._inner.handle_async_request(one)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or httpx.ConnectError("no address was checked", request=request)

    async def aclose(self) -> None:
        """Close what is open."""
        await self._inner.aclose()
