"""The rows of metrics.json, from figures that are already computed."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from include.loadtest.metrics.figures import Answers, Cell, Distribution, SampleFigures, measure_of
from include.loadtest.metrics.resources import ResourceFigure
from include.loadtest.metrics.stalls import Stall
from include.loadtest.metrics.statistics import poisson_interval, wilson_interval
from include.loadtest.profile.vocabulary import CORRECTED_METRICS, METRICS, PERCENTILES, SCOPE_ALL
from include.loadtest.run import utc_text

Interval = tuple[float | None, float | None]
_NO_INTERVAL: Interval = (None, None)


def cell_rows(figures: SampleFigures, cell: Cell, minutes: float) -> list[dict[str, Any]]:
    """All metrics of the samples for one phase and scope; `minutes` is the phase's length, 0 where it is unknown."""
    outcomes = figures.outcomes.get(cell, {})
    answers = figures.answers.get(cell)
    return [
        *(
            percentile_row(metric, cell, figures.distributions.get((measure_of(metric), cell)))
            for metric in PERCENTILES
            if cell[1] == SCOPE_ALL or metric not in CORRECTED_METRICS
        ),
        error_row(cell, outcomes),
        share_row("rejected_rate", cell, outcomes, outcomes.get("rejected", 0)),
        share_row("dropped_rate", cell, outcomes, outcomes.get("dropped", 0)),
        ungraceful_row(cell, outcomes, figures.refused.get(cell, 0)),
        throughput_row(cell, answers, outcomes, minutes),
        worst_minute_row(cell, answers, outcomes),
    ]


def percentile_row(metric: str, cell: Cell, distribution: Distribution | None) -> dict[str, Any]:
    """A percentile with its three further keys.

    `lower_bound`: a row whose latency is only a lower bound (timeout, censored, dropped) lies at or below the value, or
    below `max` where there is no value: the figure is shown "≥". A time to first token is always measured exactly.
    `max`: the largest row in ms. `low_95`: at least 95 % of such samples have their true percentile at or above this
    (one-sided, by order statistics); null where no row is that low.
    """
    if distribution is None:
        return {**_row(metric, cell, None, 0, _NO_INTERVAL), "lower_bound": False, "max": None, "low_95": None}
    found = distribution.percentiles[metric]
    shown_us = distribution.max_us if found.value_us is None else found.value_us
    least_bound_us = distribution.least_bound_us
    return {
        **_row(metric, cell, _ms(found.value_us), distribution.rows, (_ms(found.low_us), _ms(found.high_us))),
        "lower_bound": least_bound_us is not None and least_bound_us <= shown_us,
        "max": _ms(distribution.max_us),
        "low_95": _ms(found.low_95_us),
    }


def stall_row(phase: str, stall: Stall | None) -> dict[str, Any]:
    """The longest stall of a phase; n is the number of answers that ended in it. No interval: a maximum is no mean.

    `from`: when it began (UTC); `waiting`: requests that were waiting then or began to while it lasted. Null where no
    request was waiting.
    """
    cell = (phase, SCOPE_ALL)
    if stall is None or stall.seconds is None or stall.start_us is None:
        found = _row("longest_stall_s", cell, None, 0 if stall is None else stall.answers, _NO_INTERVAL)
        return {**found, "from": None, "waiting": None}
    row = _row("longest_stall_s", cell, stall.seconds, stall.answers, _NO_INTERVAL)
    return {**row, "from": utc_text(datetime.fromtimestamp(stall.start_us / 1e6, UTC)), "waiting": stall.waiting}


def share_row(metric: str, cell: Cell, outcomes: Mapping[str, int], count: int) -> dict[str, Any]:
    """A share of all requests but the censored ones, whose outcome nobody knows."""
    n = _judged(outcomes)
    if not n:
        return _row(metric, cell, None, 0, _NO_INTERVAL)
    return _row(metric, cell, count / n, n, wilson_interval(count, n))


def error_row(cell: Cell, outcomes: Mapping[str, int]) -> dict[str, Any]:
    """Requests that are not ok."""
    return share_row("error_rate", cell, outcomes, _judged(outcomes) - outcomes.get("ok", 0))


