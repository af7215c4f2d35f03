"""Thresholds that were crossed while the load was sent: each told in one line, and a section of the summary. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.loadtest.profile.thresholds import Threshold
from include.loadtest.reporting.markdown import bullets, figure, moment, page_link, plain, section, table

SHARED_HOST = "shared host, for information only: the load generator runs on this machine too"
NONE_CROSSED = "No threshold was crossed for long enough while the load was sent."

Row = Mapping[str, Any]


def alert_text(threshold: Threshold, value: float, *, shared_host: bool) -> str:
    """What crossed which limit, in one line; `value` is the worst so far."""
    limit = f"{threshold.comparator} {figure(threshold.limit, threshold.unit)} for {threshold.for_s} s"
    text = f"{threshold.metric} at {figure(value, threshold.unit)} (alert: {limit})"
    return f"{text}; {SHARED_HOST}" if shared_host else text


def alerts_section(report: Row) -> str:
    """The alerts of a run, and what was not watched; empty for a run without a watch, as of an earlier release."""
    document, dag_run = report.get("alerts"), (report.get("manifest") or {}).get("dag_run")
    if document is None:
        return ""
    rows = (
        (
            alert["severity"],
            plain(alert["text"]),
            moment(alert["since"]),
            _until(alert),
            page_link(dag_run, alert["page"]),
        )
        for alert in document["alerts"]
    )
    fault, unknown = document.get("fault"), ", ".join(document["without_data"])
    notes = [f"Not watched, as there were no figures: {unknown}"] if unknown else []
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
