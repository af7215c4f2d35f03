"""Reads a Prometheus server: one instant query for each reading that the target's file defines."""

import asyncio
import json
import logging
import math
from collections.abc import Mapping
from typing import Any

import httpx

from include.loadtest.collectors.exchange import Exchange
from include.loadtest.collectors.pages import HEADERS, PageError, body_of
from include.loadtest.collectors.reader import ReadingError
from include.loadtest.errors import printable

LOG = logging.getLogger("loadtest.collectors")
PATH = "/api/v1/query"
_REFUSED = (400, 422)
"""Status of an expression that is wrong, or cannot be executed: https://prometheus.io/docs/prometheus/latest/querying/api"""


class QueryError(Exception):
    """An expression gives no single number; the server is well."""


class PrometheusReader:
    """What others measure of the target's machines: readings by name, each the one number that its PromQL gives now.

    An expression that is wrong, or gives no data, several series or no finite number, has no reading and is named once
    in the log. All are asked at once, within one timeout.
    """

    source = "prometheus"

    def __init__(self, url: str, queries: Mapping[str, str], instance: str, timeout_s: float) -> None:
        self.instance, self._timeout_s = instance, timeout_s
        self._address, self._queries = url.rstrip("/") + PATH, dict(queries)
        self._told: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._exchange = Exchange(HEADERS | {"Accept": "application/json", "Connection": "keep-alive"})

    def read(self) -> Mapping[str, float]:
        """One reading. Raises ReadingError where the server does not answer, with what it answered."""
        answers = self._loop.run_until_complete(self._ask())
        values = {name: answer for name, answer in answers.items() if isinstance(answer, float)}
        for name, answer in answers.items():
            if isinstance(answer, QueryError) and name not in self._told:
                self._told.add(name)
                LOG.warning("prometheus: %s is not read: %s", name, answer)
        silent = [str(answer) for answer in answers.values() if isinstance(answer, PageError)]
        if silent:
            raise ReadingError(silent[0], values)
        return values

    async def _ask(self) -> dict[str, float | QueryError | PageError]:
        answers = await asyncio.gather(*(self._answer(query) for query in self._queries.values()))
        return dict(zip(self._queries, answers, strict=True))

    async def _answer(self, query: str) -> float | QueryError | PageError:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._value(query)
        except (QueryError, PageError) as error:
            return error
        except TimeoutError:
            return PageError(f"no answer within {self._timeout_s:g} s")
        except httpx.HTTPError as error:
            return PageError(printable(str(error), 150) or type(error).__name__)

    async def _value(self, query: str) -> float:
        async with self._exchange.get(self._address, query=query, timeout=f"{self._timeout_s:g}s") as response:
            body = await body_of(response, PATH)
        if response.status_code not in (200, *_REFUSED):
            raise PageError(f"status {response.status_code}")
        return number_in(_parsed(body))

    def close(self) -> None:
        """Close what is open."""
        self._loop.run_until_complete(self._exchange.close())
        self._loop.close()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise PageError("the answer is not Prometheus' JSON")
    return document


def number_in(document: Mapping[str, Any]) -> float:
    """The one finite number of an answer of /api/v1/query. Raises QueryError: refused, no data, several, no number."""
    if document.get("status") != "success":
        raise QueryError(printable(str(document.get("error") or "refused without a reason"), 200))
    data = document.get("data")
    kind, result = (data.get("resultType"), data.get("result")) if isinstance(data, dict) else (None, None)
    if kind == "vector" and isinstance(result, list):
        if len(result) != 1:
            raise QueryError("no data" if not result else f"{len(result)} series instead of one")
        result = result[0].get("value") if isinstance(result[0], dict) else None
    elif kind != "scalar":
        raise QueryError(f"a {printable(str(kind), 20)} instead of one number")
    try:
        value = float(result[1])  # type: ignore[index]
    except (TypeError, ValueError, LookupError):
        raise QueryError("no number") from None
    if not math.isfinite(value):
        raise QueryError("no finite number")
    return value
