"""Reads PostgreSQL's own statistics over one lasting connection."""

import logging
import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

from include.loadtest.collectors.reader import ReadingError

LOG = logging.getLogger("loadtest.collectors")
APPLICATION_NAME = "loadtest-collectors"
SLOW_QUERY_MS = 1000
"""A statement that takes longer is a slow one."""
# Sessions of other users show no state unless the role may read all statistics: then the counts by state are unknown.
_QUERY = """
WITH sessions AS (
    SELECT state, query = '<insufficient privilege>' AS hidden,
        state = 'active' AND clock_timestamp() - query_start > interval '1 ms' * %(slow_ms)s AS slow
    FROM pg_stat_activity
    WHERE datid IS NOT NULL AND (backend_type = 'client backend' OR backend_type IS NULL) AND pid <> pg_backend_pid()
), known AS (SELECT NOT coalesce(bool_or(hidden), false) AS states FROM sessions), counted AS (
    SELECT count(*) AS connections_total,
        count(*) FILTER (WHERE state = 'active') AS active,
        count(*) FILTER (WHERE state = 'idle') AS idle,
        count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
        count(*) FILTER (WHERE slow) AS slow
    FROM sessions
)
SELECT connections_total,
    CASE WHEN states THEN active END AS connections_active,
    CASE WHEN states THEN idle END AS connections_idle,
    CASE WHEN states THEN idle_in_transaction END AS connections_idle_in_transaction,
    CASE WHEN states THEN slow END AS slow_queries_running,
    current_setting('max_connections')::int AS max_connections,
    (SELECT count(*) FROM pg_locks WHERE NOT granted) AS lock_waits,
    pg_database_size(current_database()) AS database_size_bytes,
    own.xact_commit, own.xact_rollback, own.deadlocks, own.blks_hit, own.blks_read, own.temp_files, own.temp_bytes
FROM counted, known, pg_stat_database AS own
WHERE own.datname = current_database()
"""
_STATEMENTS_PLACE = """
SELECT (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace AS place ON place.oid = extnamespace
    WHERE extname = 'pg_stat_statements') AS place
"""
# Without the statements' texts, which the server would have to read from a file.
_STATEMENTS = """
SELECT sum(calls) AS statement_calls, sum(total_exec_time) AS statement_exec_ms,
    count(*) FILTER (WHERE mean_exec_time > %(slow_ms)s) AS slow_statements
FROM {place}.pg_stat_statements(false)
WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_NOT_READABLE = ("42", "55", "0A")
"""Classes of errors that mean: not for this role, not loaded, or an older version with other columns."""


class PostgresReader:
    """Connections of the whole server (without the reader's own), counters, size and statements of the database.

    `slow_queries_running` are those that run for longer than 1 s at this moment. The figures of pg_stat_statements are
    there where the extension is and the role may read it: counters, which fall when it forgets statements.
    The connection is asynchronous: that is the only way to bound a read from a server that accepts and never answers.
    """

    source = "postgres"

    def __init__(self, url: str, instance: str, timeout_s: float) -> None:
        self.instance = instance
        self._url, self._timeout_s = url, timeout_s
        self._connection: Any = None
        self._statements: str | None = None
        self._told = False

    def read(self) -> dict[str, float]:
        """One reading; a broken connection is opened anew at the next. Raises ReadingError."""
        deadline = time.monotonic() + self._timeout_s
        try:
            if self._connection is None:
                self._connect(deadline)
            row = {**self._execute(_QUERY, deadline), **self._read_statements(deadline)}
        except (psycopg2.Error, TimeoutError) as error:
            self.close()
            raise ReadingError(_cause(error)) from error
        return {name: float(value) for name, value in row.items() if value is not None}

    def _connect(self, deadline: float) -> None:
        self._connection = psycopg2.connect(self._url, async_=1, application_name=APPLICATION_NAME)
        self._wait(deadline)
        timeout_ms = str(int(self._timeout_s * 1000))
        self._execute(f"SELECT set_config('statement_timeout', '{timeout_ms}', false)", deadline)
        place = self._execute(_STATEMENTS_PLACE, deadline)["place"]
        self._statements = _STATEMENTS.format(place=place.replace("%", "%%")) if place else None
        if place is None:
            self._tell("the extension pg_stat_statements is not there")

    def _read_statements(self, deadline: float) -> dict[str, Any]:
        if self._statements is None:
            return {}
        try:
            return self._execute(self._statements, deadline)
        except psycopg2.Error as error:
            if not (error.pgcode or "").startswith(_NOT_READABLE):
                raise
            self._statements = None
            self._tell(_cause(error))
            return {}

    def _tell(self, reason: str) -> None:
        if not self._told:
            LOG.info("postgres: statements' figures are not read: %s", reason)
        self._told = True

    def _execute(self, statement: str, deadline: float) -> dict[str, Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, {"slow_ms": SLOW_QUERY_MS})
            self._wait(deadline)
            row = cursor.fetchone()
            return dict(zip((column.name for column in cursor.description), row, strict=True))

    def _wait(self, deadline: float) -> None:
        """Wait until the connection has nothing more to do. Raises TimeoutError."""
        while (state := self._connection.poll()) != extensions.POLL_OK:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError(f"no answer within {self._timeout_s:g} s")
            socket = self._connection.fileno()
            reads, writes = ([socket], []) if state == extensions.POLL_READ else ([], [socket])
            select.select(reads, writes, [], left_s)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _cause(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
