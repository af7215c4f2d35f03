"""Reads what Redis (or Valkey) says of itself, and how long it takes to answer."""

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from redis import Redis, RedisError, ResponseError
from redis.backoff import NoBackoff
from redis.retry import Retry

from include.loadtest.collectors.reader import ReadingError
from include.loadtest.collectors.slow_log import SlowLog
from include.loadtest.errors import printable

LOG = logging.getLogger("loadtest.collectors")
CLIENT_NAME = "loadtest-collectors"
FIELDS = {
    "used_memory": "used_memory_bytes",
    "used_memory_peak": "used_memory_peak_bytes",
    "mem_fragmentation_ratio": "memory_fragmentation_ratio",
    "connected_clients": "connected_clients",
    "blocked_clients": "blocked_clients",
    "rejected_connections": "rejected_connections",
    "keyspace_hits": "keyspace_hits",
    "keyspace_misses": "keyspace_misses",
    "total_commands_processed": "commands_processed",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
}
"""Metric by field of INFO."""
_BUSY = ("BUSY", "LOADING", "MASTERDOWN", "TRYAGAIN", "CLUSTERDOWN", "OOM")
"""Begins of errors that pass; any other one says that the server has no such command, or not for this user."""
PINGS = 5
_FLUSHES = ("cmdstat_flushall", "cmdstat_flushdb")


class Pings:
    """What PINGs take that are due some time apart: one alone misses what blocks the server now and then.

    One that is due while a command before it still waits has waited from then on, as anybody else's would have.
    """

    def __init__(self, client: Redis, every_s: float) -> None:
        self._client, self._every_s = client, every_s
        self._begun_s = time.perf_counter()
        self._took_s: list[float] = []
        self._next()

    def finish(self) -> dict[str, float]:
        """The rest of them: the longest, and the mean. Raises RedisError."""
        while len(self._took_s) < PINGS:
            self._next()
        return {"ping_ms": 1000 * max(self._took_s), "ping_mean_ms": 1000 * sum(self._took_s) / PINGS}

    def _next(self) -> None:
        due_s = self._begun_s + len(self._took_s) * self._every_s
        early_s = due_s - time.perf_counter()
        if early_s > 0:
            time.sleep(early_s)
            due_s = time.perf_counter()  # who wakes up late has not waited for the server
        self._client.ping()
        self._took_s.append(time.perf_counter() - due_s)


class RedisReader:
    """Memory, keys, clients, lookups, slow commands, and the time of a PING; counters are the server's since its start.

    `ping_ms` is the longest of so many `PINGS`, due `every_s` apart. What the server has not, or the user may not ask
    for, is absent, and named once in the log.
    """

    source = "redis"

    def __init__(self, url: str, instance: str, timeout_s: float, every_s: float = 0.02) -> None:
        self.instance, self._every_s = instance, every_s
        # Without retries: a retry would take the time of the next reading.
        self._client = Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )
        self._is_connected = False
        self._absent: set[str] = set()
        self._slow_log = SlowLog(CLIENT_NAME)

    def read(self) -> dict[str, float]:
        """One reading. Raises ReadingError with what was read."""
        values: dict[str, float] = {}
        try:
            pings = self._begin_pings()  # first: behind another command it would find the server free again
            info: dict[str, Any] = self._client.info()
            values |= figures(info)
            values |= self._unless_refused("calls of commands (INFO commandstats)", self._flushes)
            values |= self._unless_refused("slow commands (SLOWLOG)", lambda: self._slow_log.read(self._client, info))
            values |= pings.finish()
        except RedisError as error:
            self._is_connected = False
            raise ReadingError(_cause(error), values) from error
        return values

    def observations(self) -> Sequence[Mapping[str, Any]]:
        """The slow commands since the last call."""
        return self._slow_log.observations()

    def _begin_pings(self) -> Pings:
        if not self._is_connected:  # the time to connect is none of the server's answer
            self._client.ping()
            with suppress(ResponseError):  # where a name is not allowed, slow commands of the reader's own are told too
                self._client.client_setname(CLIENT_NAME)
            self._is_connected = True
        return Pings(self._client, self._every_s)

    def _flushes(self) -> dict[str, float]:
        calls: dict[str, Any] = self._client.info("commandstats")
        if not calls:
            raise ResponseError("nothing is told")
        return {"flush_commands": float(sum(calls[name]["calls"] for name in _FLUSHES if name in calls))}

    def _unless_refused(self, title: str, work: Callable[[], dict[str, float]]) -> dict[str, float]:
        if title in self._absent:
            return {}
        try:
            return work()
        except ResponseError as error:
            if str(error).startswith(_BUSY):
                raise
            self._absent.add(title)
            LOG.info("redis: %s are not read: %s", title, _cause(error))
            return {}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def figures(info: Mapping[str, Any]) -> dict[str, float]:
    """Value by metric from INFO's default sections."""
    values = {metric: _number(info.get(field)) for field, metric in FIELDS.items()}
    values["memory_limit_bytes"] = _number(info.get("maxmemory")) or None  # 0: there is no limit
    databases = [entry for name, entry in info.items() if name.startswith("db") and isinstance(entry, dict)]
    values["keys"] = float(sum(entry.get("keys", 0) for entry in databases))
    return {metric: value for metric, value in values.items() if value is not None}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _cause(error: BaseException) -> str:
    lines = str(error).splitlines()
    return printable(lines[0], 200) if lines else type(error).__name__
