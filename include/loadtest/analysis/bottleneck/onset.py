"""Since when latencies are higher: one change point, found by ranks, so that neither outliers nor scale decide."""

import math
from dataclasses import dataclass

import numpy as np

from include.loadtest.analysis.bottleneck.limits import FELT_MS, SHIFT_FACTOR
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.requests import Array, Flags, Requests
from include.loadtest.analysis.bottleneck.series import ranks

_SIGNIFICANT = 0.005
"""Of all scopes that are looked at together; the means have to differ relevantly besides."""
_LEAST_REQUESTS = 20
_LEAST_EACH = 8
"""Requests before and after."""
ALL, OTHERS, NEW = "all", "requests that do not ask the LLM", "new answers"
_FAR_SLOWER = 5.0
_MOST_OF_IT = 0.7


@dataclass(frozen=True)
class Shift:
    """Latencies of `scope` (an endpoint, ALL, OTHERS or NEW) rose at `at_s` from one mean to another, in ms."""

    scope: str
    at_s: float
    before_ms: float
    after_ms: float
    p: float
    lost_s: float


def change_point(values: Array) -> tuple[int, float, bool]:
    """Where a series splits best into two levels, the probability that chance does it, and whether it rises there.

    Pettitt 1979 (Applied Statistics 28, 126-135): the largest |U| over the splits, p ≈ 2 exp(−6 K² ÷ (n³ + n²)), with
    U from the sum of the ranks before the split. That U favours the middle, so the place is where U by its standard
    deviation is largest. The series has two values or more.
    """
    n = len(values)
    before = np.arange(1, n)
    sums = 2 * np.cumsum(ranks(values))[:-1] - before * (n + 1)
    largest = float(np.abs(sums).max())
    p = min(1.0, 2 * math.exp(-6 * largest**2 / (float(n) ** 3 + float(n) ** 2)))
    weighed = np.abs(sums) / np.sqrt(before * (n - before))
    weighed[np.minimum(before, n - before) < min(_LEAST_EACH, n // 2)] = 0
    split = int(np.argmax(weighed))
    return split + 1, p, bool(sums[split] < 0)


def latency_shift(requests: Requests, span: Span) -> Shift | None:
    """The relevant rise of latencies in a span that costs most time; None without one.

    What is compared are ranks of requests among those to the same endpoint, so that a mix of quick and slow endpoints
    is no noise; what is relevant is judged by the means. New answers of the LLM are slow by nature, so they are looked
    at alone too: among all answers they keep their ranks however slow they get. The narrowest part that explains most
    of the lost time is named.
    """
    own = requests.within(span)
    own = own.chosen(np.asarray(np.argsort(own.start_s, kind="stable")))
    parts = {name: own.endpoint == name for name in own.endpoints}
    place = np.zeros(len(own))
    for rows in parts.values():
        place[rows] = ranks(own.latency_s[rows]) / (int(rows.sum()) + 1)
    scopes = {**parts, NEW: _new_answers(own), OTHERS: ~own.asks_llm, ALL: np.ones(len(own), dtype=np.bool_)}
    tested = {name: rows for name, rows in scopes.items() if int(rows.sum()) >= _LEAST_REQUESTS}
    found = [_shift(name, own.chosen(rows), place[rows]) for name, rows in tested.items()]
    relevant = [one for one in found if one is not None and one.p <= _SIGNIFICANT / len(tested)]
    relevant = [one for one in relevant if one.scope != NEW or _all_rose(own.chosen(own.asks_llm), one.at_s)]
    most = max((one.lost_s for one in relevant), default=0.0)
    return next((one for one in relevant if one.lost_s >= _MOST_OF_IT * most), None)


def _new_answers(own: Requests) -> Flags:
    """Answers that are far slower than the quick ones of what asks the LLM, where there are two such kinds."""
    asking = own.chosen(own.asks_llm)
    quick_ms, slow_ms = asking.quantile_ms(0.2), asking.quantile_ms(0.95)
    if slow_ms < _FAR_SLOWER * quick_ms:
        return np.zeros(len(own), dtype=np.bool_)
    return np.asarray(own.asks_llm & (1000 * own.latency_s >= math.sqrt(quick_ms * slow_ms)))


def _all_rose(asking: Requests, at_s: float) -> bool:
    """Whether answers as a whole took longer too: kept answers that get quick again leave the new ones alone behind."""
    before, after = asking.chosen(asking.start_s < at_s), asking.chosen(asking.start_s >= at_s)
    return after.mean_ms() > before.mean_ms()


def _shift(scope: str, rows: Requests, place: Array) -> Shift | None:
    split, p, rises = change_point(place)
    if not rises or min(split, len(rows) - split) < _LEAST_EACH:
        return None
    at_s = float(rows.start_s[split])
    before, after = rows.chosen(rows.start_s < at_s), rows.chosen(rows.start_s >= at_s)
    before_ms, after_ms = before.mean_ms(), after.mean_ms()
    if after_ms < before_ms + FELT_MS or after_ms < SHIFT_FACTOR * before_ms:
        return None
    return Shift(scope, at_s, before_ms, after_ms, p, (after_ms - before_ms) * len(after) / 1000)
