"""Bundles as the pages find them: concluded, running, of a suite."""

from pathlib import Path
from typing import Any

from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile

AT = "http://localhost:8080"
"""Where the runs' Airflow is, as the tests' own has no address of its own."""


def dag_run_page(dag_id: str, dag_run_id: str) -> str:
    """The address of a DAG run as a manifest has it."""
    return f"{AT}/dags/{dag_id}/runs/{dag_run_id}"


def begun_run(results: Path, run_id: str, **manifest: Any) -> Bundle:
    """A run without a verdict; its profile is what its id begins with."""
    bundle = Bundle(results / run_id)
    profile = load_profile(find_profile(run_id.split("-")[0])).model_dump(mode="json")
    started = "2026-11-20T10:00:00.000000Z"
    bundle.update_manifest(**({"profile": profile, "target": {"name": "demo"}, "started": started} | manifest))
    return bundle


def concluded_run(
    results: Path, run_id: str, verdict: str = "PASS", reasons: tuple[tuple[str, str], ...] = (), **manifest: Any
) -> Bundle:
    """A run with its verdict; `reasons`: code and text."""
    bundle = begun_run(results, run_id, **manifest)
    found = [{"code": code, "text": text} for code, text in reasons]
    bundle.write("verdict.json", {"schema": 1, "run_id": run_id, "verdict": verdict, "reasons": found, "slos": []})
    return bundle


def begun_suite(results: Path, suite_run_id: str, *profiles: str, **manifest: Any) -> Bundle:
    """A suite without a verdict."""
    bundle = Bundle(results / suite_run_id)
    suite = {"name": "weekly", "title": "Weekly suite", "runs": [{"profile": name} for name in profiles]}
    bundle.update_manifest(suite=suite, target={"name": "demo"}, started="2026-11-20T10:00:00.000000Z", **manifest)
    return bundle


def concluded_suite(results: Path, suite_run_id: str, verdict: str, runs: dict[str, str]) -> Bundle:
    """A suite with suite.json; `runs`: verdicts by run id."""
    bundle = begun_suite(results, suite_run_id, *(run_id.split("-")[0] for run_id in runs))
    rows = [{"run_id": one, "profile": one.split("-")[0], "verdict": word} for one, word in runs.items()]
    bundle.write("suite.json", {"schema": 1, "suite": "weekly", "verdict": verdict, "runs": rows})
    return bundle
