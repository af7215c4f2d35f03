"""Which figure a limit is judged by. Pure: the judging itself is great-expectations'."""

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from include.loadtest.profile import Slo
from include.loadtest.profile.vocabulary import DOCUMENTS_AT_ONCE, METRICS, SCOPE_ALL, Comparator

_HOLDS: dict[Comparator, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
UNMARGINED_METRICS = frozenset({DOCUMENTS_AT_ONCE})
"""No more come than the limit and one: there is nothing to be well above of."""
HOST_METRICS = frozenset({"host_cpu_pct", "host_memory_pct"})
"""Of the machine as a whole: where the generator runs on it too, they say nothing about the target."""


@dataclass(frozen=True)
class JudgedFigure:
    """One limit and the row of metrics.json it is about.

    `judged` goes to the judge, None where too little is known. `observed` is what a person is shown.
    """

    slo: Slo
    judged: float | None
    observed: float | None
    n: int
    ci_low: float | None
    ci_high: float | None
    largest: float | None
    required: bool

    @property
    def close(self) -> bool:
        """Whether the interval of the point value spans the limit.

        An upper end for which there are too few rows counts as the largest row: a P95 of 7 ms out of 60 rows is not
        close to 3 s, but it is close to a limit that a row has passed.
        """
        high = self.largest if self.ci_high is None else self.ci_high
        if self.judged is None or high is None:
            return False
        return (self.ci_low is None or self.ci_low <= self.slo.limit) and self.slo.limit <= high


def judged_figure(slo: Slo, metrics: Mapping[str, Any], *, shares_host: bool) -> JudgedFigure:
    """The figure that decides about a limit, from the content of metrics.json.

    The point value where there are enough rows for one. With fewer, the limit is met if even the largest row meets it,
    and missed if the one-sided 95 % lower bound of the percentile misses it; between the two nothing is known. A
    requirement of which an attempt failed is missed: `judged` is infinite then. One that the target does not expose is
    not judged, and not required.
    """
    row = _row(slo, metrics)
    value = row.get("value")
    on_foreign_host = shares_host and slo.metric in HOST_METRICS
    judged = None if on_foreign_host else _judged(slo, row)
    is_exposed = row.get("not_exposed") is None
    return JudgedFigure(
        slo=slo,
        judged=judged,
        observed=value if value is not None or judged is None or math.isinf(judged) else judged,
        n=row.get("n", 0),
        ci_low=row.get("ci_low"),
        ci_high=row.get("ci_high"),
        largest=row.get("max"),
        required=slo.is_required and not on_foreign_host and is_exposed,
    )


def _row(slo: Slo, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    wanted = (slo.metric, slo.scope, slo.phase)
    return next((row for row in metrics["metrics"] if (row["metric"], row["scope"], row["phase"]) == wanted), {})


def _judged(slo: Slo, row: Mapping[str, Any]) -> float | None:
    value: float | None = row.get("value")
    if row.get("failed"):
        return math.inf  # it came to no answer: longer than any limit
    holds = _HOLDS[slo.comparator]
    if value is not None:
        # "At least this much" proves a miss, but no limit.
        return None if row.get("lower_bound") and holds(value, slo.limit) else value
    largest: float | None = row.get("max")
    bound: float | None = row.get("low_95")
    if largest is not None and holds(largest, slo.limit):
        return largest
    if bound is not None and not holds(bound, slo.limit):
        return bound
    return None


def warning_limit(slo: Slo, margin: float) -> float | None:
    """Where "near" begins: a critical limit moved by the margin to its good side; None where there is no such range.

    Decimal arithmetic, so that 10 % above 1000 is 1100 and not 1100.0000000000002.
    """
    if slo.level != "critical" or not margin or not slo.limit or slo.metric in UNMARGINED_METRICS:
        return None
    share = Decimal(str(margin))
    lower_is_better = METRICS[slo.metric].direction == "lower"
    return float(Decimal(str(slo.limit)) * (1 - share if lower_is_better else 1 + share))


def samples_in(metrics: Mapping[str, Any], phase: str) -> int:
    """Requests known to lie in a phase, 0 only for none: failed ones have no latency, censored ones no outcome."""
    return max(
        (
            row["n"]
            for row in metrics["metrics"]
            if (row["scope"], row["phase"]) == (SCOPE_ALL, phase) and row["metric"] in ("latency_p50_ms", "error_rate")
        ),
        default=0,
    )
