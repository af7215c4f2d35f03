"""The JSON report: one document with all that a run concluded."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile.vocabulary import CORRECTED_METRICS, NOT_EXPOSED
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting import baseline
from include.loadtest.reporting.meaning import statement_of
from include.loadtest.reporting.steps import LOOKED_FOR
from include.loadtest.reporting.summary import summary_markdown

SENTENCES = {
    "PASS": "All limits held and the test was valid.",
    "WARN": "All critical limits held, with a warning.",
    "SLA_BREACH": "At least one critical limit was missed.",
    "REGRESSION": "The limits held, but the product got slower than its baseline.",
    "ABORTED": "The run was stopped before its end.",
    "INCONCLUSIVE": "The test says nothing about the product: repair what the reasons name, then run it again.",
}


def build_report(bundle: Bundle, not_configured: tuple[str, ...] = ()) -> dict[str, Any]:
    """All conclusions of a run. `not_configured`: optional services that this run did without.

    `meaning`: the profile's words for the verdict (see `meaning.Statement`), null where it has none. `stages`: steps of
    the load. `alerts`: thresholds that were crossed during the load, null where nothing watched it. `baseline`: the
    measured single-user baseline beside the document's sample values, null for other runs. `plot`: name of the bundle's
    picture, null without one. `deliveries`: what was to be told where, see `deliveries`.
    """
    verdict = bundle.read(run.VERDICT)
    manifest = _read(bundle, run.MANIFEST)
    metrics = _read(bundle, run.METRICS)
    statement = statement_of(manifest or {}, verdict)
    return {
        "schema": 1,
        "run_id": bundle.run_id,
        "verdict": verdict["verdict"],
        "sentence": SENTENCES[verdict["verdict"]],
        "meaning": None if statement is None else statement.document(),
        "reasons": [_explained(reason) for reason in verdict["reasons"]],
        "slos": verdict["slos"],
        "manifest": manifest,
        "metrics": (metrics or {}).get("metrics", []),
        "stages": (metrics or {}).get("stages") or [],
        "baseline": _baseline(bundle),
        "errors": _read(bundle, run.ERRORS),
        "alerts": _read(bundle, run.ALERTS),
        "comparison": _read(bundle, run.COMPARISON),
        "diagnosis": _read(bundle, run.DIAGNOSIS),
        "plot": run.PLOT if bundle.has(run.PLOT) else None,
        "deliveries": list((manifest or {}).get("deliveries") or ()),
        "not_configured": list(not_configured),
        "not_measured": _not_measured(manifest, metrics, verdict),
    }


def write_reports(bundle: Bundle, now: datetime, not_configured: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write the JSON report and the Markdown summary under their documented names; returns the report."""
    report = build_report(bundle, not_configured)
    stamp = run.report_stamp(now)
    bundle.write(f"load_test_report_{stamp}.json", report)
    bundle.write_text(f"load_test_summary_{stamp}.md", summary_markdown(report))
    return report


def _explained(reason: Mapping[str, Any]) -> dict[str, Any]:
    """A reason with what a person does about it, and the page below `docs/` that says how."""
    known = REASON_CODES[reason["code"]]
    return {**reason, "action": known.action, "page": known.page}


def _read(bundle: Bundle, name: str) -> dict[str, Any] | None:
    return bundle.read(name) if bundle.has(name) else None


def _baseline(bundle: Bundle) -> dict[str, Any] | None:
    measured = _read(bundle, baseline.FILE)
    return None if measured is None else {"measured": measured, "example": baseline.example()}


def _not_measured(
    manifest: Mapping[str, Any] | None, metrics: Mapping[str, Any] | None, verdict: Mapping[str, Any]
) -> list[str]:
    """Figures of scope `all` that should be there and are not: of the hold, and of each limit of another phase.

    Arrivals on a schedule and checks need no corrected percentiles; what is not exposed is a reason of its own.
    """
    profile = (manifest or {}).get("profile") or {}
    is_uncorrected = profile.get("arrival") is not None or profile.get("checks") is not None
    if metrics is None:
        return ["everything: the run has no metrics"]
    limits = {(slo["metric"], slo["phase"]) for slo in verdict["slos"] if slo["scope"] == "all"}
    return [
        row["metric"] if row["phase"] == "hold" else f"{row['metric']} in {row['phase']}"
        for row in metrics["metrics"]
        if row["scope"] == "all"
        and row["value"] is None
        and (row["phase"] == "hold" or (row["metric"], row["phase"]) in limits)
        and not (row["metric"] in LOOKED_FOR and row.get("looked_up_to") is not None)
        and not (is_uncorrected and row["metric"] in CORRECTED_METRICS)
        and row.get("not_exposed") is None
        and row.get("why") != NOT_EXPOSED
    ]
