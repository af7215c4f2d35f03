"""Requests that wait for a connection to the database."""

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.counters import grown
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, counted
from include.loadtest.analysis.bottleneck.series import Series, sustained
from include.loadtest.verdict import shown

_POOL_STEP = (
    "Look at what holds the connections (time held a request, idle in transaction); give them back before waiting for "
    "the LLM, or raise the pool's size within the server's max_connections."
)
_SERVER_STEP = "Find who holds them (pg_stat_activity by application_name); use a pooler, or raise max_connections."
_FULL_WORDS = ("too many clients", "too many connections", "connection slots are reserved")
"""PostgreSQL's words, in a gap's reason, for a server or a role at its limit of connections."""
_MOST = 0.5


def database_connections(case: Case) -> list[Candidate]:
    """The pool is used up, or the server's own limit is near; without the pool's figures, by Little's law."""
    found = (_pool(case), _server(case), _turned_away(case), _inferred(case), _forgotten(case))
    return [one for one in found if one is not None][:1]


def _pool(case: Case) -> Candidate | None:
    used, size = case.readings.get("app", "db_pool_used"), case.readings.get("app", "db_pool_size")
    waiting, in_flight = _waiting_for_pool(case), case.requests.in_flight(case.load)
    if waiting is None or in_flight <= 0:
        return None
    # Relative, since the mean number that wait is below one where few users are there: a tenth of those in flight.
    run = sustained(waiting, case.load, limits.RELEVANT_SHARE / 2 * in_flight, 2)
    weight = 0.0 if run is None else case.share_of_waiting(run.mean, run.span)
    if run is None or weight < limits.RELEVANT_SHARE / 2:
        return None
    facts = f"{counted(run.mean)} requests waited for a connection"
    evidence = [case.evidence(waiting, run, run.mean, facts)]
    in_use, of = _in_use(case, used, run.span), _last(size, run.span)
    if used is not None and in_use is not None and of:
        facts = f"{counted(in_use)} of {counted(of)} connections were used on average and {facts}"
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
    """Requests that wait for a connection at a time: from the counter of seconds waited, else the gauge.

    Never more than requests were in flight at once, as a long wait is counted in the interval in which it ends. What
    exceeds even that is no reading: a clock that was set back makes intervals of nearly no length.
    """
    found = case.readings.get("app", "db_pool_wait_seconds_sum")
    if found is None or len(found.values) < 2:
        return case.readings.get("app", "db_pool_waiting")
    rate = found.rate()
    most = case.requests.most_at_once(case.load)
    longest_s = float(case.requests.latency_s.max(initial=0.0))
    interval_s = float(found.at_s[-1] - found.at_s[0]) / (len(found.at_s) - 1)
    sound = rate.values <= most * max(1.0, longest_s / interval_s)
    return rate.replaced(rate.at_s[sound], np.minimum(rate.values[sound], most), "requests")


def _last(series: Series | None, span: Span) -> float | None:
    """The last value: a pool that was made smaller had its old size in the first reading."""
    values = [] if series is None else list(series.within(span).values)
    return float(values[-1]) if values else None


def _in_use(case: Case, used: Series | None, span: Span) -> float | None:
    """Connections in use on average: from the counter of seconds held, else the gauge, as the waits are."""
    held = case.readings.get("app", "db_pool_held_seconds_sum")
    seen = None if held is None else grown(held, span)
    return case.mean(used, span) if seen is None or seen.seconds <= 0 else seen.per_s


def _per_use(case: Case, span: Span) -> list[Evidence]:
    """How long a connection was waited for and held, a use."""
    found = []
    for name, what in (("wait", "the wait for a connection took"), ("held", "a connection was held for")):
        total = case.growth_of("app", f"db_pool_{name}_seconds_sum", span)
        count = case.growth_of("app", f"db_pool_{name}_seconds_count", span)
        series = case.readings.get("app", f"db_pool_{name}_seconds_sum")
        if series is not None and total is not None and count:
            mean_ms = 1000 * total / count
            text = f"{what} {shown(mean_ms)} ms on average"
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
    return Candidate(
        "database_connections",
        "strong",
        text,
        _SERVER_STEP,
        (*evidence, *_idle_in_transaction(case, run.span)),
        None,
        plain=True,
        since_s=run.since_s,
    )


