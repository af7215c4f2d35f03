"""Removing test users, batch by batch, each batch whole or not at all.

A user's row, which carries the tag, goes in the same transaction as all that hangs on it: a clean-up that is killed
loses the batch at hand only, and the next one, or the next seeding, finds the rest by their tag.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from include.loadtest.errors import InfrastructureError
from include.loadtest.target.database import connected, first_line, required_database_url
from include.loadtest.target.removal import ForeignRowsError, RemovalPlan, removal_plan, remove_users
from include.loadtest.target.settings import Target
from include.loadtest.target.tags import IS_TAGGED, pattern_of

Progress = Callable[[str], None]
"""Takes a line for the log; called from another thread."""

USERS_A_BATCH = 10
ROWS_A_BATCH = 100_000
"""What a batch aims at: half a second of locks on rows of test users. One user is the least, however many rows."""
STATEMENT_TIMEOUT_S = 300
DEAD_CLIENT_CHECK_S = 5
PROGRESS_EVERY_S = 5.0
TRIES = 3
"""The target may still write for a user while it is being removed; then the batch is tried again."""
_COLLISIONS = (psycopg2.errors.ForeignKeyViolation, psycopg2.extensions.TransactionRollbackError)
_TOO_SLOW = (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable)


@dataclass(frozen=True)
class CleanupResult:
    """What was removed: users, and rows by table (the users among them). `notes`: what the schema lacks."""

    users: int
    rows: dict[str, int]
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """For the manifest."""
        return {"users": self.users, "rows": self.rows, "notes": list(self.notes)}

    def lines(self) -> list[str]:
        """For the log."""
        rows = ", ".join(f"{table} {count}" for table, count in self.rows.items())
        return [f"{self.users} test users removed" + (f" with their rows: {rows}" if rows else ""), *self.notes]


@dataclass
class _Tally:
    """How far a clean-up is."""

    users: int
    done: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    row_count: int = 0
    began: float = field(default_factory=time.monotonic)

    def add(self, users: int, rows: Counter[str]) -> None:
        """Count a batch."""
        self.done += users
        self.rows.update(rows)
        self.row_count += rows.total()

    def line(self) -> str:
        """For the log."""
        seconds = time.monotonic() - self.began
        return f"clean-up: {self.done} of {self.users} test users, {self.row_count:,} rows, after {seconds:.0f} s"


def cleanup_users(target: Target, run_tag: str | None, *, on_progress: Progress | None = None) -> CleanupResult:
    """Remove the test users of one run (None: of every run) and all rows that they created.

    Who is a test user is decided by account code and address together. Their rows are found through the schema's own
    foreign keys, columns called `user_id`, and the target file's keys. Answers that the target cached in Redis stay:
    they belong to questions, not to users. `on_progress` gets a line every few seconds of long work. A clean-up that
    was cut goes on where it was when it is called again. Raises ConfigError (no or wrong database address, schema does
    not fit) or InfrastructureError (server fails or is too slow, or test users are left, with their number and the
    cause).
    """
    url = required_database_url(target, "remove the test users")
    return remove_tagged(url, target, pattern_of(run_tag), on_progress=on_progress)


def remove_tagged(url: str, target: Target, pattern: str, *, on_progress: Progress | None = None) -> CleanupResult:
    """Remove the users whose account code matches one of `tags`' patterns; see `cleanup_users`."""
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection:
        _notice_dead_client(connection)
        with connection, connection.cursor() as cursor:
            plan = removal_plan(cursor, target.file)
        ids = _tagged_ids(connection, plan, pattern)
        tally, causes = _Tally(len(ids)), list[str]()
        with _reported(tally, on_progress):
            _remove_all(connection, plan, ids, tally, causes)
        left = len(_tagged_ids(connection, plan, pattern))
    if left:
        cause = causes[0] if causes else "they appeared during the clean-up; clean up again"
        raise InfrastructureError(f"{left} of {len(ids)} test users are left: {cause}")
    notes = (*plan.notes, *(plan.missing_indexes if ids else ()))
    return CleanupResult(tally.rows[plan.users.label], dict(sorted(tally.rows.items())), notes)


def _notice_dead_client(connection: Connection) -> None:
    """Let the server end a statement, and its locks, soon after this process was killed (PostgreSQL 14 and later)."""
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'client_connection_check_interval'",
            (str(DEAD_CLIENT_CHECK_S * 1000),),
        )


def _tagged_ids(connection: Connection, plan: RemovalPlan, pattern: str) -> list[str]:
    statement = sql.SQL("SELECT u.id::text FROM {} AS u WHERE {} ORDER BY u.id").format(
        plan.users.identifier, IS_TAGGED
    )
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, {"pattern": pattern})
        return [str(row[0]) for row in cursor.fetchall()]


@contextmanager
def _reported(tally: _Tally, on_progress: Progress | None) -> Iterator[None]:
    """Tell how far it is, every few seconds, from a thread: a single statement may take minutes."""
    if on_progress is None:
        yield
        return
    ended = Event()

    def report() -> None:
        while not ended.wait(PROGRESS_EVERY_S):
            on_progress(tally.line())

    thread = Thread(target=report, name="clean-up progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _remove_all(connection: Connection, plan: RemovalPlan, ids: list[str], tally: _Tally, causes: list[str]) -> None:
    # Where each batch reads a whole table, fewer users a batch would only mean reading it more often.
    size = USERS_A_BATCH if plan.missing_indexes else 1
    start = 0
    while start < len(ids):
        batch = ids[start : start + size]
        try:
            removed = _remove_or_split(connection, plan, batch, causes)
        except _TOO_SLOW as error:
            hint = "; ".join(plan.missing_indexes) or "see what else is busy on the target's database"
            raise InfrastructureError(f"{tally.line()}: {first_line(error)}; {hint}") from error
        except psycopg2.InterfaceError as error:  # the roll-back on a connection that broke hides what broke it
            cause = first_line(error.__context__ or error)
            raise InfrastructureError(f"{tally.line()}: the database's connection broke ({cause})") from error
        tally.add(len(batch), removed)
        start += len(batch)
        if not plan.missing_indexes:
            size = _fitting_users(len(batch), removed.total())


def _fitting_users(users: int, rows: int) -> int:
    """How many users to remove next, when these had so many rows."""
    return max(1, min(USERS_A_BATCH, users * ROWS_A_BATCH // max(rows, 1)))


def _remove_or_split(connection: Connection, plan: RemovalPlan, ids: list[str], causes: list[str]) -> Counter[str]:
    """Remove a batch; where one user blocks it, the others go one by one. Notes what could not be removed."""
    try:
        return _remove(connection, plan, ids)
    except (ForeignRowsError, psycopg2.IntegrityError) as error:
        if len(ids) == 1:
            causes.append(first_line(error))
            return Counter()
    return sum((_remove_or_split(connection, plan, [one], causes) for one in ids), Counter())


def _remove(connection: Connection, plan: RemovalPlan, ids: list[str]) -> Counter[str]:
    for attempt in range(1, TRIES + 1):
        try:
            with connection, connection.cursor() as cursor:
                return remove_users(cursor, plan, ids)
        except _COLLISIONS:
            if attempt == TRIES:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")
