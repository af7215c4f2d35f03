"""Whether a candidate's figure moves with the latencies within the load: beside the order in time, a second witness."""

from dataclasses import replace

import numpy as np

from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence
from include.loadtest.analysis.bottleneck.series import Series, together

LEAST = 0.6
"""Spearman's rank correlation from which on two figures are said to move together."""
_MOSTLY = 0.5
"""Of a counter's steps, those that grow."""


def with_correlation(case: Case, candidate: Candidate) -> Candidate:
    """The candidate with a further piece of evidence, where its first figure moves with the mean latency."""
    first = candidate.evidence[0] if candidate.evidence else None
    series = None if first is None else case.readings.get(first.source, first.metric)
    if first is None or series is None:
        return candidate
    level = _level(series.within(case.load))
    latency = _latency(case, level)
    found = None if latency is None else together(level, latency)
    if found is None or found < LEAST:
        return candidate
    text = f"it moved with the mean latency: rank correlation {found:.2f} over {len(level.values)} readings"
    seen = Evidence(first.source, first.instance, first.metric, found, "correlation", case.load, text)
    return replace(candidate, evidence=(*candidate.evidence, seen))


def _level(series: Series) -> Series:
    """A gauge as it is, a counter as its growth a second."""
    steps = np.diff(series.values)
    is_counter = len(steps) > 0 and bool((steps >= 0).all()) and float((steps > 0).mean()) > _MOSTLY
    return series.rate() if is_counter else series


def _latency(case: Case, level: Series) -> Series | None:
    """Mean latency of the requests that were meant to start between two readings, at the second one."""
    if len(level.at_s) < 2:
        return None
    edges = np.append(level.at_s[0] - np.diff(level.at_s)[0], level.at_s)
    places = np.searchsorted(edges, case.requests.start_s, side="right") - 1
    inside = (places >= 0) & (places < len(level.at_s))
    counts = np.bincount(places[inside], minlength=len(level.at_s))
    sums = np.bincount(places[inside], weights=case.requests.latency_s[inside], minlength=len(level.at_s))
    known = counts > 0
    return level.replaced(level.at_s[known], sums[known] / counts[known], "s")
