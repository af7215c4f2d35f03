"""The cache: emptied, without room, missing what is asked, or late."""

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.counters import grown
from include.loadtest.analysis.bottleneck.hit_rate import (
    LEAST_LOOKUPS,
    fallen,
    hit_rate,
    knows_both,
    low_rate,
    share_of_misses,
)
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, Strength, counted
from include.loadtest.analysis.bottleneck.series import Run, Series, sustained
from include.loadtest.verdict import shown

_MISS_STEP = (
    "Find who emptied it (FLUSHALL, a deployment, other keys); warm it after a release, and look at keys and TTL."
)
_ROOM_STEP = "Raise maxmemory, or find whose keys fill the cache; give answers a space of their own, and look at TTLs."
_SLOW_STEP = "Look at SLOWLOG and LATENCY: keep slow commands (KEYS, scripts, large values) away from this server."
_FLUSHES = "flush_commands"
_LEAST_EVICTIONS = 10


def misses(case: Case) -> list[Candidate]:
    """Answers are not found: the cache was emptied, or its hit rate is below what is expected or what it was."""
    emptied = _emptied(case)
    low = (None if emptied is None else fallen(case, emptied.span)) or low_rate(case)
    is_command = emptied is not None and emptied.metric == _FLUSHES
    # Keys that went while as many lookups as before are found were nobody's loss.
    if emptied is not None and low is None and not is_command and knows_both(case, emptied.span):
        emptied = None
    evidence = [one for one in (emptied, low) if one is not None]
    if not evidence:
        return []
    first = evidence[0]
    is_low = low is not None and (emptied is not None or low.value < limits.HIT_RATE)
    strength: Strength = "strong" if is_command or is_low else "moderate"
    return [
        Candidate(
            "cache_misses",
            strength,
            " and ".join(one.text for one in evidence),
            _MISS_STEP,
            (*evidence, *_more_llm_calls(case)),
            share_of_misses(case, low),
            plain=strength == "strong",
            since_s=first.span.start_s if first.span.start_s > case.load.start_s + 1 else None,
        )
    ]


def _emptied(case: Case) -> Evidence | None:
    """FLUSHALL or FLUSHDB within the load, or most keys gone between two readings."""
    flushes = case.readings.get("redis", _FLUSHES)
    steps = np.array([], dtype=np.int64) if flushes is None else np.flatnonzero(np.diff(flushes.values) > 0)
    if flushes is not None and len(steps):
        times = [(float(flushes.at_s[n]), float(flushes.at_s[n + 1])) for n in steps]
        inside = [pair for pair in times if pair[1] >= case.whole.start_s and pair[0] < case.whole.end_s]
        if inside:
            count = round(case.growth_of("redis", _FLUSHES, case.whole) or len(inside))
            text = f"the cache was emptied by a command {'once' if count <= 1 else f'{count} times'}"
            span = Span(inside[0][0], min(inside[-1][1] + 1e-3, case.whole.end_s + 5))
            return Evidence("redis", flushes.instance, _FLUSHES, count, "commands", span, text, 0.0, "expected")
    return _lost_keys(case.readings.get("redis", "keys"), case)


def _lost_keys(keys: Series | None, case: Case) -> Evidence | None:
    """Most keys gone at once, beside those that expired or made room: those are counted."""
    if keys is None:
        return None
    own = keys.within(case.whole)
    for place in range(1, len(own.values)):
        before, after = float(own.values[place - 1]), float(own.values[place])
        span = Span(float(own.at_s[place - 1]), float(own.at_s[place]))
        lost = before - after
        for name in ("expired_keys", "evicted_keys"):
            counter = case.readings.get("redis", name)
            lost -= 0.0 if counter is None else grown(counter, span).amount
        if before >= LEAST_LOOKUPS and lost > limits.EMPTIED_SHARE * before:
            text = f"the cache lost {counted(lost)} of its {counted(before)} keys at once"
            return Evidence("redis", keys.instance, "keys", after, "keys", span, text, before, "reading before")
    return None


def _more_llm_calls(case: Case) -> list[Evidence]:
    """Misses become calls of the LLM."""
    for source in ("llm", "app"):
        series = case.readings.get(source, "llm_calls")
        now = case.rate_of(source, "llm_calls", case.window)
        before = None if case.before is None else case.rate_of(source, "llm_calls", case.before)
        if series is not None and now and before and now >= limits.SHIFT_FACTOR * before:
            text = f"{shown(now)} calls of the LLM a second, {shown(before)} before"
            return [case.evidence(series, case.window, now, text, unit="calls/s", limit=before, against="before")]
    return []


def evictions(case: Case) -> list[Candidate]:
    """The cache throws keys away for want of room, or is full and takes no more."""
    memory, limit = _memory(case)
    series = case.readings.get("redis", "evicted_keys")
    rate = None if series is None else series.rate()
    run = sustained(rate, case.load, 1e-9, 2)
    count = case.growth_of("redis", "evicted_keys", case.load) or 0.0
    if rate is not None and run is not None and count >= _LEAST_EVICTIONS:
        facts = f"the cache threw away {counted(count)} keys for want of room ({shown(run.mean)} a second)"
        evidence = [case.evidence(rate, run, run.mean, facts), *_fullness(case, memory, limit)]
        return _thrown_away(case, facts, evidence, run, count)
    low = low_rate(case)
    if memory is None or limit is None or low is None:
        return []
    full = sustained(memory, case.load, limits.FULL_SHARE * limit)
    if full is None:
        return []
    facts = f"the cache used {100 * full.mean / limit:.0f} % of its memory limit and takes no more"
    return [_full(case, facts, _fullness(case, memory, limit), full, low, is_hurt=True)]


