"""The LLM behind the application: late, or refusing."""

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, counted
from include.loadtest.analysis.bottleneck.requests import Array
from include.loadtest.analysis.bottleneck.series import Series, sustained
from include.loadtest.verdict import shown

_SLOW_STEP = (
    "Ask the provider (status page, region, model); set a timeout and a fallback model, and cache more answers."
)
_ERROR_STEP = (
    "Look at the provider's quota and errors; ask for a higher limit, retry later with a pause, use a fallback model."
)
SOURCES = ("llm", "app")
"""The LLM's own figures first: the application's also count its own delays."""
_QUICK_S = 10.0
"""A failure that comes later is one of waiting (for a connection, say), not a refusal."""
_LEAST_CALLS = 3.0
_LEAST_ANSWERS = 20
_LEAST_INTERVALS = 2
_BEFORE = "before"
_QUICK_PLACE, _SLOW_PLACE = 0.2, 0.95
"""Percentiles that stand for kept and for new answers."""


def wait_ms(case: Case, span: Span | None) -> tuple[Series, float] | None:
    """How long a call of the LLM took on average in a span: by its own figures, or by the application's.

    Those count where there are no others, or where a call took far longer for the application than for the LLM: then
    it is the way between them.
    """
    if span is None:
        return None
    found = [one for source in SOURCES if (one := _mean_wait(case, source, span)) is not None]
    if len(found) == len(SOURCES) and found[1][1] >= limits.SHIFT_FACTOR * found[0][1] + limits.FELT_MS:
        return found[1]
    return found[0] if found else None


def _mean_wait(case: Case, source: str, span: Span) -> tuple[Series, float] | None:
    series = case.readings.get(source, "llm_wait_seconds_sum")
    total, count = (case.growth_of(source, f"llm_wait_seconds_{name}", span) for name in ("sum", "count"))
    if series is None or total is None or count is None or count < _LEAST_CALLS:
        return None
    return series, 1000 * total / count


def at_a_time(case: Case, span: Span) -> float | None:
    """Calls of the LLM in progress, on average; None where nobody counts them.

    From the seconds of the calls that ended; where hardly any ended, from those seen in progress.
    """
    now = wait_ms(case, span)
    if now is not None:
        return case.rate_of(now[0].source, now[0].metric, span)
    return case.mean(case.readings.get("llm", "llm_in_progress"), span)


def slow(case: Case) -> list[Candidate]:
    """A call takes longer than before, than in the last comparable run, or than the limits leave room for."""
    rose = _rose(case)
    span = case.window if rose is None else rose
    now = wait_ms(case, span)
    if now is None:
        return _silent(case) or _inferred(case)
    series, mean_ms = now
    compared, comparison = _compared(case, mean_ms, rose)
    if compared is None:
        return _silent(case)
    weight = case.share_of_waiting(at_a_time(case, span) or 0.0, span)
    text = f"a call of the LLM took {shown(mean_ms)} ms on average ({comparison}: {shown(compared)} ms)"
    evidence = [case.evidence(series, span, mean_ms, text, unit="ms", limit=compared, against=comparison)]
    if weight > 0:
        share = f"requests spent {100 * weight:.0f} % of their time waiting for it"
        evidence.append(case.evidence(series, span, weight, share, unit="ratio"))
    is_near = mean_ms >= limits.LLM_LIMIT_SHARE * (_limit_ms(case) or float("inf"))
    is_relevant = weight >= limits.RELEVANT_SHARE
    return [
        Candidate(
            "llm_slow",
            "strong" if is_relevant else "moderate",
            text,
            _SLOW_STEP,
            tuple(evidence),
            weight,
            plain=is_near or (is_relevant and rose is not None and mean_ms >= 2 * compared),
            since_s=span.start_s if comparison == _BEFORE else None,
        )
    ]


def _rose(case: Case) -> Span | None:
    """Since when the calls of every interval took longer than any before, and relevantly so; None where they do not."""
    for source in SOURCES:
        total, count = (case.readings.get(source, f"llm_wait_seconds_{name}") for name in ("sum", "count"))
        if total is None or count is None or len(total.values) != len(count.values):
            continue
        calls, seconds = np.diff(count.values), np.diff(total.values)
        known = (
            (calls > 0) & (seconds >= 0) & (total.at_s[1:] >= case.load.start_s) & (total.at_s[1:] <= case.load.end_s)
        )
        means_ms, ends = 1000 * seconds[known] / calls[known], total.at_s[1:][known]
        found = _split(means_ms)
        if found is not None:
            return Span(float(ends[found - 1]), case.load.end_s)
    return None


