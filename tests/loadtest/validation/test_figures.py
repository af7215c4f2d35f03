"""Which figure a limit is judged by."""

from typing import Any

import pytest

from include.loadtest.profile import Slo
from include.loadtest.validation.figures import judged_figure, samples_in, warning_limit

pytestmark = pytest.mark.unit

P95 = Slo(metric="latency_p95_ms", comparator="<", limit=3000)
CPU = Slo(metric="host_cpu_pct", comparator="<=", limit=80)


def figure(slo: Slo, *rows: dict[str, Any], shares_host: bool = False) -> Any:
    return judged_figure(slo, {"metrics": list(rows)}, shares_host=shares_host)


def test_the_point_value_decides_where_there_is_one(row: Any) -> None:
    """The largest row is beside the point then."""
    found = figure(P95, row("latency_p95_ms", 2999.0, max=9000.0, low_95=100.0))
    assert (found.judged, found.observed, found.n) == (2999.0, 2999.0, 1000)


@pytest.mark.parametrize(
    ("largest", "bound", "judged"),
    [
        (2999.0, 100.0, 2999.0),
        (3000.0, 100.0, None),
        (9000.0, 2999.0, None),
        (9000.0, 3000.0, 3000.0),
        (9000.0, None, None),
    ],
)
def test_few_rows_judge_only_what_they_prove(
    row: Any, largest: float, bound: float | None, judged: float | None
) -> None:
    """Met if even the largest row meets the limit, missed if the lower bound misses it, else unknown."""
    found = figure(P95, row("latency_p95_ms", None, 7, max=largest, low_95=bound))
    assert (found.judged, found.observed) == (judged, judged)


def test_a_row_that_is_not_there_is_unknown(row: Any) -> None:
    """Nor is one of another scope or phase taken for it."""
    found = figure(
        P95, row("latency_p95_ms", 1.0, phase="ramp_up"), row("latency_p95_ms", 1.0, scope="scenario:simple_query")
    )
    assert (found.judged, found.observed, found.n, found.required) == (None, None, 0, True)


def test_a_growth_is_judged_by_its_point_value_and_required_by_nobody(row: Any) -> None:
    """Its interval only says how close it is; a hold too short for one has no row, which is no reason against a run."""
    growth = Slo(metric="redis_memory_growth_pct_per_h", comparator="<=", limit=5, level="warning")
    found = [
        figure(growth, row(growth.metric, value, 120, ci_low=low, ci_high=high))
        for value, low, high in ((4.0, 3.0, 6.0), (7.0, 6.0, 8.0), (-9.0, -10.0, -8.0))
    ]
    assert [(one.judged, one.close) for one in found] == [(4.0, True), (7.0, False), (-9.0, False)]
    absent = figure(growth)
    assert (absent.judged, absent.n, absent.required) == (None, 0, False)


def test_the_figures_of_a_shared_host_are_shown_and_not_judged(row: Any) -> None:
    """Nor are they required; those of the target's own servers are judged as ever."""
    found = figure(CPU, row("host_cpu_pct", 99.0), shares_host=True)
    assert (found.judged, found.observed, found.required) == (None, 99.0, False)
    connections = Slo(metric="postgres_connections", comparator="<=", limit=80)
    assert figure(connections, row("postgres_connections", 99.0), shares_host=True).judged == 99.0
    assert figure(CPU, row("host_cpu_pct", 99.0)).judged == 99.0


@pytest.mark.parametrize(
    ("low", "high", "largest", "close"),
    [
        (2000.0, 2900.0, 9e3, False),
        (2900.0, 3000.0, 9e3, True),
        (2900.0, None, 9e3, True),
        (2900.0, None, 2960.0, False),
        (3001.0, None, 9e3, False),
        (None, None, None, False),
    ],
)
def test_close_is_an_interval_around_the_limit(row: Any, low: Any, high: Any, largest: Any, close: bool) -> None:
    """An upper end without enough rows is the largest row; no interval at all says nothing."""
    found = figure(P95, row("latency_p95_ms", 2950.0, ci_low=low, ci_high=high, max=largest))
    assert found.close is close


def test_the_margin_is_exact_decimal() -> None:
    """10 % below 5000, above 1000, below 0.01; none for a warning, for a limit of 0, or without a margin."""
    assert warning_limit(Slo(metric="latency_p95_ms", comparator="<", limit=5000), 0.1) == 4500
    assert warning_limit(Slo(metric="throughput_rpm", comparator=">", limit=1000), 0.1) == 1100
    assert warning_limit(Slo(metric="error_rate", comparator="<", limit=0.01), 0.1) == 0.009
    assert warning_limit(Slo(metric="error_rate", comparator="<=", limit=0.0), 0.1) is None
    assert warning_limit(Slo(metric="error_rate", comparator="<", limit=0.01, level="warning"), 0.1) is None
    assert warning_limit(P95, 0.0) is None


def test_requests_are_seen_whatever_their_outcome(row: Any) -> None:
    """Only failed or only censored requests are requests all the same."""
    assert samples_in({"metrics": [row("latency_p50_ms", None, 0), row("error_rate", 1.0, 3)]}, "hold") == 3
    assert samples_in({"metrics": [row("latency_p50_ms", None, 2), row("error_rate", None, 0)]}, "hold") == 2
    assert samples_in({"metrics": [row("host_cpu_pct", 5.0, 9)]}, "hold") == 0
    assert samples_in({"metrics": [row("error_rate", 1.0, 3, phase="ramp_up")]}, "hold") == 0


EXPORT = Slo(metric="gdpr_export_s", comparator="<", limit=60)
AT_ONCE = Slo(metric="documents_at_once", comparator=">=", limit=20)


def test_a_requirement_that_failed_is_above_any_limit_and_shows_no_figure(row: Any) -> None:
    """Its attempt has no duration, and is no missing data either."""
    found = figure(EXPORT, row("gdpr_export_s", None, 1, failed=1))
    assert (found.judged, found.observed, found.n, found.required) == (float("inf"), None, 1, True)


def test_a_requirement_that_is_not_exposed_is_neither_judged_nor_required(row: Any) -> None:
    """While one that was not measured is required all the same."""
    found = figure(EXPORT, row("gdpr_export_s", None, 0, not_exposed="GET /x: HTTP 404"))
    assert (found.judged, found.required) == (None, False)
    unmeasured = figure(EXPORT, row("gdpr_export_s", None, 0, not_exposed=None))
    assert (unmeasured.judged, unmeasured.required) == (None, True)


def test_documents_at_once_have_no_margin() -> None:
    """No more come than the limit and one, so nothing could be well above it."""
    assert warning_limit(AT_ONCE, 0.1) is None
    assert warning_limit(EXPORT, 0.1) == 54
