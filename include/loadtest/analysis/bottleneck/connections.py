"""Requests that wait for a connection to the database, and statements that wait for a lock."""

from collections import Counter
from typing import Any

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.verdict import shown

_POOL_STEP = (
    "Look at what holds the connections (time held a request, idle in transaction); give them back before waiting for "
    "the LLM, or raise the pool's size within the server's max_connections."
)
_MOST = 0.5


def database_connections(case: Case) -> list[Candidate]:
    """The pool is used up, or the server's own limit is near; without the pool's figures, by Little's law."""
    found = (_pool(case), _server(case), _inferred(case), _forgotten(case))
    return [one for one in found if one is not None][:1]


def _pool(case: Case) -> Candidate | None:
    used, size = case.readings.get("app", "db_pool_used"), case.readings.get("app", "db_pool_size")
    waiting = _waiting_for_pool(case)
    # Relative, since the mean number that wait is below one where few users are there: a tenth of those in flight.
    run = sustained(waiting, case.load, limits.RELEVANT_SHARE / 2 * case.requests.in_flight(case.load), 2)
    if waiting is None or run is None or run.mean <= 0:
        return None
    weight = case.share_of_waiting(run.mean, run.span)
    evidence = [case.evidence(waiting, run, run.mean, f"{counted(run.mean)} requests waited for a connection")]
    in_use, of = case.mean(used, run.span), case.mean(size, run.span)
    facts = f"{counted(run.mean)} requests waited for a connection"
    if used is not None and in_use is not None and of:
        facts = f"{counted(in_use)} of {counted(of)} connections were used and {facts}"
        evidence.append(
            case.evidence(used, run, in_use, f"{counted(in_use)} connections in use", limit=of, against="size")
        )
    evidence += _per_use(case, run.span)
    return Candidate(
        "database_connections",
        "strong",
        facts,
        _POOL_STEP,
        (*evidence, *_idle_in_transaction(case, run.span)),
        weight,
        plain=weight >= limits.RELEVANT_SHARE,
        since_s=run.since_s,
    )


def _waiting_for_pool(case: Case) -> Series | None:
    """Requests that wait for a connection at a time: from the counter of seconds waited, else the gauge."""
    seconds = case.readings.get("app", "db_pool_wait_seconds_sum")
    if seconds is None or len(seconds.values) < 2:
        return case.readings.get("app", "db_pool_waiting")
    rate = seconds.rate()
    return rate.replaced(rate.at_s, rate.values, "requests")


def _per_use(case: Case, span: Span) -> list[Evidence]:
    """How long a connection was waited for and held, a use."""
    found = []
    for name, what in (("wait", "waited for"), ("held", "held")):
        total = case.growth_of("app", f"db_pool_{name}_seconds_sum", span)
        count = case.growth_of("app", f"db_pool_{name}_seconds_count", span)
        series = case.readings.get("app", f"db_pool_{name}_seconds_sum")
        if series is not None and total is not None and count:
            mean_ms = 1000 * total / count
            text = f"a connection was {what} for {shown(mean_ms)} ms on average"
            found.append(case.evidence(series, span, mean_ms, text, unit="ms"))
    return found


def _server(case: Case) -> Candidate | None:
    total, most = case.readings.get("postgres", "connections_total"), case.readings.get("postgres", "max_connections")
    limit = None if most is None else most.within(case.whole).mean
    if total is None or not limit:
        return None
    run = sustained(total, case.load, limits.BUSY_SHARE * limit)
    if run is None:
        return None
    text = f"{counted(run.mean)} of the server's {counted(limit)} connections were in use"
    evidence = [case.evidence(total, run, run.mean, text, limit=limits.BUSY_SHARE * limit)]
    step = "Find who holds them (pg_stat_activity by application_name); use a pooler, or raise max_connections."
    return Candidate(
        "database_connections",
        "strong",
        text,
        step,
        (*evidence, *_idle_in_transaction(case, run.span)),
        run.mean / limit,
        plain=True,
        since_s=run.since_s,
    )


def _inferred(case: Case) -> Candidate | None:
    """Far more requests in work than connections, whose number does not move: a pool at its size."""
    total = case.readings.get("postgres", "connections_total")
    working = case.readings.get("app", "starlette_requests_in_progress")
    if _waiting_for_pool(case) is not None or total is None:
        return None
    inside = total.within(case.window)
    if len(inside.values) < 2 or float(np.ptp(inside.values)) > 1:
        return None
    most = float(inside.values.max())
    in_flight, share = case.requests.above(most, case.window)
    if in_flight <= 0 or share < limits.RELEVANT_SHARE:
        return None
    text = (
        f"for {100 * share:.0f} % of the time more requests were waited for than there were connections to the "
        f"database ({counted(most)}, a number that did not move; the application does not show its pool)"
    )
    evidence = [case.evidence(total, case.window, most, f"{counted(most)} connections, those of others included")]
    value = case.mean(working, case.window)
    if working is not None and value is not None:
        said = f"{counted(value)} requests in work in the application"
        evidence.append(case.evidence(working, case.window, value, said, limit=most, against="connections"))
    weight = in_flight / max(case.in_flight, 1e-9)
    since = case.window.start_s if case.shift is not None else None
    return Candidate("database_connections", "moderate", text, _POOL_STEP, tuple(evidence), weight, since_s=since)