def _split(means_ms: Array) -> int | None:
    """The first of the later values, where all of them lie above all earlier ones and relevantly so."""
    for place in range(_LEAST_INTERVALS, len(means_ms) - _LEAST_INTERVALS + 1):
        before, after = means_ms[:place], means_ms[place:]
        rise = float(np.median(after)) - float(np.median(before))
        is_relevant = rise >= limits.FELT_MS and np.median(after) >= limits.SHIFT_FACTOR * np.median(before)
        if is_relevant and after.min() > before.max():
            return place
    return None


def _compared(case: Case, mean_ms: float, rose: Span | None) -> tuple[float | None, str]:
    """What it is slow against, and by what name; None where it is not."""
    earlier_span = case.before if rose is None else Span(case.load.start_s, rose.start_s)
    before = wait_ms(case, earlier_span)
    if before is not None and mean_ms >= limits.SHIFT_FACTOR * before[1] and mean_ms >= before[1] + limits.FELT_MS:
        return before[1], _BEFORE
    earlier = case.reference.get("llm_wait_mean_ms")
    if earlier is not None and mean_ms >= limits.SHIFT_FACTOR * earlier and mean_ms >= earlier + limits.FELT_MS:
        return earlier, "last comparable run"
    limit_ms = _limit_ms(case)
    if limit_ms is not None and mean_ms >= limits.LLM_LIMIT_SHARE * limit_ms:
        return limit_ms, "limit of such a request"
    return None, ""


def _limit_ms(case: Case) -> float | None:
    """The smallest limit on the latency of what asks the LLM."""
    rows = case.requests.chosen(case.requests.asks_llm)
    scopes = {"all", *(f"scenario:{name}" for name in np.unique(rows.scenario))}
    found = [slo.limit for slo in case.profile.slos if slo.metric.startswith("latency_p95") and slo.scope in scopes]
    return min(found, default=None)


def _silent(case: Case) -> list[Candidate]:
    """The LLM's own page let the monitoring wait until it gave up, while servers answered."""
    silence = case.unanswered("llm", "postgres", "redis")
    if silence is None:
        return []
    text = f"the LLM's server gave the monitoring no answer for {silence.span.seconds:.0f} s either"
    evidence = (Evidence("llm", "", "silence", silence.span.seconds, "s", silence.span, text),)
    return [Candidate("llm_slow", "moderate", text, _SLOW_STEP, evidence, None, since_s=case.since(silence))]


def _inferred(case: Case) -> list[Candidate]:
    """Nobody measures the LLM: new answers are slow while kept ones, which need none, and other requests are quick."""
    asking = case.requests.chosen(case.requests.asks_llm)
    after = asking.within(case.window)
    if len(after) < _LEAST_ANSWERS or after.quantile_ms(_QUICK_PLACE) > limits.FELT_MS or _others_are_slow(case):
        return []
    slow_ms, before = after.quantile_ms(_SLOW_PLACE), None if case.before is None else asking.within(case.before)
    compared, comparison = _limit_ms(case), "limit of such a request"
    is_slow = compared is not None and slow_ms >= limits.LLM_LIMIT_SHARE * compared
    if before is not None and len(before) >= _LEAST_ANSWERS:
        compared, comparison = before.quantile_ms(_SLOW_PLACE), _BEFORE
        is_slow = slow_ms >= limits.SHIFT_FACTOR * compared and slow_ms >= compared + limits.FELT_MS
    if compared is None or not is_slow:
        return []
    text = (
        f"the slow answers of the chat took {shown(slow_ms)} ms ({comparison}: {shown(compared)} ms), its quick ones "
        f"{shown(after.quantile_ms(_QUICK_PLACE))} ms, as usual for kept answers"
    )
    evidence = Evidence("samples", "", "latency_p95_ms", slow_ms, "ms", case.window, text, compared, comparison)
    weight = after.waiting_s(case.window) / max(1e-9, case.requests.waiting_s(case.window))
    # What such answers took before is not what makes requests slower.
    weight *= 1 - compared / slow_ms if comparison == _BEFORE else 1
    since = case.window.start_s if comparison == _BEFORE else None
    return [Candidate("llm_slow", "moderate", text, _SLOW_STEP, (evidence,), weight, since_s=since)]