def ungraceful_row(cell: Cell, outcomes: Mapping[str, int], refused: int) -> dict[str, Any]:
    """Requests that are not ok, but for the quick refusals: an overloaded target may say so, if it says so at once."""
    return share_row("ungraceful_error_rate", cell, outcomes, _judged(outcomes) - outcomes.get("ok", 0) - refused)


def throughput_row(cell: Cell, answers: Answers | None, outcomes: Mapping[str, int], minutes: float) -> dict[str, Any]:
    """Ok answers that ended in the phase, by its minutes; n is their count. Null where nothing was asked."""
    if answers is None or not minutes or not (outcomes or answers.count):
        return _row("throughput_rpm", cell, None, 0, _NO_INTERVAL)
    low, high = poisson_interval(answers.count)
    return _row("throughput_rpm", cell, answers.count / minutes, answers.count, (low / minutes, high / minutes))


def worst_minute_row(cell: Cell, answers: Answers | None, outcomes: Mapping[str, int]) -> dict[str, Any]:
    """Ok answers of the worst full minute; n is the number of full minutes. No interval: a minimum is no mean."""
    metric = "throughput_worst_minute_rpm"
    if answers is None or answers.worst_minute is None or not (outcomes or answers.count):
        return _row(metric, cell, None, 0, _NO_INTERVAL)
    return _row(metric, cell, float(answers.worst_minute), answers.full_minutes, _NO_INTERVAL)


def resource_row(metric: str, phase: str, figure: ResourceFigure) -> dict[str, Any]:
    """A figure of a server; n is the number of readings. No interval: readings that follow each other are dependent."""
    return _row(metric, (phase, SCOPE_ALL), figure.value, figure.readings, _NO_INTERVAL)


def probe_row(probes_ms: Sequence[float]) -> dict[str, Any]:
    """A fixed piece of CPU work on the target's host, before and after the load: the mean; n is how often it was done.

    Null where the target's host is another machine.
    """
    value_ms = sum(probes_ms) / len(probes_ms) if probes_ms else None
    return _row("cpu_probe_ms", ("hold", SCOPE_ALL), value_ms, len(probes_ms), _NO_INTERVAL)


def recovery_row(value_s: float | None, windows: int, *, lower_bound: bool) -> dict[str, Any]:
    """How long the recovery took; n is the number of full windows. `lower_bound`: at least this long."""
    row = _row("recovery_time_s", ("recovery", SCOPE_ALL), value_s, windows, _NO_INTERVAL)
    return {**row, "lower_bound": lower_bound}


def users_row(metric: str, users: int | None, steps: int, looked_up_to: int | None) -> dict[str, Any]:
    """Users at which a stepped load first shows something; n is the number of steps that could be judged.

    `looked_up_to`: users of the last of these steps. A null value with it means: not reached up to there.
    """
    value = None if users is None else float(users)
    return {**_row(metric, ("hold", SCOPE_ALL), value, steps, _NO_INTERVAL), "looked_up_to": looked_up_to}


def growth_row(metric: str, value: float | None, minutes: int, interval: Interval) -> dict[str, Any]:
    """A growth over the hold; n is the number of minutes behind it."""
    return _row(metric, ("hold", SCOPE_ALL), value, minutes, interval)


def llm_row(
    metric: str, phase: str, value: float | None, n: int, why: str | None, *, lower_bound: bool
) -> dict[str, Any]:
    """A figure of the LLM's calls; see `llm` for its n. `why`: the reason for a null value."""
    return {**_row(metric, (phase, SCOPE_ALL), value, n, _NO_INTERVAL), "lower_bound": lower_bound, "why": why}


def _judged(outcomes: Mapping[str, int]) -> int:
    return sum(outcomes.values()) - outcomes.get("censored", 0)


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000


def _row(metric: str, cell: Cell, value: float | None, n: int, interval: Interval) -> dict[str, Any]:
    phase, scope = cell
    return {
        "metric": metric,
        "scope": scope,
        "phase": phase,
        "value": value,
        "unit": METRICS[metric].unit,
        "n": n,
        "ci_low": interval[0],
        "ci_high": interval[1],
        "direction": METRICS[metric].direction,
    }