def _turned_away(case: Case) -> Candidate | None:
    """The server let the monitoring in no more, as all its connections were taken."""
    seen = [
        one
        for one in case.silences
        if one.source == "postgres" and case.load.start_s < one.span.end_s and one.span.start_s < case.load.end_s
        if any(words in one.reason.lower() for words in _FULL_WORDS)
    ]
    if not seen:
        return None
    longest = max(seen, key=lambda one: one.span.seconds)
    text = f"the database server had no connection left for the monitoring for {longest.span.seconds:.0f} s"
    evidence = (Evidence("postgres", "", "refusals", longest.span.seconds, "s", longest.span, text),)
    since = case.since(longest)
    return Candidate("database_connections", "moderate", text, _SERVER_STEP, evidence, None, since_s=since)


def _inferred(case: Case) -> Candidate | None:
    """More requests in work than connections, whose number does not move, and all wait: a pool at its size.

    Connections may be held without a statement (idle, while an answer of the LLM streams), so that it is not enough to
    count those that work; but where only what asks the LLM takes long, nobody waits for a connection.
    """
    total = case.readings.get("postgres", "connections_total")
    working = case.readings.get("app", "starlette_requests_in_progress")
    if _waiting_for_pool(case) is not None or total is None:
        return None
    inside, in_work = total.within(case.window), case.mean(working, case.window)
    if len(inside.values) < 2 or float(np.ptp(inside.values)) > 1:
        return None
    most = float(inside.values.max())
    more, share = case.requests.above(most, case.window)
    if more <= 0 or share < limits.RELEVANT_SHARE or not (_are_held(case, most) or _is_crowded(case, most, in_work)):
        return None
    text = (
        f"for {100 * share:.0f} % of the time more requests were waited for than there were connections to the "
        f"database ({counted(most)}, a number that did not move; the application does not show its pool)"
    )
    evidence = [case.evidence(total, case.window, most, f"{counted(most)} connections, those of others included")]
    if working is not None and in_work is not None:
        said = f"{counted(in_work)} requests in work in the application"
        evidence.append(case.evidence(working, case.window, in_work, said, limit=most, against="connections"))
    weight = more / max(case.in_flight, 1e-9)
    since = case.window.start_s if case.shift is not None else None
    return Candidate("database_connections", "moderate", text, _POOL_STEP, tuple(evidence), weight, since_s=since)


def _are_held(case: Case, most: float) -> bool:
    """Nearly all connections run a statement or stand in a transaction."""
    parts = (case.readings.get("postgres", f"connections_{name}") for name in ("active", "idle_in_transaction"))
    return sum(case.mean(part, case.window) or 0.0 for part in parts) >= limits.BUSY_SHARE * most


def _is_crowded(case: Case, most: float, in_work: float | None) -> bool:
    """The application has more in work than connections, and what asks no LLM waits too."""
    others = case.requests.within(case.window)
    others = others.chosen(~others.asks_llm)
    return in_work is not None and in_work > most and others.mean_ms() >= limits.FELT_MS


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
        "database_connections", "moderate", text, step, evidence, None, plain=share > _MOST, since_s=run.since_s
    )


def _idle_in_transaction(case: Case, span: Span) -> list[Evidence]:
    series = case.readings.get("postgres", "connections_idle_in_transaction")
    value = case.mean(series, span)
    if series is None or value is None or value < 1:
        return []
    return [case.evidence(series, span, value, f"{counted(value)} connections idle in a transaction")]
