"""What the pictures of a run's page are drawn from, as one document of JSON; bounded, however long the run."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.reporting.alerts import shown_alerts
from include.loadtest.reporting.distribution import distributions
from include.loadtest.reporting.resource_series import resource_series
from include.loadtest.reporting.sample_counts import SampleCounts, count_samples
from include.loadtest.reporting.slowest import slowest_requests
from include.loadtest.reporting.timeline import Single, Timeline, timeline_of

MOST_WINDOWS = 300
MOST_SINGLES = 2_000
_LATENCIES = ("p50", "p95", "p99", "max")
Row = Mapping[str, Any]


def chart_data(bundle: Bundle) -> dict[str, Any] | None:
    """The document; None where the bundle has no sample that can be read. Times are seconds since 1970 (UTC).

    `t` are the starts of windows of `width_s`; `latency`, `rate`, `failed` and `n` have a value for each, null for
    unknown. `latency` has percentiles exact or at most 1 % above, of requests that were wanted in the window, each with
    whether it is a lower bound (`_is_bound`); `rate` and `failed` are what ended in it. `singles` are `[t, ms,
    is_bound]` of windows with too few requests: of more than MOST_SINGLES the slowest. `users`, `resources`: see
    `resource_series`; `scenarios`: see `distribution`; `slowest`: see that module. `stalls` are those that are longer
    than the profile allows; `alerts` are those that `shown_alerts` chooses, with null as end where they were on when
    the load ended. `unreadable_parts`: of the samples, wholly or in a column that something here is made of.
    """
    counts = count_samples(bundle, MOST_WINDOWS)
    if counts is None:
        return None
    timeline = timeline_of(counts)
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    rows = bundle.read(run.METRICS)["metrics"] if bundle.has(run.METRICS) else []
    resources, users = resource_series(bundle, timeline.start_us / 1e6, timeline.end_us / 1e6)
    has_traces = manifest.get(run.TRACE_IDS) == run.TRACE_IDS_OF_ITERATIONS
    slowest, damaged = slowest_requests(counts, bundle.run_id, has_traces=has_traces)
    return {
        "schema": 1,
        **_of_time(timeline, counts),
        "unreadable_parts": len(damaged.union(counts.unreadable)),
        "users": users,
        "stalls": _stalls(rows, (manifest.get("profile") or {}).get("stall_limit_s")),
        "alerts": _alerts(bundle),
        "resources": resources,
        "scenarios": distributions(counts, rows),
        "slowest": slowest,
    }


def _of_time(timeline: Timeline, counts: SampleCounts) -> dict[str, Any]:
    def column(name: str) -> list[Any]:
        return [getattr(window, name) for window in timeline.windows]

    return {
        "start_s": timeline.start_us / 1e6,
        "width_s": timeline.width_s,
        "rows": counts.rows,
        "t": [window.start_us / 1e6 for window in timeline.windows],
        "latency": {f"{name}_{of}": column(f"{name}_{of}") for name in _LATENCIES for of in ("ms", "is_bound")},
        "rate": {name: [_rounded(value) for value in column(name)] for name in ("ok_rpm", "failed_rpm")},
        "failed": column("failed"),
        "n": column("rows"),
        "singles": [[one.start_us / 1e6, one.latency_ms, one.is_bound] for one in _shown(timeline.singles)],
        "spans": [
            {"phase": span.phase, "start_s": span.start_us / 1e6, "end_s": span.end_us / 1e6} for span in timeline.spans
        ],
    }


def _shown(singles: Sequence[Single]) -> Sequence[Single]:
    if len(singles) <= MOST_SINGLES:
        return singles
    slowest = sorted(singles, key=lambda one: -one.latency_ms)[:MOST_SINGLES]
    return sorted(slowest, key=lambda one: one.start_us)


def _stalls(rows: Sequence[Row], limit_s: float | None) -> list[dict[str, float]]:
    """The longest stall of each phase where it is over the limit of the run's profile."""
    return [
        {"start_s": start_s, "end_s": start_s + row["value"]}
        for row in rows
        if row["metric"] == "longest_stall_s" and row.get("from") is not None and limit_s is not None
        if row["value"] > limit_s
        for start_s in [_seconds(row["from"])]
    ]


def _alerts(bundle: Bundle) -> list[dict[str, Any]]:
    alerts, _ = shown_alerts(bundle.read(run.ALERTS)["alerts"] if bundle.has(run.ALERTS) else [])
    return [
        {
            "id": alert["id"],
            "start_s": _seconds(alert["since"]),
            "end_s": None if alert["until"] is None else _seconds(alert["until"]),
            "text": alert["text"],
            "severity": alert["severity"],
        }
        for alert in alerts
    ]


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
