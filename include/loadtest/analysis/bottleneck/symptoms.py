"""What is wrong as users see it, and where: without a symptom a busy resource is no bottleneck."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Symptom
from include.loadtest.analysis.bottleneck.requests import Requests
from include.loadtest.verdict import shown

_CODES = frozenset(
    {
        *("slo_missed", "slo_near", "slo_warning", "stall", "regression", "regression_suspected"),
        *("auto_stop_errors", "auto_stop_latency", "target_restarted"),
    }
)
_OF_THE_MACHINE = ("host_", "postgres_", "redis_", "target_memory")
_NAMED = 2
_MOSTLY = 0.8
"""Of what is wrong: so much of it at one endpoint, and the fault is there."""


def symptoms(case: Case) -> list[Symptom]:
    """All of them: limits missed or near, latencies that rose, errors, slower than the last comparable run."""
    return [*_judged(case), *_rose(case), *_failed(case), *_slower(case)]


def _judged(case: Case) -> Iterator[Symptom]:
    """Limits on what users see; those on machines are what detectors look at themselves."""
    for reason in case.reasons:
        metric = str(reason.get("metric") or "")
        if reason["code"] in _CODES and not metric.startswith(_OF_THE_MACHINE):
            yield Symptom(str(reason["code"]), str(reason["text"]))


def _rose(case: Case) -> Iterator[Symptom]:
    shift = case.shift
    if shift is not None:
        what = "latencies" if shift.scope == "all" else f"latencies of {shift.scope}"
        text = f"{what} rose from {shown(shift.before_ms)} to {shown(shift.after_ms)} ms on average"
        yield Symptom("latency_rose", text, shift.at_s)


def _failed(case: Case) -> Iterator[Symptom]:
    own = case.requests.within(case.load)
    count, share = int(own.failed.sum()), own.share_failed()
    if count < limits.LEAST_ERRORS or share < limits.ERROR_SHARE:
        return
    first_s = float(own.start_s[own.failed].min())
    since = first_s if first_s > case.load.start_s + 5 else None
    yield Symptom("errors", f"{100 * share:.1f} % of the requests failed", since)


def _slower(case: Case) -> Iterator[Symptom]:
    """P95 and P90 both: where one request in twenty asks the LLM anew, P95 alone falls among those or not by chance."""
    own = case.requests.within(case.load)
    if len(own) < 20:
        return
    pairs = [(own.quantile_ms(share), case.reference.get(f"latency_p{share * 100:.0f}_ms")) for share in (0.9, 0.95)]
    if all(was is not None and now >= limits.SHIFT_FACTOR * was and now >= was + limits.FELT_MS for now, was in pairs):
        now, earlier = pairs[-1]
        yield Symptom("slower", f"P95 is {shown(now)} ms, {shown(earlier)} ms in the last comparable run")


@dataclass(frozen=True)
class Place:
    """Where it is wrong: `endpoint` (or several in words) None for everywhere; `what` in words."""

    endpoint: str | None
    what: str


def place(case: Case) -> Place:
    """Where requests fail or lose time, for what no measured resource explains."""
    found = _failing(case) or _slowed(case)
    if found is not None:
        return found
    said = next((one.text for one in symptoms(case)), "requests are slower, or fail more, than they should")
    return Place(None, said)


def _failing(case: Case) -> Place | None:
    own = case.requests.within(case.load)
    failed = own.chosen(own.failed)
    if len(failed) < limits.LEAST_ERRORS or len(failed) < limits.ERROR_SHARE * len(own):
        return None
    kinds, of_kind = np.unique(failed.outcome, return_counts=True)
    kind = str(kinds[np.argmax(of_kind)]).replace("_", " ")
    statuses = failed.status[failed.status >= 400]
    status = f" {np.bincount(statuses).argmax()}" if len(statuses) else ""
    names = _mostly({name: float((failed.endpoint == name).sum()) for name in failed.endpoints})
    if len(names) > _NAMED:
        share = own.share_failed()
        return Place(None, f"{100 * share:.1f} % of the requests fail ({kind}{status}), at several endpoints")
    at_them = own.chosen(np.isin(own.endpoint, names))
    where = " and ".join(names)
    return Place(where, f"{100 * at_them.share_failed():.1f} % of the requests to {where} fail ({kind}{status})")


def _mostly(shares: Mapping[str, float]) -> list[str]:
    """The fewest names that make up most of all, the largest first."""
    ordered = sorted(shares, key=lambda name: -shares[name])
    wanted, found = _MOSTLY * sum(shares.values()), 0.0
    for count, name in enumerate(ordered, 1):
        found += shares[name]
        if found >= wanted:
            return ordered[:count]
    return ordered


def _slowed(case: Case) -> Place | None:
    """The endpoint that most of the additional waiting is at; without a time before, what is beyond its limit."""
    shift = case.shift
    if shift is not None and shift.scope in case.requests.endpoints:
        was = f"before: {shown(shift.before_ms)} ms"
        what = f"requests to {shift.scope} take {shown(shift.after_ms)} ms on average ({was})"
        return Place(shift.scope, what)
    if case.before is None or not len(case.requests.within(case.before)):
        return _beyond_limits(case)
    after, before = case.requests.within(case.window), case.requests.within(case.before)
    lost: dict[str, float] = {}
    for name in after.endpoints:
        rows = after.of(name)
        usual_ms = before.of(name).mean_ms() if len(before.of(name)) else rows.mean_ms()
        lost[name] = max(0.0, rows.mean_ms() - usual_ms) * len(rows)
    if sum(lost.values()) <= 0:
        return None
    names = _mostly(lost)
    rows, earlier = (part.chosen(np.isin(part.endpoint, names)) for part in (after, before))
    taken = f"{shown(rows.mean_ms())} ms on average (before: {shown(earlier.mean_ms())} ms)"
    if len(names) <= _NAMED and len(names) < len(lost):
        where = " and ".join(names)
        return Place(where, f"requests to {where} take {taken}")
    return Place(None, f"requests to most endpoints are slow: {taken}")


def _beyond_limits(case: Case) -> Place | None:
    """Without a time before: endpoints whose P95 is above their limit. A slow one may be slow by nature."""
    own = case.requests.within(case.window)
    found = {name: own.of(name) for name in own.endpoints}
    pairs = {
        name: (rows.quantile_ms(0.95), limit_ms) for name, rows in found.items() if (limit_ms := _limit(case, rows))
    }
    beyond = sorted(
        (name for name, (value, limit_ms) in pairs.items() if value > limit_ms),
        key=lambda name: -pairs[name][0] / pairs[name][1],
    )
    if not beyond:
        return _judged_slow(case)
    if len(beyond) <= _NAMED and len(beyond) < len(found):
        where = " and ".join(beyond)
        value, limit_ms = pairs[beyond[0]]
        of = f" at {beyond[0]}" if len(beyond) > 1 else ""
        what = f"requests to {where} are slow: P95 {shown(value)} ms{of}, the limit is {shown(limit_ms)} ms"
        return Place(where, what)
    return Place(None, f"{len(beyond)} of {len(found)} endpoints are slower than their limit, {beyond[0]} most of all")


def _judged_slow(case: Case) -> Place | None:
    """The scenario whose limit the verdict names, where its requests in the window alone are within it."""
    for reason in case.reasons:
        scenario = str(reason.get("scope") or "").removeprefix("scenario:")
        names = case.requests.chosen(case.requests.scenario == scenario).endpoints
        if reason["code"] in _CODES and 0 < len(names) <= _NAMED:
            return Place(" and ".join(names), str(reason["text"]))
    return None


def _limit(case: Case, rows: Requests) -> float | None:
    """The limit on the P95 of an endpoint's requests: its scenario's, else the one on all; None without any."""
    of_scope = {slo.scope: slo.limit for slo in case.profile.slos if slo.metric == "latency_p95_ms"}
    own = [limit for name in np.unique(rows.scenario) if (limit := of_scope.get(f"scenario:{name}")) is not None]
    return min(own, default=of_scope.get("all"))
