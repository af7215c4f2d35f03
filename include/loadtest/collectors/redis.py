"""Reads what Redis (or Valkey) says of itself in INFO."""

from typing import Any

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from include.loadtest.collectors.reader import ReadingError

FIELDS = {
    "used_memory": "used_memory_bytes",
    "used_memory_peak": "used_memory_peak_bytes",
    "connected_clients": "connected_clients",
    "keyspace_hits": "keyspace_hits",
    "keyspace_misses": "keyspace_misses",
    "total_commands_processed": "commands_processed",
    "evicted_keys": "evicted_keys",
    "expired_keys": "expired_keys",
}
"""Metric by field of INFO."""


class RedisReader:
    """Memory, clients, hits and misses; hits and misses are counted since the server's start."""

    source = "redis"

    def __init__(self, url: str, instance: str, timeout_s: float) -> None:
        self.instance = instance
        # Without retries: a retry would take the time of the next reading.
        self._client = Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s, retry=Retry(NoBackoff(), 0)
        )

    def read(self) -> dict[str, float]:
        """One reading. Raises ReadingError."""
        try:
            info: dict[str, Any] = self._client.info()
        except RedisError as error:
            raise ReadingError((str(error).splitlines() or [type(error).__name__])[0][:200]) from error
        return {metric: float(info[field]) for field, metric in FIELDS.items() if field in info}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
