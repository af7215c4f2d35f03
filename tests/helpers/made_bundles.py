"""Bundles of runs that never were: what the change test and the history need of them."""

import math
import random
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.run import utc_text
from tests.helpers.made_runs import made_run


def made_bundle(
    folder: Path,
    run_id: str,
    started: datetime,
    profile: Profile,
    *,
    seed: int,
    factors: Mapping[str, float] | None = None,
    verdict: str = "PASS",
    environment: Mapping[str, Any] | None = None,
) -> Bundle:
    """A concluded run of the made-up system: manifest, metrics and verdict."""
    bundle = Bundle(folder / run_id)
    bundle.write(
        "manifest.json",
        {
            "started": utc_text(started),
            "profile": profile.model_dump(mode="json"),
            "target": {"name": "demo", "shares_host": True},
            "environment": dict(environment or {}),
            "seed": {"usable": [1]},
            "phases": [{"name": "hold", "stage": "hold", "start": utc_text(started), "end": utc_text(started)}],
        },
    )
    write_results(bundle, profile, seed=seed, factors=factors, verdict=verdict)
    return bundle


def write_results(
    bundle: Bundle,
    profile: Profile,
    *,
    seed: int,
    factors: Mapping[str, float] | None = None,
    verdict: str = "PASS",
    stall_s: float = 0.2,
) -> None:
    """What a measured and judged run leaves."""
    bundle.write("metrics.json", {"schema": 1, "metrics": made_rows(seed, factors, stall_s=stall_s)})
    reasons = [] if verdict == "PASS" else [{"code": "generator_died", "text": "made"}]
    bundle.write(
        "verdict.json",
        {
            "schema": 1,
            "run_id": bundle.run_id,
            "suite": None,
            "profile": profile.name,
            "engine": profile.engine,
            "verdict": verdict,
            "reasons": reasons,
            "slos": [],
        },
    )


def made_rows(seed: int, factors: Mapping[str, float] | None = None, *, stall_s: float = 0.2) -> list[dict[str, Any]]:
    """Rows of metrics.json."""
    run = made_run("x", random.Random(seed), factors=factors)
    rows = [
        _row(metric, scope, math.exp(point.log), math.exp(point.log - 0.06), math.exp(point.log + 0.06))
        for scope, points in run.points.items()
        for metric, point in points.items()
    ]
    stall = _row("longest_stall_s", "all", stall_s, None, None) | {"from": "2026-03-01T02:00:00Z", "waiting": 3}
    return [*rows, stall]


def _row(metric: str, scope: str, value: float, low: float | None, high: float | None) -> dict[str, Any]:
    return {
        "metric": metric,
        "scope": scope,
        "phase": "hold",
        "value": value,
        "unit": "s" if metric.endswith("_s") else "ms",
        "n": 200,
        "ci_low": low,
        "ci_high": high,
        "direction": "lower",
    }
