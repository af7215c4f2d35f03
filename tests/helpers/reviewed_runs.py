"""Runs of a suite as a review reads them, made up: what a figure is, who was there, and how it was judged."""

from collections.abc import Mapping
from typing import Any

from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.reporting.suite import SuiteEntry
from tests.loadtest.reporting.conftest import judged, manifest_of, reason_of


def hold_row(metric: str, value: float | None, **parts: Any) -> dict[str, Any]:
    """A row of metrics.json for all requests of the hold."""
    known = METRICS[metric]
    row = {"metric": metric, "scope": "all", "phase": "hold", "value": value, "unit": known.unit, "n": 120}
    return {**row, "ci_low": None, "ci_high": None, "direction": known.direction, **parts}


def step(users: int, phase: str = "ramp_up") -> dict[str, Any]:
    """A stage of metrics.json, as far as a review reads it."""
    return {"stage": f"{phase}_{users}", "phase": phase, "users": users}


def reviewed(
    profile: str,
    verdict: str | None = "PASS",
    *,
    rows: tuple[Mapping[str, Any], ...] = (),
    stages: tuple[Mapping[str, Any], ...] = (),
    target: str = "pratikoai",
    codes: tuple[str, ...] = (),
    outcomes: Mapping[str, str] | None = None,
    manifest: Mapping[str, Any] | None = None,
    diagnosis: Mapping[str, Any] | None = None,
) -> ReviewedRun:
    """A run of a committed profile with all limits met but for `outcomes`; `codes` are the reasons of its verdict."""
    made = {**manifest_of(profile, target), **(manifest or {})}
    document = None if verdict is None else judged(made, verdict, **(outcomes or {}))
    if document is not None:
        document["reasons"] = [reason_of(code, f"because of {code}") for code in codes]
    metrics = {"schema": 1, "metrics": list(rows), "stages": list(stages)}
    return ReviewedRun(SuiteEntry(f"{profile}-1", profile, f"/results/{profile}-1", made, document), metrics, diagnosis)
