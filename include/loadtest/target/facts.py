"""What a target's servers say of themselves, and the machine that sends the load; for the manifest of a run."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class

from include.loadtest.errors import ConfigError, InfrastructureError, LoadTestError
from include.loadtest.machine import cpu_groups
from include.loadtest.run import utc_text
from include.loadtest.target.database import connected, first_line, required_database_url
from include.loadtest.target.schema import require_users_table
from include.loadtest.target.settings import Target
from include.loadtest.target.urls import redacted

if TYPE_CHECKING:
    from redis import Redis  # a tenth of a second of imports, which two stages need

STATEMENT_TIMEOUT_S = 15
REDIS_TIMEOUT_S = 5.0
COUNTED_TABLES = 40
SIZE_KEYS = ("database_bytes", "redis_used_memory_bytes", "row_counts")
EXACT_UP_TO_BYTES = 8 * 1024 * 1024
_PORT_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
POSTGRES_SETTINGS = (
    "server_version",
    "max_connections",
    "shared_buffers",
    "work_mem",
    "effective_cache_size",
    "max_wal_size",
    "max_parallel_workers",
    "random_page_cost",
    "synchronous_commit",
    "fsync",
)


@dataclass(frozen=True)
class DatabaseFacts:
    """Settings as PostgreSQL shows them; rows by table: exact for tables up to 8 MB, else the planner's estimate.

    `migration_head` is the version in alembic_version, None where there is no such table.
    """

    settings: dict[str, str]
    size_bytes: int
    row_counts: dict[str, int]
    migration_head: str | None


def read_database_facts(target: Target) -> DatabaseFacts:
    """Check the users table and read the facts. Raises ConfigError (address, schema) or InfrastructureError."""
    url = required_database_url(target, "seed the test users")
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection, connection.cursor() as cursor:
        require_users_table(cursor, target.file.users_table)
        return DatabaseFacts(_settings(cursor), _size_bytes(cursor), _row_counts(cursor), _migration_head(cursor))


def _settings(cursor: Cursor) -> dict[str, str]:
    cursor.execute(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", (list(POSTGRES_SETTINGS),)
    )
    found = dict(cursor.fetchall())
    return {name: found[name] for name in POSTGRES_SETTINGS if name in found}


def _size_bytes(cursor: Cursor) -> int:
    """Size of the connected database on disk, without the server's other files."""
    cursor.execute("SELECT pg_database_size(current_database())")
    return int(_scalar(cursor))


def _row_counts(cursor: Cursor) -> dict[str, int]:
    """Rows of the largest tables of the search path, largest table first; an estimate where the role may not read."""
    cursor.execute(
        """SELECT relname, reltuples::bigint, pg_relation_size(oid), has_table_privilege(oid, 'SELECT') FROM pg_class
        WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])
        ORDER BY pg_relation_size(oid) DESC, relname LIMIT %s""",
        (COUNTED_TABLES,),
    )
    counts = {}
    for name, estimate, size_bytes, may_read in cursor.fetchall():
        exact = may_read and size_bytes <= EXACT_UP_TO_BYTES
        if exact:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
            counts[name] = _scalar(cursor)
        elif estimate >= 0:  # -1: never analysed, so nothing is known
            counts[name] = estimate
    return counts


def _migration_head(cursor: Cursor) -> str | None:
    cursor.execute("SELECT coalesce(has_table_privilege(to_regclass('alembic_version'), 'SELECT'), false)")
    if not _scalar(cursor):
        return None
    cursor.execute("SELECT string_agg(version_num, ',' ORDER BY version_num) FROM alembic_version")
    head = _scalar(cursor)
    return None if head is None else str(head)


