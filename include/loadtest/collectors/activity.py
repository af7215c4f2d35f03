"""What PostgreSQL's sessions do, and the counters of the server and of its database."""

from include.loadtest.collectors.postgres_session import Session
from include.loadtest.collectors.reader import labelled

SLOW_QUERY_MS = 1000
"""A statement that takes longer is a slow one."""
WAIT_TYPES = ("BufferPin", "Client", "Extension", "IO", "IPC", "Lock", "LWLock", "Timeout")
"""Kinds of wait events, see https://www.postgresql.org/docs/current/monitoring-stats.html#WAIT-EVENT-TABLE."""
_CHECKPOINTS = """
    (SELECT {timed} FROM {view}) AS checkpoints_timed, (SELECT {requested} FROM {view}) AS checkpoints_requested,
    (SELECT {write_ms} FROM {view}) AS checkpoint_write_ms
"""
_CHECKPOINTS_17 = _CHECKPOINTS.format(
    view="pg_stat_checkpointer", timed="num_timed", requested="num_requested", write_ms="write_time"
)
_CHECKPOINTS_BEFORE = _CHECKPOINTS.format(
    view="pg_stat_bgwriter", timed="checkpoints_timed", requested="checkpoints_req", write_ms="checkpoint_write_time"
)


def _known(expression: str, column: str) -> str:
    """A column that is null where the sessions of other users show no state."""
    quoted = column.replace('"', '""')
    return f'CASE WHEN states THEN {expression} END AS "{quoted}"'


def _waiting(kind: str) -> str:
    number = f"(SELECT count(*) FROM clients WHERE state = 'active' AND wait_event_type = '{kind}')"  # noqa: S608 - of WAIT_TYPES
    return _known(number, labelled("waiting_backends", "type", kind))


_SESSIONS = """
WITH sessions AS MATERIALIZED (
    SELECT state, backend_type, wait_event_type, query = '<insufficient privilege>' AS hidden,
        datid IS NOT NULL AND (backend_type = 'client backend' OR backend_type IS NULL) AS client,
        extract(epoch FROM clock_timestamp() - query_start) AS running_s,
        extract(epoch FROM clock_timestamp() - xact_start) AS transaction_s,
        extract(epoch FROM clock_timestamp() - state_change) AS in_state_s
    FROM pg_stat_activity WHERE pid <> pg_backend_pid()
), clients AS MATERIALIZED (SELECT * FROM sessions WHERE client), known AS (
    SELECT NOT coalesce(bool_or(hidden), false) AS states FROM clients
), counted AS (
    SELECT count(*) AS connections_total,
        count(*) FILTER (WHERE state = 'active') AS active,
        count(*) FILTER (WHERE state = 'idle') AS idle,
        count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
        count(*) FILTER (WHERE state = 'active' AND 1000 * running_s > %(slow_ms)s) AS slow,
        coalesce(max(transaction_s), 0) AS transaction_s,
        coalesce(max(in_state_s) FILTER (WHERE state LIKE 'idle in transaction%%'), 0) AS idle_in_transaction_s
    FROM clients
), locks AS (
    SELECT count(*) AS waits, coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0) AS longest_s
    FROM pg_locks WHERE NOT granted
)
"""


def _query(checkpoints: str) -> str:
    """The statement of a reading."""
    return f"""{_SESSIONS}
SELECT connections_total,
    {_known("active", "connections_active")},
    {_known("idle", "connections_idle")},
    {_known("idle_in_transaction", "connections_idle_in_transaction")},
    {_known("slow", "slow_queries_running")},
    {_known("transaction_s", "longest_transaction_s")},
    {_known("idle_in_transaction_s", "idle_in_transaction_longest_s")},
    {_known("(SELECT count(*) FROM sessions WHERE backend_type = 'autovacuum worker')", "autovacuum_workers")},
    {", ".join(map(_waiting, WAIT_TYPES))},
    current_setting('max_connections')::int AS max_connections,
    locks.waits AS lock_waits, locks.longest_s AS lock_wait_longest_s,
    pg_database_size(current_database()) AS database_size_bytes,
    {checkpoints},
    own.xact_commit, own.xact_rollback, own.deadlocks, own.blks_hit, own.blks_read, own.temp_files, own.temp_bytes
FROM counted, known, locks, pg_stat_database AS own
WHERE own.datname = current_database()
"""  # noqa: S608 - expressions of this module


_QUERIES = {True: _query(_CHECKPOINTS_17), False: _query(_CHECKPOINTS_BEFORE)}
"""By whether the server is 17 or newer."""


def read_activity(session: Session) -> dict[str, float]:
    """Sessions and locks of the whole server without the reader's own, counters and size of the database.

    `slow_queries_running` are those that run for longer than 1 s at this moment, `waiting_backends{type}` the active
    sessions by what they wait for, `idle_in_transaction_longest_s` is since the session's last statement. What depends
    on the sessions' state is absent where the role may not read all statistics.
    """
    row = session.row(_QUERIES[session.version >= 170000], {"slow_ms": SLOW_QUERY_MS})
    return {metric: float(value) for metric, value in row.items() if value is not None}
