"""Conditions on statements and on connections to the database: what was found, or None where one does not hold."""

import re

from include.loadtest.analysis.bottleneck.limits import BUSY_SHARE, IDLE_IN_TRANSACTION_S
from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, shown, trigger_text
from include.loadtest.analysis.recommendations.improvement import NONE, shorter_wait
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.analysis.recommendations.statements import REPEATED_CALLS

_SCAN = re.compile(r"Seq Scan on (\S+)")
_READ_WHOLE = re.compile(r'^table_seq_rows_read\{table="(.+)"\}$')
_OTHER_INDEXES = (
    (re.compile(r"@@"), "a text search: a GIN index on the very expression"),
    (re.compile(r"\bI?LIKE\b", re.IGNORECASE), "a search within a text: a trigram index, pg_trgm"),
)
LEAST_FORGOTTEN = 2
"""Connections that stand idle in a transaction: one alone is hardly what others wait for."""


def sequential_scan(_: Case, cause: Row | None) -> Detail | None:
    """The cause's statement reads a table whole: its plan says so, or without one the table's own counters."""
    tables = _scanned(cause)
    if cause is None or not tables:
        return None
    named = ", ".join(tables)
    current = f"its plan reads {named} whole: {shown(cause['plan'])}" if cause.get("plan") else evidence_text(cause)
    recommended = f"on {named}, for the condition of {_statement(cause)}{_kind_of_index(cause)}"
    return Detail(current, recommended, trigger_text(cause))


def _kind_of_index(cause: Row) -> str:
    """Conditions that the usual index (B-tree) does not serve need another."""
    statement = str(cause.get("statement") or "")
    return next((f" ({kind})" for condition, kind in _OTHER_INDEXES if condition.search(statement)), "")


def no_sequential_scan(_: Case, cause: Row | None) -> Detail | None:
    """Its plan is known, and reads no table whole."""
    if cause is None or not cause.get("plan") or _scanned(cause):
        return None
    current = f"its plan reads no table whole: {shown(cause['plan'])}"
    return Detail(current, f"for {_statement(cause)}", trigger_text(cause))


def plan_not_known(_: Case, cause: Row | None) -> Detail | None:
    """Nothing says how it reads its tables."""
    if cause is None or cause.get("plan") or _scanned(cause):
        return None
    recommended = f"look at the plan (EXPLAIN) of {_statement(cause)}"
    if not cause.get("statement"):
        recommended = "find the statement (pg_stat_statements, or the server's log of slow ones) and look at its plan"
    return Detail("the statement's plan is not known", recommended, trigger_text(cause))


def _scanned(cause: Row | None) -> list[str]:
    """The tables that a cause's statement reads whole."""
    if cause is None:
        return []
    if cause.get("plan"):
        return list(dict.fromkeys(shown(name) for name in _SCAN.findall(str(cause["plan"]))))
    read = [_READ_WHOLE.match(str(one["metric"])) for one in cause.get("evidence") or ()]
    return list(dict.fromkeys(shown(one[1]) for one in read if one is not None))


def _statement(cause: Row) -> str:
    return shown(cause["statement"]) if cause.get("statement") else "the slow statement (its text is not known)"


def server_full(case: Case, cause: Row | None) -> Detail | None:
    """The server's own limit of connections is near."""
    used, most = case.facts.get("connections"), case.facts.get("max_connections")
    if used is None or not most or used < BUSY_SHARE * most:
        return None
    current = f"up to {used:.0f} of the server's {most:.0f} connections are taken ({100 * used / most:.0f} %)"
    recommended = f"one pool before the server, or a smaller one in each process, far below {most:.0f} in all"
    return Detail(current, recommended, current if cause is None else trigger_text(cause))


def pool_full(case: Case, cause: Row | None) -> Detail | None:
    """The application's pool is too small for the load; not where forgotten transactions fill it."""
    pool = case.facts.pool
    if pool is None or not pool.is_full or idle_in_transaction(case, cause) is not None:
        return None
    recommended = "by how much is not known, since the time that connections are held is not exposed"
    if pool.advised is not None and pool.needed is not None:
        if pool.advised <= pool.size:
            return None
        recommended = (
            f"to {pool.advised}, since {pool.needed:.1f} are in use on average if nobody waits "
            f"({_ends(pool)}, Little's law), and a margin for chance"
        )
    gain = NONE
    if pool.saved_ms is not None and pool.saved_low_ms is not None and pool.saved_high_ms is not None:
        gain = shorter_wait(pool.saved_ms, pool.saved_low_ms, pool.saved_high_ms)
    current = f"a pool of {pool.size:.0f} connections"
    in_use = f"{pool.used:.1f} of {pool.size:.0f} connections in use on average"
    return Detail(current, recommended, in_use if cause is None else trigger_text(cause), gain)


def _ends(pool: Pool) -> str:
    if pool.low is None or pool.high is None:
        return "no interval from so short a time"
    return f"95 % {pool.low:.1f} to {pool.high:.1f}"


def idle_in_transaction(case: Case, cause: Row | None) -> Detail | None:
    """Transactions that nobody ends hold connections: a larger pool would only fill later."""
    held, longest_s = case.facts.get("idle_in_transaction"), case.facts.get("idle_in_transaction_longest_s")
    if held is None or longest_s is None or held < LEAST_FORGOTTEN or longest_s < IDLE_IN_TRANSACTION_S:
        return None
    current = f"{held:.1f} connections stand idle in a transaction on average, the longest for {longest_s:.0f} s"
    recommended = (
        "find what leaves them open (pg_stat_activity), give connections back on every way out, and set "
        "idle_in_transaction_session_timeout"
    )
    return Detail(current, recommended, current if cause is None else trigger_text(cause))


def repeated_statement(case: Case, _: Row | None) -> Detail | None:
    """An endpoint's request asks the same statement again and again (N+1)."""
    one = next((one for one in case.facts.statements if one.is_repeated), None)
    if one is None or one.calls is None:
        return None
    text = shown(one.text or f"statement {one.queryid}")
    return Detail(
        f"{one.endpoint} asks the same statement {one.calls:.0f} times in a request",
        f"one statement for all rows (a join, or = ANY of the list) in place of {one.calls:.0f} times {text}",
        f"{one.calls:.1f} calls in each request of {one.endpoint} (95 % {one.low:.1f} to {one.high:.1f}), "
        f"more than {REPEATED_CALLS}",
    )
