"""The JSON report: one document with all that a run concluded."""

from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.reporting.summary import summary_markdown
from include.loadtest.verdict import REASON_CODES

SENTENCES = {
    "PASS": "All limits held and the test was valid.",
    "WARN": "All critical limits held; something is close to its limit or a warning limit was crossed.",
    "SLA_BREACH": "At least one critical limit was missed.",
    "REGRESSION": "The limits held, but the product got slower than its baseline.",
    "ABORTED": "The run was stopped before its end.",
    "INCONCLUSIVE": "The test says nothing about the product: repair what the reasons name, then run it again.",
}


def build_report(bundle: Bundle, not_configured: tuple[str, ...] = ()) -> dict[str, Any]:
    """All conclusions of a run. `not_configured`: optional services that this run did without."""
    verdict = bundle.read(run.VERDICT)
    return {
        "schema": 1,
        "run_id": bundle.run_id,
        "verdict": verdict["verdict"],
        "sentence": SENTENCES[verdict["verdict"]],
        "reasons": [{**reason, "action": REASON_CODES[reason["code"]].action} for reason in verdict["reasons"]],
        "slos": verdict["slos"],
        "manifest": _read(bundle, run.MANIFEST),
        "metrics": (_read(bundle, run.METRICS) or {}).get("metrics", []),
        "errors": _read(bundle, run.ERRORS),
        "comparison": _read(bundle, run.COMPARISON),
        "not_configured": list(not_configured),
        "not_measured": _not_measured(bundle),
    }


def write_reports(bundle: Bundle, now: datetime, not_configured: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write the JSON report and the Markdown summary under their documented names; returns the report."""
    report = build_report(bundle, not_configured)
    stamp = run.report_stamp(now)
    bundle.write(f"load_test_report_{stamp}.json", report)
    bundle.write_text(f"load_test_summary_{stamp}.md", summary_markdown(report))
    return report


def _read(bundle: Bundle, name: str) -> dict[str, Any] | None:
    return bundle.read(name) if bundle.has(name) else None


def _not_measured(bundle: Bundle) -> list[str]:
    """Figures of scope `all` in the hold that should be there and are not."""
    document = _read(bundle, run.METRICS)
    if document is None:
        return ["everything: the run has no metrics"]
    return [
        row["metric"]
        for row in document["metrics"]
        if row["scope"] == "all" and row["phase"] == "hold" and row["value"] is None
    ]
