"""`python -m experiments.bench.analysis_stages STAGES BUNDLE`: the stages after a load, in a process of their own.

Standard output is a JSON document: `wall_s` and `cpu_s` by stage, and `peak_mb` of the process. What the stages import
is imported beforehand, so it is not in their times; it is in the peak. STAGES: `metrics`, `all`, or `duckdb`, which is
the peer and computes no more than the percentiles.
"""

import json
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile

PERCENTILES = (
    "SELECT phase, scenario, endpoint, quantile_disc(latency_us, [0.5, 0.95, 0.99]), count(*) FROM read_parquet(?) "
    "WHERE outcome IN ('ok', 'timeout', 'censored', 'dropped') "
    "GROUP BY GROUPING SETS ((phase), (phase, scenario), (phase, endpoint))"
)
"""What DuckDB itself says of the same rows, each percentile by phase: all, by scenario, by endpoint."""


class Clock:
    """Times stages."""

    def __init__(self) -> None:
        self.wall_s: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}

    def __call__(self, stage: str, work: Callable[[], Any]) -> Any:
        """Do a stage's work."""
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        result = work()
        self.wall_s[stage] = time.perf_counter() - wall_s
        self.cpu_s[stage] = time.process_time() - cpu_s
        return result

    def document(self) -> dict[str, Any]:
        """What was measured."""
        status = Path("/proc/self/status").read_text(encoding="ascii")
        peak_mb = int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) / 1024
        return {"wall_s": self.wall_s, "cpu_s": self.cpu_s, "peak_mb": peak_mb}


def metrics(bundle: Bundle, profile: Profile, clock: Clock) -> None:
    """metrics.json only."""
    import duckdb  # noqa: F401 - so that it is not in the time
    import pyarrow  # noqa: F401
    import scipy.special  # noqa: F401

    from include.loadtest.metrics.engine import compute_metrics

    clock("metrics", lambda: compute_metrics(bundle, profile))


def every_stage(bundle: Bundle, profile: Profile, clock: Clock) -> None:
    """From the samples to the report that people read."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations  # noqa: F401 - seconds, which every run pays once whatever its size

    from include.loadtest.metrics.errors_table import write_errors
    from include.loadtest.reporting.chart_data import chart_data
    from include.loadtest.reporting.page.report_page import report_html
    from include.loadtest.reporting.report import build_report
    from include.loadtest.validation.conclusion import conclude
    from include.loadtest.validation.suite import validate

    metrics(bundle, profile, clock)
    clock("errors", lambda: write_errors(bundle))
    results, _ = clock("limits", lambda: validate(bundle, profile, shares_host=True))
    clock("verdict", lambda: conclude(bundle, profile, results, []))
    report = clock("report", lambda: build_report(bundle))
    charts = clock("charts", lambda: chart_data(bundle))
    clock("page", lambda: bundle.write_text("report.html", report_html(report, charts)))


def plain_duckdb(bundle: Bundle, _profile: Profile, clock: Clock) -> None:
    """The peer, with DuckDB's own settings. Raises ValueError where its percentiles are not those of metrics.json."""
    import duckdb

    paths = [str(path) for path in sorted(bundle.samples_dir.glob("*.parquet"))]
    with duckdb.connect(":memory:") as opened:
        opened.execute("SET enable_progress_bar = false")
        rows = clock("metrics", lambda: opened.execute(PERCENTILES, [paths]).fetchall())
    if bundle.has(run.METRICS):
        _compare(bundle.read(run.METRICS)["metrics"], rows)


def _compare(own: list[dict[str, Any]], rows: list[tuple[Any, ...]]) -> None:
    known = {(row["phase"], row["scope"], row["metric"]): row["value"] for row in own}
    for phase, scenario, endpoint, values_us, _ in rows:
        scope = f"scenario:{scenario}" if scenario else f"endpoint:{endpoint}" if endpoint else "all"
        for metric, us in zip(("latency_p50_ms", "latency_p95_ms", "latency_p99_ms"), values_us, strict=True):
            if known[phase, scope, metric] not in (None, us / 1000):
                raise ValueError(f"{metric} of {scope} in {phase}: {known[phase, scope, metric]} ms, DuckDB {us} µs")


STAGES = {"metrics": metrics, "all": every_stage, "duckdb": plain_duckdb}


def main(stages: str, path: str) -> None:
    """Print what was measured."""
    bundle = Bundle(Path(path))
    profile = Profile.model_validate_json(json.dumps(bundle.read(run.MANIFEST)["profile"]))
    clock = Clock()
    STAGES[stages](bundle, profile, clock)
    sys.stdout.write(json.dumps(clock.document()) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
