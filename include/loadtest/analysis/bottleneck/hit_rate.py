"""How much the cache finds, whether that is less than it should be, and what it costs the requests."""

from dataclasses import dataclass

import numpy as np

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.counters import grown
from include.loadtest.analysis.bottleneck.llm import at_a_time
from include.loadtest.analysis.bottleneck.model import Evidence, Span

LEAST_LOOKUPS = 20
"""Fewer say nothing."""
_USUAL_NEW_SHARE = 0.15
"""Of the questions, new ones: the specification's hit rate is one of a cache under its own mix of questions."""


@dataclass(frozen=True)
class HitRate:
    """Share of lookups that were found in a span."""

    value: float
    lookups: float

    @property
    def most(self) -> float:
        """Upper end of its 95 % interval (Wilson 1927): few lookups prove no fall."""
        z2 = 1.96**2
        half = 1.96 * float(np.sqrt(self.value * (1 - self.value) / self.lookups + z2 / (4 * self.lookups**2)))
        return (self.value + z2 / (2 * self.lookups) + half) / (1 + z2 / self.lookups)


def hit_rate(case: Case, span: Span | None) -> HitRate | None:
    """None without enough lookups to say something."""
    hits, misses = (case.readings.get("redis", f"keyspace_{name}") for name in ("hits", "misses"))
    if span is None or hits is None or misses is None:
        return None
    found, lookups = grown(hits, span).amount, grown(hits, span).amount + grown(misses, span).amount
    return HitRate(found / lookups, lookups) if lookups >= LEAST_LOOKUPS else None


def expected_rate(case: Case) -> float:
    """What the hit rate should reach: the specification's, or less where the profile asks many new questions.

    A cache that finds `limits.HIT_RATE` of all lookups where the usual share of them is new finds the same part of
    those that are not.
    """
    return min(limits.HIT_RATE, limits.HIT_RATE * (1 - case.profile.questions.new_share) / (1 - _USUAL_NEW_SHARE))


def fallen(case: Case, event: Span) -> Evidence | None:
    """A hit rate that is lower since an event than before it."""
    earlier, since = _around(case, event)
    return _below(case, since, earlier, "before that")


def knows_both(case: Case, event: Span) -> bool:
    """Whether the hit rates before and since an event are known."""
    return all(hit_rate(case, span) is not None for span in _around(case, event))


def _around(case: Case, event: Span) -> tuple[Span, Span]:
    return Span(case.load.start_s, event.start_s), Span(event.start_s, case.load.end_s)


def low_rate(case: Case) -> Evidence | None:
    """A hit rate below what it was before latencies rose, than expected, or than in the last comparable run."""
    found = _below(case, case.window, case.before, "before latencies rose")
    now, expected = hit_rate(case, case.window), expected_rate(case)
    if found is not None or now is None:
        return found
    if now.most < expected:
        return _rate_evidence(case, case.window, now, expected, "expected")
    reference = case.reference.get("cache_hit_rate")
    if reference is not None and now.most <= reference - limits.HIT_DROP / 2:
        return _rate_evidence(case, case.window, now, reference, "last comparable run")
    return None


def _below(case: Case, span: Span, earlier: Span | None, comparison: str) -> Evidence | None:
    now, before = hit_rate(case, span), hit_rate(case, earlier)
    if now is None or before is None or now.most > before.value - limits.HIT_DROP / 2:
        return None
    return _rate_evidence(case, span, now, before.value, comparison)


def _rate_evidence(case: Case, span: Span, now: HitRate, compared: float, comparison: str) -> Evidence:
    text = f"{100 * now.value:.0f} % of the lookups were found ({comparison}: {100 * compared:.0f} %)"
    series = case.readings.get("redis", "keyspace_hits")
    instance = "" if series is None else series.instance
    return Evidence("redis", instance, "hit_rate", now.value, "ratio", span, text, compared, comparison)


def share_of_misses(case: Case, low: Evidence | None) -> float | None:
    """The share of the requests' time in calls of the LLM that a usual hit rate would have spared, where known."""
    calls = None if low is None else at_a_time(case, low.span)
    if low is None or calls is None or low.compared_with is None or low.value >= 1:
        return None
    spared = max(0.0, low.compared_with - low.value) / (1 - low.value)
    return case.share_of_waiting(calls * spared, low.span)
