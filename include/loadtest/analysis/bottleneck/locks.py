"""Statements that wait for a lock, and who holds it."""

from collections import Counter
from typing import Any

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Span, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.analysis.bottleneck.sound import seconds
from include.loadtest.verdict import shown

_AFTER_S = 1.0
"""A reading's observations bear its moment, or one a little later."""
_HOLDER = ("blocking_pid", "blocking_statement")


def locks(case: Case) -> list[Candidate]:
    """Statements wait for a lock: seen in the server's own figures, with the blocking statement where it was seen."""
    waiting = case.readings.first(("postgres", 'waiting_backends{type="Lock"}'), ("postgres", "lock_waits"))
    longest = case.readings.get("postgres", "lock_wait_longest_s")
    run = _locked(case, waiting, longest)
    if waiting is None or run is None:
        return []
    held = waiting.within(run.span).mean or 0.0
    most_s = 0.0 if longest is None else float(longest.within(run.span).values.max(initial=0.0))
    # Of the whole window's time: a wait that was seen once may have been the only one.
    weight = case.share_of_waiting(case.mean(waiting, case.window) or 0.0)
    facts = f"{counted(max(held, 1.0))} statements waited for a lock"
    facts += f", the longest for {shown(most_s)} s" if most_s else ""
    evidence = [case.evidence(waiting, run, held, f"{counted(held)} statements waited for a lock")]
    if longest is not None and most_s:
        said = f"the longest wait was {shown(most_s)} s"
        evidence.append(case.evidence(longest, run, most_s, said, limit=limits.LOCK_S))
    seen = _waits_in(case, run.span)
    held_by = _holder(seen)
    is_more = len(run.values) > 1
    return [
        Candidate(
            "locks",
            "strong" if is_more and (seen or most_s >= limits.LOCK_S) else "moderate",
            facts + _transaction(held_by),
            _lock_step(held_by),
            tuple(evidence),
            weight,
            plain=is_more and (most_s >= 5 * limits.LOCK_S or weight >= limits.RELEVANT_SHARE),
            since_s=run.since_s,
            statement=_commonest(seen, "statement"),
            blocking_statement=_commonest(held_by, "blocking_statement"),
        )
    ]


def _locked(case: Case, waiting: Series | None, longest: Series | None) -> Run | None:
    """When statements waited: one wait of a second is enough to be seen; shorter ones count reading after reading."""
    run, long = sustained(waiting, case.load, 1.0, 2), sustained(longest, case.load, limits.LOCK_S, 1)
    if long is None:
        return None if run is None or _is_short(run, longest) else run
    return long if run is None or long.span.start_s < run.span.start_s else run


def _is_short(run: Run, longest: Series | None) -> bool:
    """Waits of which none lasted: the usual ones of statements that write the same rows."""
    return longest is not None and float(longest.within(run.span).values.max(initial=0.0)) < limits.LOCK_S / 5


def _waits_in(case: Case, span: Span) -> list[Any]:
    """What was observed of waits while statements waited: a wait of another time had another holder."""
    waits = [one for one in case.observations if one.get("kind") == "lock_wait"]
    moments = [seconds(one.get("ts")) for one in waits]
    return [
        one
        for one, at_s in zip(waits, moments, strict=True)
        if at_s is not None and span.start_s <= at_s <= span.end_s + _AFTER_S
    ]


def _holder(seen: list[Any]) -> list[Any]:
    """The observations of the session that blocked most often; [] where none was seen."""
    known = [one for one in seen if any(one.get(key) for key in _HOLDER)]
    counts = Counter(tuple(one.get(key) for key in _HOLDER) for one in known)
    most = counts.most_common(1)[0][0] if counts else None
    return [one for one in known if tuple(one.get(key) for key in _HOLDER) == most]


def _commonest(seen: list[Any], key: str) -> str | None:
    counts = Counter(str(one[key]) for one in seen if one.get(key))
    return counts.most_common(1)[0][0] if counts else None


def _transaction(held_by: list[Any]) -> str:
    """The age of the holder's transaction when it was last seen to block, and its state."""
    if not held_by:
        return ""
    ages = [float(one["blocking_transaction_s"]) for one in held_by if one.get("blocking_transaction_s") is not None]
    age = f" of {shown(max(ages))} s" if ages else ""
    return f", held by a transaction{age} ({_commonest(held_by, 'blocking_state') or 'unknown state'})"


def _lock_step(held_by: list[Any]) -> str:
    pid = _commonest(held_by, "blocking_pid")
    who = "" if pid is None else f" (backend {pid})"
    return (
        f"Look at the transaction that holds the lock{who}: end it if it is forgotten, make it shorter if it is the "
        "application's; keep slow work out of transactions."
    )