def _scalar(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


@dataclass(frozen=True)
class RedisFacts:
    """Version, memory limit and eviction policy, and the memory in use; None where the server does not say."""

    settings: dict[str, str]
    used_memory_bytes: int | None


def read_redis_facts(target: Target) -> RedisFacts | None:
    """What Redis says in INFO; None where no Redis is configured.

    Raises ConfigError (no Redis address) or InfrastructureError (no answer).
    """
    if target.redis_url is None:
        return None
    from redis import RedisError

    with closing(redis_client(target.redis_url)) as client:
        try:
            info: dict[str, Any] = client.info()
        except RedisError as error:
            raise InfrastructureError(
                f"Redis {redacted(target.redis_url)}: {first_line(error)}; "
                f"start it or correct {target.file.where_to_set('redis')}"
            ) from error
    names = ("redis_version", "valkey_version", "maxmemory", "maxmemory_policy")
    settings = {name.removeprefix("redis_"): str(info[name])[:100] for name in names if name in info}
    used = info.get("used_memory")
    return RedisFacts(settings, used if isinstance(used, int) else None)


def redis_client(url: str) -> "Redis":
    """A client without retries, each answer bounded. Raises ConfigError for an address that is none."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    try:
        return Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigError(f"Redis address {redacted(url)}: {first_line(error)}; write redis://host:port/0") from error


def sizes(target: Target) -> dict[str, Any]:
    """How much the target holds now: `{at, database_bytes, redis_used_memory_bytes, row_counts, notes}`.

    A part that cannot be read is None, and a note says why; nothing is raised for a server that is down.
    """
    found: dict[str, Any] = {"at": utc_text(datetime.now(UTC)), **dict.fromkeys(SIZE_KEYS)}
    notes = []
    for read in (_database_sizes, _redis_size):
        try:
            found.update(read(target))  # one by one: what was read before an error stays
        except LoadTestError as error:
            notes.append(str(error))
    return {**found, "notes": notes}


def _database_sizes(target: Target) -> Iterator[tuple[str, Any]]:
    url = required_database_url(target, "read its size")
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection, connection.cursor() as cursor:
        yield "database_bytes", _size_bytes(cursor)
        yield "row_counts", _row_counts(cursor)


def _redis_size(target: Target) -> Iterator[tuple[str, Any]]:
    facts = read_redis_facts(target)
    if facts is None:
        raise ConfigError(f"Redis: not configured ({target.file.where_to_set('redis')}), so its size is not known")
    yield "redis_used_memory_bytes", facts.used_memory_bytes


@dataclass(frozen=True)
class GeneratorHost:
    """The machine that sends the load, and what it lets one process have; None where it does not say.

    `usable_cores`: the cores of this process's affinity, or its control group's CPU quota where that is less.
    `open_files_soft`, `open_files_hard`: RLIMIT_NOFILE, None also for no limit. `ephemeral_port_count` bounds the
    connections to one address that are open or were closed within the last minute.
    """

    cpu_count: int | None
    cpu_model: str | None
    memory_bytes: int
    usable_cores: float | None
    open_files_soft: int | None
    open_files_hard: int | None
    ephemeral_port_range: tuple[int, int] | None
    ephemeral_port_count: int | None


def generator_host() -> GeneratorHost:
    """Facts of this machine and this process."""
    soft, hard = (None if limit == resource.RLIM_INFINITY else limit for limit in _open_files())
    ports = _ephemeral_ports()
    return GeneratorHost(
        cpu_count=os.cpu_count(),
        cpu_model=_cpu_model(),
        memory_bytes=psutil.virtual_memory().total,
        usable_cores=_usable_cores(),
        open_files_soft=soft,
        open_files_hard=hard,
        ephemeral_port_range=ports,
        ephemeral_port_count=ports[1] - ports[0] + 1 if ports else None,
    )


def _open_files() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def _ephemeral_ports() -> tuple[int, int] | None:
    """First and last local port of outgoing connections, as Linux' ip-sysctl describes ip_local_port_range."""
    try:
        first, last = (int(port) for port in _PORT_RANGE.read_text(encoding="utf-8").split())
    except (OSError, ValueError):
        return None
    return (first, last) if first <= last else None


def _usable_cores() -> float | None:
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min((limit for limit in (affinity, *_quotas()) if limit is not None), default=None)


def _quotas() -> Iterator[float]:
    """CPU quotas, in cores, of the own control group and those above it; a container sees its own as the root.

    `cpu.max` of version 2 holds quota and period in one file, version 1 in two; "max" and -1 stand for no quota.
    """
    for group in cpu_groups():
        files = ("cpu.max",) if group.version == 2 else ("cpu.cfs_quota_us", "cpu.cfs_period_us")
        steps = [step for step in group.place.split("/") if step]
        for depth in range(len(steps) + 1):
            folder = group.root.joinpath(*steps[:depth])
            try:
                quota, period = (int(text) for file in files for text in (folder / file).read_text().split())
            except (OSError, ValueError):
                continue
            if quota > 0 and period > 0:
                yield quota / period


def _cpu_model() -> str | None:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or None