def _others_are_slow(case: Case) -> bool:
    """Whether requests that ask no LLM are slow too, or slower than before: then it is not the LLM alone."""
    others = case.requests.chosen(~case.requests.asks_llm)
    after = others.within(case.window)
    if case.before is None or not len(others.within(case.before)):
        return after.quantile_ms(0.5) > 2 * limits.FELT_MS
    usual_ms = others.within(case.before).mean_ms()
    return after.mean_ms() > limits.SHIFT_FACTOR * usual_ms + limits.FELT_MS / 4


def errors(case: Case) -> list[Candidate]:
    """Calls of the LLM are refused or fail, or its circuit breaker is open."""
    for source in SOURCES:
        found = _refused(case, source)
        if found is not None:
            return [found]
    breaker = case.readings.get("app", "circuit_breaker_open")
    run = sustained(breaker, case.load, 1.0, 2)
    if breaker is not None and run is not None:
        text = "a circuit breaker of the application was open"
        evidence = (case.evidence(breaker, run, run.mean, text),)
        return [Candidate("llm_errors", "moderate", text, _ERROR_STEP, evidence, None, since_s=run.since_s)]
    return _failing_chat(case)


def _refused(case: Case, source: str) -> Candidate | None:
    calls = case.growth_of(source, "llm_calls", case.load)
    series = case.readings.get(source, "llm_calls")
    bad = {name: case.growth_of(source, f"llm_{name}", case.load) or 0.0 for name in ("errors", "refusals")}
    count = max(bad.values())
    if series is None or not calls or count < limits.LEAST_ERRORS or count / calls < limits.LLM_ERROR_SHARE:
        return None
    is_refusal = bad["refusals"] > 0 and bad["refusals"] >= bad["errors"] / 2
    since = _first_growth(case.readings.get(source, "llm_refusals" if is_refusal else "llm_errors"), case)
    share = min(1.0, count / calls)
    text = f"{counted(count)} of {counted(calls)} calls of the LLM {'were refused (429)' if is_refusal else 'failed'}"
    span = Span(since or case.load.start_s, case.load.end_s)
    evidence = case.evidence(series, span, share, text, unit="ratio", limit=0.0, against="expected")
    return Candidate("llm_errors", "strong", text, _ERROR_STEP, (evidence,), share, plain=True, since_s=since)


def _first_growth(series: Series | None, case: Case) -> float | None:
    """When a counter began to grow; None where it did from the beginning."""
    if series is None:
        return None
    rate = series.rate().within(case.load)
    growing = np.flatnonzero(rate.values > 0)
    if not len(growing) or growing[0] <= 1:
        return None
    return float(rate.at_s[growing[0] - 1])


def _failing_chat(case: Case) -> list[Candidate]:
    """Nobody counts the LLM's errors: what asks it fails quickly, while other requests do not."""
    if any(case.readings.get(source, "llm_calls") is not None for source in SOURCES):
        return []
    own = case.requests.within(case.load)
    asking, others = own.chosen(own.asks_llm), own.chosen(~own.asks_llm)
    failed = asking.chosen((asking.outcome == "wrong_answer") & (asking.latency_s < _QUICK_S))
    share = len(failed) / len(asking) if len(asking) else 0.0
    if len(failed) < limits.LEAST_ERRORS or share < limits.LLM_ERROR_SHARE or others.share_failed() > share / 5:
        return []
    text = f"{100 * share:.0f} % of the chat's answers were its error sentence, while other requests succeeded"
    evidence = Evidence(
        "samples", "", "error_rate", share, "ratio", case.load, text, others.share_failed(), "other requests"
    )
    first_s = float(failed.start_s.min())
    since = first_s if first_s > case.load.start_s + 5 else None
    return [Candidate("llm_errors", "moderate", text, _ERROR_STEP, (evidence,), share, since_s=since)]
