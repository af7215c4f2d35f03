"""One lasting connection to PostgreSQL on which no statement outlives its reading's deadline.

The connection is asynchronous: that is the only way to bound a read from a server that accepts and never answers.
"""

import select
import time
from collections.abc import Mapping
from typing import Any

import psycopg2
from psycopg2 import extensions

APPLICATION_NAME = "loadtest-collectors"
MARKER = f"/* {APPLICATION_NAME} */"
"""Ends each statement, by which pg_stat_statements' texts tell them from the target's."""
LOCK_TIMEOUT_MS = 100
"""A reading waits for no lock that the target holds."""
_BEGIN = """
SELECT set_config('statement_timeout', %(statement_ms)s, false), set_config('lock_timeout', %(lock_ms)s, false),
    set_config('jit', 'off', false)
"""


class Session:
    """A connection that is opened when a reading begins and there is none."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url, self._timeout_s = url, timeout_s
        self._connection: Any = None
        self._deadline = 0.0

    def begin(self) -> bool:
        """Begin a reading; whether the connection is a new one. Raises TimeoutError and psycopg2.Error, as all do."""
        self._deadline = time.monotonic() + self._timeout_s
        if self._connection is not None:
            return False
        self._connection = psycopg2.connect(self._url, async_=1, application_name=APPLICATION_NAME)
        self._wait()
        self.rows(_BEGIN, {"statement_ms": str(int(self._timeout_s * 1000)), "lock_ms": str(LOCK_TIMEOUT_MS)})
        return True

    @property
    def version(self) -> int:
        """The server's version as a number: 170004 is 17.4."""
        return int(self._connection.server_version)

    def rows(self, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a statement."""
        with self._connection.cursor() as cursor:
            self._execute(cursor, statement, values)
            return list(cursor.fetchall())

    def row(self, statement: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """The only row of a statement, by column."""
        with self._connection.cursor() as cursor:
            self._execute(cursor, statement, values)
            return dict(zip((column.name for column in cursor.description), cursor.fetchone(), strict=True))

    def _execute(self, cursor: Any, statement: str, values: Mapping[str, Any]) -> None:
        cursor.execute(f"{statement.strip()} {MARKER}", values)
        self._wait()

    def _wait(self) -> None:
        """Wait until the connection has nothing more to do."""
        while (state := self._connection.poll()) != extensions.POLL_OK:
            left_s = self._deadline - time.monotonic()
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
