"""Requests are made once, and are what a client of httpx would send each time."""

import asyncio

import httpx
import pytest

from include.loadtest.collectors.exchange import Exchange
from tests.helpers.listeners import listener

pytestmark = pytest.mark.unit
HEADERS = {"User-Agent": "u", "Accept": "text/plain", "Accept-Encoding": "identity", "Connection": "close"}
COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: worker=w2; Path=/\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


@pytest.mark.parametrize("asked", [{}, {"query": "sum(a{b='c'}) + 1", "timeout": "3s"}], ids=["a page", "a query"])
@pytest.mark.parametrize("user", ["", "u:p%40ss@"], ids=["nobody", "a user"])
def test_each_request_is_what_a_client_sends(asked: dict[str, str], user: str) -> None:
    """Byte for byte but for the headers' order: the query, the credentials, and the cookies that the server has set."""
    with listener("127.0.0.1", answer=COOKIE) as server:
        url = f"http://{user}127.0.0.1:{server.port}/metrics?a=b"

        async def ours() -> None:
            exchange = Exchange(HEADERS)
            for _ in range(3):
                async with exchange.get(url, **asked) as response:
                    assert await response.aread() == b"{}"
            await exchange.close()

        async def theirs() -> None:
            async with httpx.AsyncClient(headers=HEADERS, trust_env=False) as client:
                for _ in range(3):
                    await client.get(url, params=asked or None)

        asyncio.run(ours())
        asyncio.run(theirs())
    sent = [(head.split("\r\n")[0], sorted(head.lower().split("\r\n")[1:])) for head in server.received]
    assert sent[:3] == sent[3:]
    assert "cookie: worker=w2" in sent[2][1]
    assert "cookie: worker=w2" not in sent[0][1]


def test_an_address_that_is_none_is_an_error() -> None:
    """As with a client: it is told of at the reading."""

    async def ask() -> None:
        async with Exchange(HEADERS).get("http://[::1"):
            pass

    with pytest.raises(httpx.InvalidURL):
        asyncio.run(ask())