def _forgotten(case: Case) -> Candidate | None:
    """Transactions that nobody ends hold connections."""
    longest = case.readings.get("postgres", "idle_in_transaction_longest_s")
    held = case.readings.get("postgres", "connections_idle_in_transaction")
    run = sustained(longest, case.load, limits.IDLE_IN_TRANSACTION_S)
    count = None if run is None else case.mean(held, run.span)
    if longest is None or run is None or count is None or count < 2:
        return None
    text = (
        f"{counted(count)} connections stood idle in a transaction, the longest for {shown(float(run.values.max()))} s"
    )
    evidence = (case.evidence(longest, run, float(run.values.max()), text, limit=limits.IDLE_IN_TRANSACTION_S),)
    step = "Find the code that leaves a transaction open; set idle_in_transaction_session_timeout."
    total = case.mean(case.readings.get("postgres", "connections_total"), run.span)
    share = count / total if total else 0.0
    # Most of all connections: they are leaked, whether somebody waits for one yet or not.
    return Candidate(
        "database_connections", "moderate", text, step, evidence, share, plain=share > _MOST, since_s=run.since_s
    )


def _idle_in_transaction(case: Case, span: Span) -> list[Evidence]:
    series = case.readings.get("postgres", "connections_idle_in_transaction")
    value = case.mean(series, span)
    if series is None or value is None or value < 1:
        return []
    return [case.evidence(series, span, value, f"{counted(value)} connections idle in a transaction")]


def locks(case: Case) -> list[Candidate]:
    """Statements wait for a lock: seen in the server's own figures, with the blocking statement where it was seen."""
    waiting = case.readings.first(("postgres", 'waiting_backends{type="Lock"}'), ("postgres", "lock_waits"))
    longest = case.readings.get("postgres", "lock_wait_longest_s")
    run = sustained(waiting, case.load, 1.0, 2)
    long = sustained(longest, case.load, limits.LOCK_S, 1)
    seen = [one for one in case.observations if one.get("kind") == "lock_wait"]
    if waiting is None or (long is None and (run is None or _is_short(run, longest))):
        return []
    if run is None or (long is not None and long.span.start_s < run.span.start_s):
        run = long or run
    if run is None:
        return []
    held = waiting.within(run.span).mean or 0.0
    weight = case.share_of_waiting(held, run.span)
    most_s = 0.0 if longest is None else float(longest.within(run.span).values.max(initial=0.0))
    facts = f"{counted(max(held, 1.0))} statements waited for a lock"
    facts += f", the longest for {shown(most_s)} s" if most_s else ""
    evidence = [case.evidence(waiting, run, held, f"{counted(held)} statements waited for a lock")]
    if longest is not None and most_s:
        evidence.append(
            case.evidence(longest, run, most_s, f"the longest wait was {shown(most_s)} s", limit=limits.LOCK_S)
        )
    waits, blocks = _commonest(seen, "statement"), _commonest(seen, "blocking_statement")
    if blocks is not None:
        facts += f", held by a transaction of {_transaction(seen)}"
    return [
        Candidate(
            "locks",
            "strong" if seen or most_s >= limits.LOCK_S else "moderate",
            facts,
            _lock_step(seen),
            tuple(evidence),
            weight,
            plain=most_s >= 5 * limits.LOCK_S or weight >= limits.RELEVANT_SHARE,
            since_s=run.since_s,
            statement=waits,
            blocking_statement=blocks,
        )
    ]


def _is_short(run: Run, longest: Series | None) -> bool:
    """Waits of which none lasted: the usual ones of statements that write the same rows."""
    return longest is not None and float(longest.within(run.span).values.max(initial=0.0)) < limits.LOCK_S / 5


def _commonest(seen: list[Any], key: str) -> str | None:
    counts = Counter(str(one[key]) for one in seen if one.get(key))
    return counts.most_common(1)[0][0] if counts else None


def _transaction(seen: list[Any]) -> str:
    longest = max((float(one.get("blocking_transaction_s") or 0) for one in seen), default=0.0)
    states = Counter(str(one["blocking_state"]) for one in seen if one.get("blocking_state"))
    state = states.most_common(1)[0][0] if states else "unknown state"
    return f"{shown(longest)} s ({state})"


def _lock_step(seen: list[Any]) -> str:
    pids = Counter(one["blocking_pid"] for one in seen if one.get("blocking_pid"))
    who = f" (backend {pids.most_common(1)[0][0]})" if pids else ""
    return (
        f"Look at the transaction that holds the lock{who}: end it if it is forgotten, make it shorter if it is the "
        "application's; keep slow work out of transactions."
    )
