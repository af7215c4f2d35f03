"""Removing test users, batch by batch, each batch whole or not at all."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from include.loadtest.errors import InfrastructureError
from include.loadtest.target.database import connected, first_line, required_database_url
from include.loadtest.target.removal import ForeignRowsError, RemovalPlan, removal_plan, remove_users
from include.loadtest.target.settings import Target
from include.loadtest.target.tags import IS_TAGGED, pattern_of

USERS_A_BATCH = 10  # a user's chats leave 3,800 rows and 4 MB each
STATEMENT_TIMEOUT_S = 300
TRIES = 3
"""The target may still write for a user while it is being removed; then the batch is tried again."""
_COLLISIONS = (psycopg2.errors.ForeignKeyViolation, psycopg2.extensions.TransactionRollbackError)


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


def cleanup_users(target: Target, run_tag: str | None) -> CleanupResult:
    """Remove the test users of one run (None: of every run) and all rows that they created.

    Who is a test user is decided by account code and address together. Their rows are found through the schema's own
    foreign keys, columns called `user_id`, and the target file's keys. Answers that the target cached in Redis stay:
    they belong to questions, not to users. Raises ConfigError (no or wrong database address, schema does not fit) or
    InfrastructureError (server fails, or test users are left, with their number and the cause).
    """
    url = required_database_url(target, "remove the test users")
    return remove_tagged(url, target, pattern_of(run_tag))


def remove_tagged(url: str, target: Target, pattern: str) -> CleanupResult:
    """Remove the users whose account code matches one of `tags`' patterns; see `cleanup_users`."""
    with connected(url, statement_timeout_s=STATEMENT_TIMEOUT_S) as connection:
        with connection, connection.cursor() as cursor:
            plan = removal_plan(cursor, target.file)
        ids = _tagged_ids(connection, plan, pattern)
        counts: Counter[str] = Counter()
        causes: list[str] = []
        for start in range(0, len(ids), USERS_A_BATCH):
            counts.update(_remove_or_split(connection, plan, ids[start : start + USERS_A_BATCH], causes))
        left = len(_tagged_ids(connection, plan, pattern))
    if left:
        cause = causes[0] if causes else "they appeared during the clean-up; clean up again"
        raise InfrastructureError(f"{left} of {len(ids)} test users are left: {cause}")
    return CleanupResult(counts[plan.users.label], dict(sorted(counts.items())), plan.notes)


def _tagged_ids(connection: Connection, plan: RemovalPlan, pattern: str) -> list[str]:
    statement = sql.SQL("SELECT id::text FROM {} WHERE {} ORDER BY id").format(plan.users.identifier, IS_TAGGED)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement, {"pattern": pattern})
        return [str(row[0]) for row in cursor.fetchall()]


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
