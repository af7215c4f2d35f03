"""The plan of a slow statement, asked without running it."""

import re

from psycopg2.extensions import connection as Connection  # noqa: N812 - it is a class

from include.loadtest.errors import LoadTestError, printable
from include.loadtest.target.database import connected
from include.loadtest.target.settings import Target

TIMEOUT_S = 5.0
MAX_PLAN_CHARS = 6000
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_READS = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_WRITES = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|INTO|CALL|COPY|FOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE|KEY\s+SHARE))\b", re.I
)


def explain(target: Target, statement: str) -> str | None:
    """The generic plan of a statement with placeholders; None where there is none, or nobody may ask for it.

    Asked by EXPLAIN (GENERIC_PLAN), which PostgreSQL has from version 16 on, in a transaction that only reads and is
    rolled back. Planning runs no statement; only a single SELECT or WITH that writes and locks nothing is asked about.
    """
    if target.database_url is None or not is_harmless(statement):
        return None
    try:
        with connected(target.database_url, statement_timeout_s=TIMEOUT_S) as connection:
            return _plan(connection, statement)
    except LoadTestError:
        return None


def is_harmless(statement: str) -> bool:
    """Whether a statement is a single SELECT or WITH without anything that writes or locks.

    A text that was cut (an open quote) is none, as nobody knows how it goes on.
    """
    bare = _QUOTED.sub("''", _COMMENT.sub(" ", statement)).strip().removesuffix(";")
    if ";" in bare or re.sub(r"''", "", bare).count("'") or bare.count('"'):
        return False
    return _READS.match(bare) is not None and _WRITES.search(bare) is None


def _plan(connection: Connection, statement: str) -> str:
    connection.rollback()
    connection.set_session(readonly=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, true)", (str(int(TIMEOUT_S * 1000)),))
        # Without arguments: psycopg2 leaves a per cent sign of the statement alone.
        cursor.execute("EXPLAIN (GENERIC_PLAN) " + statement)
        lines = [str(row[0]) for row in cursor.fetchall()]
    connection.rollback()
    return "\n".join(printable(line, 300) for line in lines)[:MAX_PLAN_CHARS]
