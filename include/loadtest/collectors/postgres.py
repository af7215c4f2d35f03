"""Reads PostgreSQL's own statistics; docs/monitoring.md says what a role needs for it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg2

from include.loadtest.collectors.activity import read_activity
from include.loadtest.collectors.locks import read_lock_waits
from include.loadtest.collectors.postgres_session import Session
from include.loadtest.collectors.reader import ReadingError
from include.loadtest.collectors.statements import Statements
from include.loadtest.collectors.tables import Tables
from include.loadtest.errors import printable

LOG = logging.getLogger("loadtest.collectors")
_NOT_READABLE = ("42", "55000", "0A")
"""Begins of the error codes that mean: not for this role, not loaded, or an older version with other columns."""


class Part(Protocol):
    """A part of a reading that a server, or the role's rights, may not allow."""

    @property
    def title(self) -> str:
        """Its name, for the log."""

    def connected(self, session: Session) -> str | None:
        """Prepare a new connection; why there is nothing to read, or None."""

    def read(self, session: Session) -> Mapping[str, float]:
        """Value by metric."""


class PostgresReader:
    """Sessions and locks of the whole server, counters, statements and tables of the database.

    What the server does not have, or the role may not read, is absent, and named once in the log.
    """

    source = "postgres"

    def __init__(self, url: str, instance: str, timeout_s: float) -> None:
        self.instance = instance
        self._session = Session(url, timeout_s)
        self._statements = Statements()
        self._parts: tuple[Part, ...] = (self._statements, Tables())
        self._absent: set[str] = set()
        self._told: set[str] = set()
        self._waits: list[dict[str, Any]] = []

    def read(self) -> dict[str, float]:
        """One reading; a broken connection is opened anew at the next. Raises ReadingError with what was read."""
        values: dict[str, float] = {}
        try:
            is_new = self._session.begin()
            values |= read_activity(self._session)
            self._waits = read_lock_waits(self._session) if values["lock_waits"] else []
            if is_new:
                self._connected()
            for part in self._parts:
                values |= self._read_part(part)
        except (psycopg2.Error, TimeoutError) as error:
            self.close()
            raise ReadingError(_cause(error), values) from error
        return values

    def observations(self) -> Sequence[Mapping[str, Any]]:
        """Statements' texts, and who waits for whom."""
        waits, self._waits = self._waits, []
        return [*self._statements.observations(), *waits]

    def _connected(self) -> None:
        self._absent.clear()
        for part in self._parts:
            with self._unless_refused(part):
                reason = part.connected(self._session)
                if reason:
                    self._leave_out(part, reason)

    def _read_part(self, part: Part) -> Mapping[str, float]:
        if part.title not in self._absent:
            with self._unless_refused(part):
                return part.read(self._session)
        return {}

    @contextmanager
    def _unless_refused(self, part: Part) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            if not (error.pgcode or "").startswith(_NOT_READABLE):
                raise
            self._leave_out(part, _cause(error))

    def _leave_out(self, part: Part, reason: str) -> None:
        self._absent.add(part.title)
        if part.title not in self._told:
            LOG.info("postgres: %s are not read: %s", part.title, reason)
        self._told.add(part.title)

    def close(self) -> None:
        """Close the connection."""
        self._session.close()


def _cause(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return printable(lines[0], 200) if lines else type(error).__name__
