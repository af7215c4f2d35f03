"""What a target's servers say of themselves, and the machine that sends the load; for the manifest of a run."""

import os
import platform
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import redis
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor  # noqa: N812 - it is a class
from redis.backoff import NoBackoff
from redis.retry import Retry

from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.target.database import connected, first_line, required_database_url
from include.loadtest.target.schema import require_users_table
from include.loadtest.target.settings import Target
from include.loadtest.target.urls import redacted

STATEMENT_TIMEOUT_S = 15
REDIS_TIMEOUT_S = 5.0
COUNTED_TABLES = 40
EXACT_UP_TO_BYTES = 8 * 1024 * 1024
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
    row_counts: dict[str, int]
    migration_head: str | None


def read_database_facts(target: Target) -> DatabaseFacts:
    """Check the users table and read the facts. Raises ConfigError (address, schema) or InfrastructureError."""
    url = required_database_url(target, "seed the test users")
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection, connection.cursor() as cursor:
        require_users_table(cursor, target.file.users_table)
        return DatabaseFacts(_settings(cursor), _row_counts(cursor), _migration_head(cursor))


def _settings(cursor: Cursor) -> dict[str, str]:
    cursor.execute(
        "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)", (list(POSTGRES_SETTINGS),)
    )
    found = dict(cursor.fetchall())
    return {name: found[name] for name in POSTGRES_SETTINGS if name in found}


def _row_counts(cursor: Cursor) -> dict[str, int]:
    """Rows of the largest tables of the search path, largest table first."""
    cursor.execute(
        """SELECT relname, reltuples::bigint, pg_relation_size(oid) FROM pg_class
        WHERE relkind = 'r' AND relnamespace::regnamespace::text = ANY (current_schemas(false)::text[])
        ORDER BY pg_relation_size(oid) DESC, relname LIMIT %s""",
        (COUNTED_TABLES,),
    )
    counts = {}
    for name, estimate, size_bytes in cursor.fetchall():
        exact = size_bytes <= EXACT_UP_TO_BYTES
        if exact:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name)))
            counts[name] = _scalar(cursor)
        elif estimate >= 0:  # -1: never analysed, so nothing is known
            counts[name] = estimate
    return counts


def _migration_head(cursor: Cursor) -> str | None:
    cursor.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    if not _scalar(cursor):
        return None
    cursor.execute("SELECT string_agg(version_num, ',' ORDER BY version_num) FROM alembic_version")
    head = _scalar(cursor)
    return None if head is None else str(head)


def _scalar(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def read_redis_facts(target: Target) -> dict[str, str] | None:
    """Version, memory limit and eviction policy; None where no Redis is configured.

    Raises ConfigError (no Redis address) or InfrastructureError (no answer).
    """
    if target.redis_url is None:
        return None
    with closing(redis_client(target.redis_url)) as client:
        try:
            info: dict[str, Any] = client.info()
        except redis.RedisError as error:
            raise InfrastructureError(
                f"Redis {redacted(target.redis_url)}: {first_line(error)}; "
                f"start it or correct {target.file.where_to_set('redis')}"
            ) from error
    names = ("redis_version", "valkey_version", "maxmemory", "maxmemory_policy")
    return {name.removeprefix("redis_"): str(info[name]) for name in names if name in info}


def redis_client(url: str) -> redis.Redis:
    """A client without retries, each answer bounded. Raises ConfigError for an address that is none."""
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=REDIS_TIMEOUT_S,
            socket_connect_timeout=REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
    except ValueError as error:
        raise ConfigError(f"Redis address {redacted(url)}: {first_line(error)}; write redis://host:port/0") from error


@dataclass(frozen=True)
class GeneratorHost:
    """The machine that sends the load."""

    cpu_count: int | None
    cpu_model: str | None
    memory_bytes: int


def generator_host() -> GeneratorHost:
    """Facts of this machine; None where the system does not say."""
    return GeneratorHost(os.cpu_count(), _cpu_model(), psutil.virtual_memory().total)


def _cpu_model() -> str | None:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or None
