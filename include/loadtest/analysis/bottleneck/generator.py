"""The test's own part: a generator that is held back, and a target that refuses the generator's address."""

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.verdict import shown

_WORDS = {
    "loop_lag_ms": "was late by",
    "cpu_pct": "used of its core",
    "run_queue_wait_ms_per_s": "had to wait for a core, each second, for",
    "cpu_throttled_ms_per_s": "was held back by its quota, each second, for",
    "cpu_steal_pct": "lost to another machine",
}
_STEP = "Move the generator to a machine of its own, or stop what runs beside it; then run again."


def starved(case: Case) -> list[Candidate]:
    """The generator was held back for a relevant part of the load, by the profile's own limits of validity."""
    thresholds = case.profile.validity.starvation.model_dump()
    runs = [
        (series, run)
        for metric in _WORDS
        for series in _series(case, metric)
        if (run := sustained(series, case.load, thresholds[metric], 2)) is not None
    ]
    if not runs:
        return []
    series, run = max(runs, key=lambda pair: pair[1].mean / thresholds[pair[0].metric])
    share = max(run.span.seconds for _, run in runs) / case.load.seconds
    if share <= case.profile.validity.max_starved_share:
        return []
    facts = f"the generator {_WORDS[series.metric]} {shown(run.mean)} {series.unit}"
    evidence = [_evidence(case, series, run, thresholds[series.metric]), *_served(case, run.span)]
    since = min((run.since_s for _, run in runs if run.since_s is not None), default=None)
    since = None if any(run.since_s is None for _, run in runs) else since
    return [Candidate("generator", "strong", facts, _STEP, tuple(evidence), share, plain=True, since_s=since)]


def _series(case: Case, metric: str) -> list[Series]:
    """Of generators only: the readings of a machine of its own have the same source, and steal is the machine's."""
    if metric == "cpu_steal_pct":
        return [series for source in ("generator", "host") for series in case.readings.all(source, metric)]
    loops = {series.instance for series in case.readings.all("generator", "users")}
    loops |= {series.instance for series in case.readings.all("generator", "loop_lag_ms")}
    return [series for series in case.readings.all("generator", metric) if series.instance in loops]


def _evidence(case: Case, series: Series, run: Run, threshold: float) -> Evidence:
    text = f"the generator {_WORDS[series.metric]} {shown(run.mean)} {series.unit}"
    return case.evidence(series, run, run.mean, text, limit=threshold)


def _served(case: Case, span: Span) -> list[Evidence]:
    """How many requests the target had in work beside how many users waited: the rest waited outside of it."""
    series = case.readings.get("app", "starlette_requests_in_progress")
    value = case.mean(series, span)
    if series is None or value is None:
        return []
    waiting = case.requests.in_flight(span)
    text = f"the target had {counted(value)} requests in work while users waited for {counted(waiting)}"
    return [case.evidence(series, span, value, text, limit=waiting, against="waited for by users")]


def rate_limiter(case: Case) -> list[Candidate]:
    """The target refuses requests of the generator's address (status 429)."""
    own = case.requests.within(case.whole)
    refused = own.outcome == "rejected"
    count, share = int(refused.sum()), float(refused.mean()) if len(own) else 0.0
    if count < limits.LEAST_ERRORS or share <= case.profile.validity.max_rejected_share:
        return []
    rows = own.chosen(refused)
    first_s = float(rows.start_s.min())
    names = sorted(rows.endpoints, key=lambda name: -int((rows.endpoint == name).sum()))
    facts = f"the target refused {100 * share:.1f} % of the requests with status 429, most of them at {names[0]}"
    span = Span(first_s, case.load.end_s)
    evidence = Evidence("samples", "", "rejected_rate", share, "ratio", span, facts, 0.0, "expected")
    step = "Set RATELIMIT_ENABLED=false on the target, or forwarded_for: true in its target file (if it trusts it)."
    since = first_s if first_s > case.load.start_s + 5 else None
    return [Candidate("rate_limiter", "strong", facts, step, (evidence,), share, plain=True, since_s=since)]
