"""The measured conditions of optimisations.yaml: each gives what it found, or None where it does not hold. Pure."""

import re
from collections.abc import Callable

from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text, shown
from include.loadtest.analysis.recommendations.improvement import (
    NONE,
    Improvement,
    budget_ms,
    layer_share,
    shorter_by_at_most,
)
from include.loadtest.analysis.recommendations.pool import Pool
from include.loadtest.analysis.recommendations.statements import REPEATED_CALLS, Statement
from include.loadtest.profile.optimisations import Condition

FULL_SHARE = 0.9
"""Of a server's connections, or of the one core that Redis has for its commands."""
ELSEWHERE_SHARE = 0.5
"""Of a request's time, in none of the measured layers: then nobody can see what takes it."""
_SCAN = re.compile(r"Seq Scan on (\S+)")

Test = Callable[[Case, Row | None], Detail | None]


def _sequential_scan(case: Case, cause: Row | None) -> Detail | None:
    tables = _scanned(cause)
    if cause is None or not tables:
        return None
    plan = f"{_statement(cause)}; its plan reads {', '.join(tables)} whole: {shown(cause['plan'])}"
    recommended = f"on {', '.join(tables)}, for the condition of {_statement(cause)}"
    return Detail(plan, recommended, evidence_text(cause), _of_statement(case, cause))


def _no_sequential_scan(case: Case, cause: Row | None) -> Detail | None:
    if cause is None or not cause.get("plan") or _scanned(cause):
        return None
    current = f"{_statement(cause)}; its plan reads no table whole: {shown(cause['plan'])}"
    recommended = f"of {_statement(cause)}"
    return Detail(current, recommended, evidence_text(cause), _of_statement(case, cause))


def _plan_not_known(case: Case, cause: Row | None) -> Detail | None:
    if cause is None or cause.get("plan"):
        return None
    recommended = f"look at the plan (EXPLAIN) of {_statement(cause)}"
    return Detail(
        f"{_statement(cause)}; its plan is not known", recommended, evidence_text(cause), _of_statement(case, cause)
    )


def _scanned(cause: Row | None) -> list[str]:
    """The tables that a cause's plan reads whole."""
    plan = None if cause is None else cause.get("plan")
    return list(dict.fromkeys(shown(name) for name in _SCAN.findall(str(plan)))) if plan else []


def _statement(cause: Row) -> str:
    return shown(cause["statement"]) if cause.get("statement") else "the statement is not known"


def _of_statement(case: Case, cause: Row) -> Improvement:
    """All the time of its statement; where that is not known, all of the database."""
    own = next((one for one in case.facts.statements if one.text and one.text == cause.get("statement")), None)
    if own is None:
        return shorter_by_at_most(layer_share(case.budget, "database"), "the database")
    return _saved(case, own, 1.0)


def _saved(case: Case, statement: Statement, share: float) -> Improvement:
    total_ms, own_ms = budget_ms(case.budget), statement.exec_ms_an_answer
    if total_ms is None or own_ms is None:
        return NONE
    return shorter_by_at_most(min(1.0, share * own_ms / total_ms), "this statement")


def _server_full(case: Case, _: Row | None) -> Detail | None:
    used, most = case.facts.get("connections"), case.facts.get("max_connections")
    if used is None or not most or used < FULL_SHARE * most:
        return None
    return Detail(
        f"up to {used:.0f} of the server's {most:.0f} connections are taken",
        f"one pool before the server, or a smaller one in each process, far below {most:.0f} in all",
        f"connections {used:.0f}, {100 * used / most:.0f} % of max_connections",
    )


def _pool_full(case: Case, _: Row | None) -> Detail | None:
    pool = case.facts.pool
    if pool is None or not pool.is_full:
        return None
    recommended = "by how much is not known, since the time that connections are held is not exposed"
    if pool.advised is not None and pool.needed is not None:
        recommended = (
            f"to {pool.advised}, since {pool.needed:.1f} are in use on average if nobody waits "
            f"({_ends(pool)}, Little's law), and a margin for chance"
        )
    total_ms = budget_ms(case.budget)
    share = None if total_ms is None or pool.wait_ms is None else min(1.0, pool.wait_ms / total_ms)
    trigger = f"{pool.used:.1f} of {pool.size:.0f} connections in use on average"
    if pool.wait_ms is not None:
        trigger += f", a request waits {pool.wait_ms:.0f} ms for them"
    gain = shorter_by_at_most(share, "waiting for a connection")
    return Detail(f"a pool of {pool.size:.0f} connections", recommended, trigger, gain)


def _ends(pool: Pool) -> str:
    if pool.low is None or pool.high is None:
        return "no interval from so short a time"
    return f"95 % {pool.low:.1f} to {pool.high:.1f}"


