"""Checks before a run, and what the manifest says about the environment."""

import socket
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from include.loadtest.errors import InfrastructureError, InvalidTestError, printable
from include.loadtest.run import utc_text
from include.loadtest.target.facts import (
    SIZE_KEYS,
    DatabaseFacts,
    GeneratorHost,
    RedisFacts,
    generator_host,
    read_database_facts,
    read_redis_facts,
)
from include.loadtest.target.requests import Answer, exchange, forwarded_address, http_client, request_headers
from include.loadtest.target.restart import start_times_s
from include.loadtest.target.settings import Target
from include.loadtest.target.urls import split_base_url

HEALTH_TIMEOUT_S = 10.0
LIMITER_PROBES = 25  # more than the 20 a minute that the target allows its health page
LIMITER_MAX_S = 20.0
TCP_CONNECTS = 5


@dataclass(frozen=True)
class TargetFacts:
    """What is known about the target before the load; None where the target does not expose it.

    `notes` names what is not configured or not exposed, one sentence each.
    """

    app_version: str | None
    process_start: str | None
    round_trip_ms: float
    database: DatabaseFacts
    redis: RedisFacts | None
    generator_host: GeneratorHost
    notes: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For the manifest's `environment`."""
        return {
            "app_version": self.app_version,
            "process_start": self.process_start,
            "migration_head": self.database.migration_head,
            "row_counts": self.database.row_counts,
            "database_bytes": self.database.size_bytes,
            "redis_used_memory_bytes": self.redis.used_memory_bytes if self.redis else None,
            "postgres": self.database.settings,
            "redis": self.redis.settings if self.redis else None,
            "generator_host": asdict(self.generator_host),
            "round_trip_ms": self.round_trip_ms,
            "notes": list(self.notes),
        }

    def sizes(self) -> dict[str, Any]:
        """How much the target holds, in the form of `facts.sizes`."""
        document = self.document()
        return {"at": utc_text(datetime.now(UTC)), **{key: document[key] for key in SIZE_KEYS}, "notes": []}

    def lines(self) -> list[str]:
        """For the log."""
        settings = self.database.settings
        postgres = f"PostgreSQL {settings.get('server_version')}, max_connections {settings.get('max_connections')}"
        cache = f"Redis {self.redis.settings.get('version')}" if self.redis else "no Redis"
        version = f"version {self.app_version or 'not exposed'}"
        return [
            f"target: {version}, round trip {self.round_trip_ms:.2f} ms, {postgres}, {cache}",
            *self.notes,
        ]


def check_target(target: Target, run_id: str) -> TargetFacts:
    """Check that a run can start, and gather facts; takes seconds and changes nothing.

    Raises InvalidTestError (`target_unreachable`, `rate_limiter`), ConfigError (an address or the schema is not as
    needed) or InfrastructureError (database or Redis does not answer).
    """
    with http_client(target, HEALTH_TIMEOUT_S) as client:
        probe = _Probe(target, run_id, client)
        health = probe.health()
        probe.check_limiter()
        process_start = probe.process_start()
    database, redis_facts = read_database_facts(target), read_redis_facts(target)
    notes = []
    if process_start is None:
        notes.append("process start time: not exposed by /metrics")
    if redis_facts is None:
        notes.append(f"Redis: not configured ({target.file.where_to_set('redis')}), so its metrics are missing")
    version = health.json().get("version")
    return TargetFacts(
        app_version=printable(version, 100) if isinstance(version, str) else None,
        process_start=process_start,
        round_trip_ms=_round_trip_ms(target),
        database=database,
        redis=redis_facts,
        generator_host=generator_host(),
        notes=tuple(notes),
    )


@dataclass(frozen=True)
class _Probe:
    """Requests to the pages that need no user."""

    target: Target
    run_id: str
    client: httpx.Client

    def health(self) -> Answer:
        """The health page. Raises InvalidTestError unless it answers 200 in time."""
        repair = f"start the target or correct {self.target.file.where_to_set('base_url')}"
        url = f"{self.target.base_url}/health"
        try:
            answer = self._get("/health", {})
        except httpx.TimeoutException as error:
            text = f"{url}: no answer within {HEALTH_TIMEOUT_S:g} s; {repair}"
            raise InvalidTestError("target_unreachable", text) from error
        except httpx.HTTPError as error:
            raise InvalidTestError("target_unreachable", f"{url}: {error or type(error).__name__}; {repair}") from error
        if answer.status == 429:
            raise self._limited(answer)
        if answer.status != 200:
            text = f"{url}: status {answer.status} ({answer.short or 'empty answer'}); {repair}"
            raise InvalidTestError("target_unreachable", text)
        return answer

    def check_limiter(self) -> None:
        """Raise InvalidTestError where requests of one address are limited and users cannot have their own."""
        refused = None
        deadline = time.monotonic() + LIMITER_MAX_S
        for _ in range(LIMITER_PROBES):
            if time.monotonic() > deadline:  # so slow a page is not refused either
                break
            answer = self._get_or_none("/health", {"X-Forwarded-For": None})
            if answer is not None and answer.status == 429:
                refused = answer
                break
        if refused is None:
            return
        if self.target.file.forwarded_for:
            own = self._get_or_none("/health", {"X-Forwarded-For": forwarded_address(1)})
            if own is not None and own.status == 200:
                return
        raise self._limited(refused)

    def process_start(self) -> str | None:
        """Start of the target's process, ISO 8601 UTC; None where /metrics does not say."""
        answer = self._get_or_none("/metrics", {})
        found = start_times_s(answer.text) if answer is not None and answer.status == 200 else []
        return utc_text(datetime.fromtimestamp(found[0], UTC)) if found else None

    def _get_or_none(self, path: str, changed: dict[str, str | None]) -> Answer | None:
        try:
            return self._get(path, changed)
        except httpx.HTTPError:
            return None

    def _get(self, path: str, changed: dict[str, str | None]) -> Answer:
        headers = {**request_headers(self.target, self.run_id, "login", 0), **changed}
        kept = {name: value for name, value in headers.items() if value is not None}
        return exchange(self.client, "GET", self.target.base_url + path, timeout_s=HEALTH_TIMEOUT_S, headers=kept)

    def _limited(self, answer: Answer) -> InvalidTestError:
        own = "the target does not trust its X-Forwarded-For header" if self.target.file.forwarded_for else ""
        repair = f"set RATELIMIT_ENABLED=false on the target, or forwarded_for: true in {self.target.file.path}"
        said = answer.json().get("error") or answer.short
        text = (
            f"{self.target.base_url} limits requests of one address ({said}){f', and {own}' if own else ''}: {repair}"
        )
        return InvalidTestError("rate_limiter", text)


def _round_trip_ms(target: Target) -> float:
    """Median time of a TCP connect to the target, in milliseconds. Raises InfrastructureError."""
    _, _, port = split_base_url(target.base_url, target.file.name)
    times_ms = []
    try:
        for _ in range(TCP_CONNECTS):
            begin = time.perf_counter()
            _connect(target.addresses, port)
            times_ms.append((time.perf_counter() - begin) * 1000)
    except OSError as error:
        raise InfrastructureError(f"{target.base_url}: no TCP connection ({error})") from error
    return round(statistics.median(times_ms), 3)


def _connect(addresses: Sequence[str], port: int) -> None:
    """A TCP connection to the first address that takes it. Raises OSError, of the last address."""
    for left, address in reversed(list(enumerate(reversed(addresses)))):
        try:
            socket.create_connection((address, port), timeout=HEALTH_TIMEOUT_S).close()
        except OSError:
            if not left:
                raise
        else:
            return