def _thrown_away(case: Case, facts: str, evidence: list[Evidence], run: Run, count: float) -> list[Candidate]:
    """A full cache that throws its oldest keys away works as it should, as long as what is asked for is found."""
    low = low_rate(case) or fallen(case, run.span)
    if low is None and hit_rate(case, case.window) is not None:
        return []
    keys = case.mean(case.readings.get("redis", "keys"), case.load)
    is_hurt = keys is None or count >= limits.RELEVANT_SHARE * keys
    return [_full(case, facts, evidence, run, low, is_hurt=is_hurt)]


def _full(
    case: Case, facts: str, evidence: list[Evidence], run: Run, low: Evidence | None, *, is_hurt: bool
) -> Candidate:
    """`low`: the hit rate; `is_hurt`: so many keys are gone that its misses are theirs, else others may be behind."""
    evidence = [*evidence, *([] if low is None else [low])]
    facts += "" if low is None else f"; {low.text}"
    return Candidate(
        "cache_evictions",
        "strong" if is_hurt else "moderate",
        facts,
        _ROOM_STEP,
        tuple(evidence),
        share_of_misses(case, low) if is_hurt else None,
        plain=is_hurt,
        since_s=run.since_s,
    )


def _memory(case: Case) -> tuple[Series | None, float | None]:
    limit = case.readings.get("redis", "memory_limit_bytes")
    most = None if limit is None or not len(limit.values) else float(limit.values[-1])
    return case.readings.get("redis", "used_memory_bytes"), most or None


def _fullness(case: Case, memory: Series | None, limit: float | None) -> list[Evidence]:
    used = case.mean(memory, case.load)
    if memory is None or used is None or limit is None:
        return []
    text = f"{shown(used / 2**20)} of {shown(limit / 2**20)} MiB used"
    return [case.evidence(memory, case.load, used, text, limit=limit)]


def late(case: Case) -> list[Candidate]:
    """The cache's server answers late: its PING, the time that slow commands block it, or no answer at all."""
    evidence, since, weight = [], None, 0.0
    ping = case.readings.get("redis", "ping_ms")
    run = sustained(ping, case.load, limits.CACHE_MS, 2)
    busy = _blocked(case)
    silent = _silent(case)
    if ping is not None and run is not None:
        text = f"the slowest PING of each reading took {shown(float(np.mean(run.values)))} ms on average"
        evidence.append(case.evidence(ping, run, run.mean, text, limit=limits.CACHE_MS))
        since, weight = run.since_s, case.share_of_waiting(at_a_time(case, run.span) or 0.0, run.span)
    if busy is not None:
        evidence.append(busy)
        since = since if run is not None else None
    evidence += silent
    is_seen = run is not None and (busy is not None or run.mean >= limits.FELT_MS / 2)
    if not (is_seen or silent or (busy is not None and busy.value >= limits.RELEVANT_SHARE)):
        return []
    if not silent and busy is None and run is not None and _is_starved(case, run):
        return []
    facts = " and ".join(one.text for one in evidence)
    since = silent[0].span.start_s if silent and run is None else since
    weight = max(weight, 0.0 if busy is None else busy.value)
    strength: Strength = "moderate" if run is None and busy is None else "strong"
    known = None if run is None and busy is None else weight
    is_plain = weight >= limits.RELEVANT_SHARE
    return [Candidate("cache_slow", strength, facts, _SLOW_STEP, tuple(evidence), known, plain=is_plain, since_s=since)]


def _is_starved(case: Case, run: Run) -> bool:
    """A machine without a free core answers everything late: then it is not the cache."""
    host = case.mean(case.readings.get("host", "cpu_pct"), run.span)
    return host is not None and host >= 95 and run.mean < limits.FELT_MS


def at_a_time(case: Case, span: Span) -> float | None:
    """Lookups that are waited for at a time, each as long as a PING; not all commands, since scripts count theirs."""
    ping = case.mean(case.readings.first(("redis", "ping_mean_ms"), ("redis", "ping_ms")), span)
    rates = [case.rate_of("redis", f"keyspace_{name}", span) for name in ("hits", "misses")]
    known = [rate for rate in rates if rate is not None]
    return None if ping is None or not known else sum(known) * ping / 1000


def _blocked(case: Case) -> Evidence | None:
    """The share of time for which slow commands block the server, by its own SLOWLOG."""
    seen = [one for one in case.observations if one.get("kind") == "slow_command"]
    start, end = case.load.start_s, case.load.end_s
    times = [(_moment(str(one["ts"])), float(one.get("duration_ms") or 0.0), one) for one in seen]
    inside = [(duration_ms, one) for at_s, duration_ms, one in times if start <= at_s <= end + 5]
    share = sum(duration_ms for duration_ms, _ in inside) / 1000 / case.load.seconds
    if share < limits.SLOW_COMMAND_SHARE or len(inside) < limits.LEAST_ERRORS:
        return None
    worst = max(inside, key=lambda pair: pair[0])
    text = (
        f"{len(inside)} slow commands blocked it for {100 * min(share, 1.0):.0f} % of the time "
        f"(longest {shown(worst[0])} ms: {worst[1].get('command')})"
    )
    instance = str(worst[1].get("instance") or "")
    return Evidence("redis", instance, "slow_commands", min(share, 1.0), "ratio", case.load, text, 0.0, "expected")


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def _silent(case: Case) -> list[Evidence]:
    """The cache's server let the monitoring wait until it gave up, while others answered theirs."""
    silence = case.unanswered("redis", "postgres")
    if silence is None:
        return []
    text = f"the cache's server gave the monitoring no answer for {silence.span.seconds:.0f} s either"
    return [Evidence("redis", "", "ping_ms", silence.span.seconds * 1000, "ms", silence.span, text)]