def _repeated_statement(case: Case, _: Row | None) -> Detail | None:
    one = next((one for one in case.facts.statements if one.is_repeated), None)
    if one is None or one.calls is None:
        return None
    text = shown(one.text or f"statement {one.queryid}")
    return Detail(
        f"{one.endpoint} asks the same statement {one.calls:.0f} times in a request: {text}",
        f"one statement for all rows instead of {one.calls:.0f} (a join, or = ANY of the list) in place of {text}",
        f"{one.calls:.1f} calls in each request of {one.endpoint} (95 % {one.low:.1f} to {one.high:.1f}), "
        f"more than {REPEATED_CALLS}",
        _saved(case, one, 1 - 1 / one.calls),
    )


def _lookups(case: Case) -> str | None:
    """The cache's hits and misses; None where it was not read."""
    hits, misses = case.facts.get("cache_hits"), case.facts.get("cache_misses")
    if hits is None or misses is None or not hits + misses:
        return None
    return f"{misses:.0f} of {hits + misses:.0f} lookups missed ({100 * hits / (hits + misses):.0f} % hits)"


def _keys_expire(case: Case, _: Row | None) -> Detail | None:
    lookups, expired = _lookups(case), case.facts.get("keys_expired")
    if lookups is None or not expired or case.facts.get("cache_flushes"):
        return None
    trigger = f"{lookups} while {expired:.0f} keys expired"
    return Detail(trigger, "of answers that stay right, so that they are found again", trigger)


def _cache_flushed(case: Case, _: Row | None) -> Detail | None:
    lookups, flushes = _lookups(case), case.facts.get("cache_flushes")
    if lookups is None or not flushes:
        return None
    trigger = f"{lookups} after the cache was emptied ({flushes:.0f} flush commands)"
    return Detail(trigger, "after it was emptied, and find out who empties it", trigger)


def _keys_evicted(case: Case, _: Row | None) -> Detail | None:
    evicted, limit, used = (case.facts.get(name) for name in ("keys_evicted", "cache_limit_bytes", "cache_used_bytes"))
    if not evicted:
        return None
    room = "its limit is not known" if limit is None else f"its limit is {limit / 2**20:,.0f} MiB"
    in_use = "" if used is None else f", {used / 2**20:,.0f} MiB were used at most"
    current = f"{evicted:.0f} keys were thrown away for want of room; {room}{in_use}"
    return Detail(current, "until no key is evicted", current)


def _misses_not_explained(case: Case, _: Row | None) -> Detail | None:
    lookups = _lookups(case)
    explained = [case.facts.get(name) for name in ("keys_expired", "cache_flushes", "keys_evicted")]
    if lookups is None or any(explained) or explained[0] is None:
        return None
    trigger = f"{lookups}, and no key expired, was evicted or flushed: what is asked was not stored"
    return Detail(trigger, "which questions are asked once only, and whether keys are too specific", trigger)


def _redis_cpu_used_up(case: Case, _: Row | None) -> Detail | None:
    cores = case.facts.get("redis_cpu_cores")
    if cores is None or cores < FULL_SHARE:
        return None
    current = f"the cache's server uses {cores:.2f} cores, and executes its commands on one"
    return Detail(current, "so that its keys have several cores", current)


def _cause_not_known(case: Case, _: Row | None) -> Detail | None:
    symptoms = case.diagnosis.get("symptoms") or ()
    if case.diagnosis["state"] != "not_known" or not symptoms:
        return None
    missing = case.diagnosis.get("not_measured") or ()
    current = "not measured: " + "; ".join(shown(one) for one in missing) if missing else "no figure shows the cause"
    return Detail(current, "so that the next run names the cause", shown(symptoms[0]["text"]))


def _time_elsewhere(case: Case, _: Row | None) -> Detail | None:
    share = layer_share(case.budget, "elsewhere")
    if share is None or share < ELSEWHERE_SHARE or case.diagnosis["state"] != "not_known":
        return None
    current = f"{100 * share:.0f} % of a request's time lies in none of the measured layers"
    return Detail(current, "through the application's parts", current)


def _memory_not_measured(case: Case, _: Row | None) -> Detail | None:
    row = case.hold_row("host_memory_pct")
    if row is None or row["value"] is not None or case.diagnosis["state"] == "no_bottleneck":
        return None
    current = "the memory of the target's machine was not measured"
    return Detail(current, "by a Prometheus server in the target file, or collectors on the machine", current)


CONDITIONS: dict[Condition, Test] = {
    "sequential_scan": _sequential_scan,
    "no_sequential_scan": _no_sequential_scan,
    "plan_not_known": _plan_not_known,
    "server_full": _server_full,
    "pool_full": _pool_full,
    "repeated_statement": _repeated_statement,
    "keys_expire": _keys_expire,
    "cache_flushed": _cache_flushed,
    "keys_evicted": _keys_evicted,
    "misses_not_explained": _misses_not_explained,
    "redis_cpu_used_up": _redis_cpu_used_up,
    "cause_not_known": _cause_not_known,
    "time_elsewhere": _time_elsewhere,
    "memory_not_measured": _memory_not_measured,
}
"""All but `scaling_trigger`, which is the cost file's."""
