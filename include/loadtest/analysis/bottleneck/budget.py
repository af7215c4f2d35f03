"""Where the time of a request goes: Little's law between the layers.

What is in a layer on average, divided by the requests that end a second, is the time that a request spends in it
(Little 1961, Operations Research 9, 383-387): no layer has to be traced.
"""

from collections.abc import Mapping
from typing import Any

from include.loadtest.analysis.bottleneck.cache import at_a_time as cache_at_a_time
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.llm import at_a_time
from include.loadtest.analysis.bottleneck.processor import app_cores
from include.loadtest.analysis.bottleneck.series import Series

LAYERS = ("cpu", "database", "locks", "llm", "cache")
_NEEDED = frozenset({"cpu", "database", "llm"})
"""Without one of these the rest of the time is not known to be elsewhere."""


def in_layers(case: Case) -> dict[str, float]:
    """How much is in each measured layer at a time: cores, statements, waits, calls."""
    span = case.window
    waiting = case.readings.first(("postgres", 'waiting_backends{type="Lock"}'), ("postgres", "lock_waits"))
    locks = case.mean(waiting, span)
    statements_ms = case.rate_of("postgres", "statement_exec_ms", span)
    found: Mapping[str, float | None] = {
        "cpu": case.mean(_cpu(case), span),
        "database": None if statements_ms is None else max(0.0, statements_ms / 1000 - (locks or 0.0)),
        "locks": locks,
        "llm": at_a_time(case, span),
        "cache": cache_at_a_time(case, span),
    }
    return {layer: value for layer in LAYERS if (value := found[layer]) is not None}


def _cpu(case: Case) -> Series | None:
    return case.readings.get("process", "app_cpu_cores") or app_cores(case)


def time_budget(case: Case) -> list[dict[str, Any]]:
    """Time a request by layer, in ms, and its share of all; [] where nothing ended.

    A layer holds at most what users wait for. The sum may still be more: work goes on for users who have given up, and
    work in two layers at once (a call of the LLM in an open transaction) counts in both.
    """
    if case.per_s <= 0 or case.in_flight <= 0:
        return []
    layers = {layer: min(value, case.in_flight) for layer, value in in_layers(case).items()}
    rest = case.in_flight - sum(layers.values())
    if layers.keys() >= _NEEDED and rest > 0:
        layers["elsewhere"] = rest
    return [
        {
            "layer": layer,
            "ms_per_request": 1000 * value / case.per_s,
            "share": value / case.in_flight,
        }
        for layer, value in layers.items()
    ]
