"""The target's rate limits: by client address, in memory, fixed windows."""

import time
from dataclasses import dataclass
from types import MappingProxyType

MINUTE_S, HOUR_S = 60, 3600
MAX_BUCKETS = 50_000


@dataclass(frozen=True)
class Limit:
    """At most `requests` in a window of `window_s` seconds."""

    bucket: str
    requests: int
    window_s: int

    @property
    def text(self) -> str:
        """The limit in the words of the target's answer."""
        return f"{self.requests} per 1 {'minute' if self.window_s == MINUTE_S else 'hour'}"


LIMITS = MappingProxyType(
    {
        "login": Limit("login", 20, MINUTE_S),
        "chat_stream": Limit("chat_stream", 20, MINUTE_S),
        "chat": Limit("chat", 30, MINUTE_S),
        "tax_calculate": Limit("italian_tax", 50, MINUTE_S),
        "tax_rates": Limit("italian_tax", 50, MINUTE_S),
        "health": Limit("health", 20, MINUTE_S),
        "api_health": Limit("health", 20, MINUTE_S),
        "register": Limit("register", 10, HOUR_S),
        "data_subject_request": Limit("data_subject_request", 5, HOUR_S),
    }
)


class RateLimiter:
    """Counts requests by limit, address and window."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str, int], int] = {}

    def exceeded(self, endpoint: str, address: str, now_s: float | None = None) -> Limit | None:
        """Count one request; the limit that it exceeds, or None."""
        limit = LIMITS.get(endpoint)
        if limit is None:
            return None
        now_s = time.time() if now_s is None else now_s
        if len(self._seen) >= MAX_BUCKETS:
            self._forget(now_s)
        key = (limit.bucket, address, int(now_s // limit.window_s) * limit.window_s)
        self._seen[key] = self._seen.get(key, 0) + 1
        return limit if self._seen[key] > limit.requests else None

    def _forget(self, now_s: float) -> None:
        self._seen = {key: count for key, count in self._seen.items() if key[2] > now_s - HOUR_S}


def client_address(forwarded_for: str, peer: str) -> str:
    """The address a request counts for: the first of `X-Forwarded-For`, else the peer's."""
    first = forwarded_for.split(",")[0].strip()
    return first or peer
