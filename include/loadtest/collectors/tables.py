"""The busiest tables of PostgreSQL's database."""

from typing import NamedTuple

import psycopg2

from include.loadtest.collectors.postgres_session import Session
from include.loadtest.collectors.reader import labelled

MAX_TABLES = 30
MAX_ASKED = 500
_TABLES = """
SELECT relid, schemaname || '.' || relname, n_live_tup, n_dead_tup, seq_scan, seq_tup_read,
    seq_scan + seq_tup_read + coalesce(idx_scan, 0) + coalesce(idx_tup_fetch, 0) + n_tup_ins + n_tup_upd + n_tup_del
        AS work
FROM pg_stat_user_tables ORDER BY work DESC LIMIT %(most)s
"""
# A table's size needs a lock on it and on its indexes, which whoever rewrites one of them does not share.
_BYTES = """
SELECT oid, pg_total_relation_size(oid) FROM unnest(%(tables)s::oid[]) AS oid
WHERE NOT EXISTS (SELECT FROM pg_locks WHERE relation = oid AND mode = 'AccessExclusiveLock')
"""


class Table(NamedTuple):
    """A table's figures as PostgreSQL counts them; `work` is all rows and scans since its statistics began."""

    oid: int
    name: str
    rows: float
    dead_rows: float
    seq_scans: float
    seq_rows_read: float
    work: float


class Tables:
    """Rows (the server's estimate), size with indexes, and sequential scans of the tables in use.

    At most `MAX_TABLES`: those with the most work since the first reading, in that one since their statistics began.
    The size is absent while somebody rewrites the table.
    """

    title = "figures of tables"

    def __init__(self) -> None:
        self._first: dict[int, float] | None = None

    def connected(self, session: Session) -> str | None:
        """Nothing to prepare."""
        del session
        return None

    def read(self, session: Session) -> dict[str, float]:
        """One reading."""
        tables = [Table(*row) for row in session.rows(_TABLES, {"most": MAX_ASKED})]
        chosen = self._busiest(tables)
        sizes = _sizes(session, [table.oid for table in chosen])
        values: dict[str, float] = {}
        for table in chosen:
            figures = {
                "table_rows": table.rows,
                "table_dead_rows": table.dead_rows,
                "table_seq_scans": table.seq_scans,
                "table_seq_rows_read": table.seq_rows_read,
            }
            if table.oid in sizes:
                figures["table_bytes"] = sizes[table.oid]
            values |= {labelled(metric, "table", table.name): float(value) for metric, value in figures.items()}
        return values

    def _busiest(self, tables: list[Table]) -> list[Table]:
        if self._first is None:
            self._first = {table.oid: table.work for table in tables}
            return [table for table in tables if table.work > 0][:MAX_TABLES]
        first = self._first
        # Statistics that were reset count from then on.
        work = {table.oid: _grown(table.work, first.get(table.oid, 0)) for table in tables}
        active = [table for table in tables if work[table.oid] > 0]
        return sorted(active, key=lambda table: work[table.oid], reverse=True)[:MAX_TABLES]


def _grown(now: float, before: float) -> float:
    return now if now < before else now - before


def _sizes(session: Session, oids: list[int]) -> dict[int, float]:
    if not oids:
        return {}
    try:
        rows = session.rows(_BYTES, {"tables": oids})
    except psycopg2.errors.LockNotAvailable:
        return {}
    return {oid: size for oid, size in rows if size is not None}
