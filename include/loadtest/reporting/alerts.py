"""Thresholds that were crossed while the load was sent: each told in one line, and a section of the summary. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from include.loadtest.profile.thresholds import Threshold
from include.loadtest.reporting.markdown import bullets, figure, moment, page_link, plain, section, table

SHARED_HOST = "shared host, for information only: the load generator runs on this machine too"
MAX_ALERTS_SHOWN = 100
"""A figure that swings around its limit for hours makes no report large: alerts.json has them all."""
_WORST_FIRST = ("critical", "warning", "info")
NONE_CROSSED = "No threshold was crossed for long enough while the load was sent."

Row = Mapping[str, Any]


def alert_text(threshold: Threshold, value: float, *, shared_host: bool) -> str:
    """What crossed which limit, in one line; `value` is the worst so far."""
    limit = f"{threshold.comparator} {figure(threshold.limit, threshold.unit)} for {threshold.for_s} s"
    text = f"{threshold.metric} at {figure(value, threshold.unit)} (alert: {limit})"
    return f"{text}; {SHARED_HOST}" if shared_host else text


def shown_alerts(alerts: Sequence[Row]) -> tuple[list[Row], int]:
    """At most MAX_ALERTS_SHOWN entries of alerts.json in their order, and how many are left out.

    Of too many the more severe ones stay, of equal severity the earlier ones.
    """
    worst = sorted(range(len(alerts)), key=lambda place: (_WORST_FIRST.index(alerts[place]["severity"]), place))
    kept = sorted(worst[:MAX_ALERTS_SHOWN])
    return [alerts[place] for place in kept], len(alerts) - len(kept)


def alerts_section(report: Row) -> str:
    """The alerts of a run, and what was not watched; empty for a run without a watch, as of an earlier release."""
    document, dag_run = report.get("alerts"), (report.get("manifest") or {}).get("dag_run")
    if document is None:
        return ""
    shown, left_out = shown_alerts(document["alerts"])
    rows = (
        (
            alert["severity"],
            plain(alert["text"]),
            moment(alert["since"]),
            _until(alert),
            page_link(dag_run, alert["page"]),
        )
        for alert in shown
    )
    fault, unknown = document.get("fault"), ", ".join(document["without_data"])
    notes = [f"And {left_out:,} more, no more severe: alerts.json has all"] if left_out else []
    notes += [f"Not watched, as there were no figures: {unknown}"] if unknown else []
    if fault:
        notes.insert(0, f"The watch itself failed, alerts may be missing: {plain(fault)}")
    return section(
        "Alerts during the load (shown, not judged)",
        table(("severity", "alert", "since", "until", "what to do"), rows) or ("" if fault else NONE_CROSSED),
        bullets(notes),
    )


def _until(alert: Row) -> str:
    """With how long it took; an alert without an end was on when the load ended."""
    if alert["until"] is None:
        return "the load's end"
    lasted = datetime.fromisoformat(alert["until"]) - datetime.fromisoformat(alert["since"])
    return f"{moment(alert['until'])} ({lasted.total_seconds():.0f} s)"
