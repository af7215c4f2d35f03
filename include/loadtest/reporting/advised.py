"""What a diagnosis recommends, as a run's report and a review show it. Pure."""

from collections.abc import Mapping
from typing import Any

from include.loadtest.reporting.markdown import plain, section, table

Row = Mapping[str, Any]

_HEADER = ("change", "component", "now", "priority", "cost", "effort", "improvement", "because")
_ASSUMED = "the document's assumption"
_NO_PROMISE = (
    "An improvement is what the named model predicts, with its 95 % interval; the document's own gains are assumptions."
)


def recommendations_section(report: Row) -> str:
    """The section of a run's report; empty where its diagnosis recommends nothing."""
    entries = (report.get("diagnosis") or {}).get("recommendations") or ()
    rows = [_row(entry) for entry in entries]
    return section("Recommendations", table(_HEADER, rows), _NO_PROMISE) if rows else ""


def _row(entry: Row) -> tuple[str, ...]:
    assumed = entry.get("documents_assumption")
    improvement = plain(entry["improvement"]) + (f" ({_ASSUMED}: {plain(assumed)})" if assumed else "")
    return (
        plain(entry["recommended"]),
        plain(entry["component"]),
        plain(entry["current"]),
        entry["priority"],
        plain(entry["cost"]),
        entry["effort"],
        improvement,
        plain(entry["trigger"]),
    )


def review_changes_section(review: Row) -> str:
    """What the runs' diagnoses recommend to change, and what only people can review."""
    rows = [(plain(entry["profile"]), *_row(entry)) for entry in review["changes"]]
    by_hand = "; ".join(plain(text) for text in review["manual_review"])
    return section(
        "What to change",
        table(("profile", *_HEADER), rows) or "No run's diagnosis recommends a change.",
        _NO_PROMISE if rows else "",
        f"Left to a manual review, since no load test shows whether it helps: {by_hand}." if by_hand else "",
    )
