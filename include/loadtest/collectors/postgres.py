"""Reads PostgreSQL's own statistics over one lasting connection."""

import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

from include.loadtest.collectors.reader import ReadingError

APPLICATION_NAME = "loadtest-collectors"
# Sessions of other users show no state unless the role may read all statistics: then the counts by state are unknown.
_QUERY = """
WITH sessions AS (
    SELECT pid, state, query = '<insufficient privilege>' AS hidden FROM pg_stat_activity
    WHERE datid IS NOT NULL AND (backend_type = 'client backend' OR backend_type IS NULL) AND pid <> pg_backend_pid()
), known AS (SELECT NOT coalesce(bool_or(hidden), false) AS states FROM sessions)
SELECT count(sessions.pid) AS connections_total,
    CASE WHEN states THEN count(*) FILTER (WHERE state = 'active') END AS connections_active,
    CASE WHEN states THEN count(*) FILTER (WHERE state = 'idle') END AS connections_idle,
    CASE WHEN states THEN count(*) FILTER (WHERE state LIKE 'idle in transaction%') END
        AS connections_idle_in_transaction,
    current_setting('max_connections')::int AS max_connections,
    (SELECT count(*) FROM pg_locks WHERE NOT granted) AS lock_waits,
    pg_database_size(current_database()) AS database_size_bytes,
    own.xact_commit, own.xact_rollback, own.deadlocks, own.blks_hit, own.blks_read
FROM known LEFT JOIN sessions ON true
    CROSS JOIN (SELECT * FROM pg_stat_database WHERE datname = current_database()) AS own
GROUP BY states, own.xact_commit, own.xact_rollback, own.deadlocks, own.blks_hit, own.blks_read
"""


class PostgresReader:
    """Connections of the whole server (without the reader's own), counters and size of the database.

    The connection is asynchronous: that is the only way to bound a read from a server that accepts and never answers.
    """

    source = "postgres"

    def __init__(self, url: str, instance: str, timeout_s: float) -> None:
        self.instance = instance
        self._url, self._timeout_s = url, timeout_s
        self._connection: Any = None

    def read(self) -> dict[str, float]:
        """One reading; a broken connection is opened anew at the next. Raises ReadingError."""
        deadline = time.monotonic() + self._timeout_s
        try:
            if self._connection is None:
                self._connect(deadline)
            row = self._execute(_QUERY, deadline)
        except (psycopg2.Error, TimeoutError) as error:
            self.close()
            raise ReadingError(_cause(error)) from error
        return {name: float(value) for name, value in row.items() if value is not None}

    def _connect(self, deadline: float) -> None:
        self._connection = psycopg2.connect(self._url, async_=1, application_name=APPLICATION_NAME)
        self._wait(deadline)
        timeout_ms = str(int(self._timeout_s * 1000))
        self._execute(f"SELECT set_config('statement_timeout', '{timeout_ms}', false)", deadline)

    def _execute(self, statement: str, deadline: float) -> dict[str, Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
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
