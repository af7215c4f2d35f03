"""Who waits for a lock in PostgreSQL, and whose statement holds it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from include.loadtest.collectors.postgres_session import Session
from include.loadtest.collectors.statement_text import without_values

MAX_WAITERS = 20
"""The longest waits only: who blocks a session is asked one by one, each time with all locks held for a moment."""
MAX_PAIRS = 5
_WAITS = """
WITH waits AS MATERIALIZED (
    SELECT pid, max(extract(epoch FROM clock_timestamp() - waitstart)) AS waited_s,
        min(relation) FILTER (WHERE database = (
            SELECT oid FROM pg_database WHERE datname = current_database()
        )) AS relation
    FROM pg_locks WHERE NOT granted GROUP BY pid ORDER BY waited_s DESC NULLS LAST LIMIT %(waiters)s
)
SELECT waits.pid, coalesce(waits.waited_s, extract(epoch FROM clock_timestamp() - waiter.query_start))::float8,
    waiter.query,
    coalesce(waits.relation, (
        SELECT min(relation) FROM pg_locks AS held WHERE held.pid = waits.pid AND held.locktype = 'tuple'
    ))::regclass::text,
    blocking_pid, blocker.query, blocker.state,
    extract(epoch FROM clock_timestamp() - blocker.xact_start)::float8
FROM waits
JOIN pg_stat_activity AS waiter ON waiter.pid = waits.pid AND waiter.datname = current_database()
LEFT JOIN LATERAL unnest(pg_blocking_pids(waits.pid)) AS blocking_pid ON true
LEFT JOIN pg_stat_activity AS blocker ON blocker.pid = blocking_pid
"""


class Wait(NamedTuple):
    """One waiting session and one that stands in its way; what is hidden from the role, or gone, is None."""

    pid: int
    waited_s: float | None
    statement: str | None
    relation: str | None
    blocking_pid: int | None
    blocking_statement: str | None
    blocking_state: str | None
    blocking_transaction_s: float | None


def read_lock_waits(session: Session) -> list[dict[str, Any]]:
    """The waits of this moment as observations: one for each pair of statements, the longest waits first."""
    return lock_waits([Wait(*row) for row in session.rows(_WAITS, {"waiters": MAX_WAITERS})])


def lock_waits(waits: Iterable[Wait]) -> list[dict[str, Any]]:
    """Observations of kind `lock_wait`: each waiting statement with the session at the head of its queue.

    Who waits behind another waiter is told of with the session that both wait for.
    """
    of_pid: dict[int, Wait] = {}
    for wait in waits:
        of_pid.setdefault(wait.pid, wait)
    pairs: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for wait in of_pid.values():
        seen = _observation(wait, _head(wait, of_pid))
        pairs[seen["statement"], seen["blocking_statement"], seen["blocking_pid"], seen["relation"]].append(seen)
    longest = [max(seen, key=_waited_s) | {"waiters": len(seen)} for seen in pairs.values()]
    return sorted(longest, key=_waited_s, reverse=True)[:MAX_PAIRS]


def _head(wait: Wait, of_pid: Mapping[int, Wait]) -> Wait:
    """The last wait on the way to a session that waits for nobody; a circle (a deadlock) ends where it closes."""
    passed = {wait.pid}
    while (ahead := of_pid.get(wait.blocking_pid or 0)) is not None and ahead.pid not in passed:
        wait = ahead
        passed.add(wait.pid)
    return wait


def _observation(wait: Wait, head: Wait) -> dict[str, Any]:
    is_prepared = head.blocking_pid == 0  # PostgreSQL's sign for a transaction that was prepared and has no session
    return {
        "kind": "lock_wait",
        "statement": without_values(wait.statement),
        "waited_s": wait.waited_s,
        "relation": wait.relation or head.relation,
        "blocking_statement": without_values(head.blocking_statement),
        "blocking_state": "prepared transaction" if is_prepared else head.blocking_state,
        "blocking_transaction_s": head.blocking_transaction_s,
        "blocking_pid": head.blocking_pid,
    }


def _waited_s(seen: dict[str, Any]) -> float:
    return float(seen["waited_s"] or 0)
