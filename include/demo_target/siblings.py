"""The processes of one target among themselves: each can reach each other at an address of its own."""

import asyncio
from typing import Any

import httpx

# A process that is made to stand still answers late.
TIMEOUT_S = 150.0


class Siblings:
    """The other processes, by the addresses `urls` of all; the first one leads. Empty: this one is alone."""

    def __init__(self, own: int, urls: tuple[str, ...]) -> None:
        self.leads = own == 0
        self._leader = urls[0] if urls else ""
        self._others = [url for number, url in enumerate(urls) if number != own]
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)

    async def ask_others(self, method: str, path: str, **options: Any) -> list[httpx.Response]:
        """Their answers to one call, made at the same time. Raises httpx' error where one gives none."""
        calls = [self._http.request(method, f"{url}{path}", **options) for url in self._others]
        return [answer.raise_for_status() for answer in await asyncio.gather(*calls)]

    async def ask_leader(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The leader's answer, whatever its status."""
        return await self._http.request(method, f"{self._leader}{path}", **options)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
