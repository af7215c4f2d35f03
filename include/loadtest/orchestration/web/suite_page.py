"""The page of one run of a suite: its runs with their verdicts, and the review if there is one."""

from typing import Any

from fastapi import APIRouter, Request, Response

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.history.store import runs_of_suite
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.dag_runs import dag_run_of
from include.loadtest.orchestration.web.files import SANDBOX, is_download, latest_review
from include.loadtest.orchestration.web.missing import no_such_run
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.sources import (
    StoredBundle,
    bundle_here,
    find_bundle,
    history,
    is_id,
    started_together,
)
from include.loadtest.orchestration.web.told import Line, bundle_line, counted
from include.loadtest.reporting.suite import FILE
from include.loadtest.verdict import Verdict, worst

router = APIRouter(dependencies=[READS])


@router.get("/suites/{suite_run_id}")
def suite_page(request: Request, suite_run_id: str) -> Response:
    """The page; of a suite whose bundle has gone, its runs in the history."""
    bundle = find_bundle(suite_run_id)
    manifest = None if bundle is None else bundle.document(run.MANIFEST)
    if bundle is None or not isinstance((manifest or {}).get("suite"), dict):
        return _without_bundle(request, suite_run_id)
    assert manifest is not None  # noqa: S101 - it has a suite
    document, names = bundle.document(FILE), bundle.names()
    dag_run = dag_run_of(manifest)
    lines = _lines(bundle, document)
    return _page(
        request,
        suite_run_id=suite_run_id,
        title=str(manifest["suite"].get("title") or manifest["suite"].get("name")),
        target=str((manifest.get("target") or {}).get("name") or "–"),
        started=manifest.get("started"),
        verdict=None if document is None else str(document.get("verdict")),
        counts=None if document is None else counted(document),
        lines=lines,
        airflow=None if dag_run is None else dag_run.address(request),
        files=[name for name in names if is_download(name)],
        has_review=latest_review(names) is not None,
        faults=[(name, str(fault.get("text"))) for name, fault in (manifest.get("faults") or {}).items()],
    )


def _page(request: Request, **values: Any) -> Response:
    return render(request, "suite.html.jinja", active="overview", sandbox=SANDBOX, **values)


def _lines(bundle: StoredBundle, document: dict[str, Any] | None) -> list[Line]:
    """The suite's runs in their order: of suite.json, and before it is there those that have begun."""
    if document is not None:
        ids = [str(entry["run_id"]) for entry in document.get("runs") or ()]
    else:
        ids = [run_id for run_id in started_together(bundle.run_id) if run_id != bundle.run_id]
    lines = [bundle_line(bundle_here(run_id)) for run_id in ids if is_id(run_id)]
    return lines if document is not None else sorted(lines, key=lambda line: line.started or "")


def _without_bundle(request: Request, suite_run_id: str) -> Response:
    """From the history alone. Raises HTTPException 404 for a suite that it does not know either."""
    try:
        rows = runs_of_suite(history(), suite_run_id)
    except LoadTestError:
        rows = []
    if not rows:
        raise no_such_run(suite_run_id)
    words = [Verdict(row["verdict"]) for row in rows if row["verdict"] in set(Verdict)]
    return _page(
        request,
        suite_run_id=suite_run_id,
        title=rows[0]["suite"],
        target=rows[0]["target"],
        started=rows[0]["started"],
        verdict=str(worst(words)) if words else None,
        counts=None,
        lines=[
            Line("runs", row["run_id"], row["profile"], row["target"], row["verdict"], row["started"].isoformat(), "")
            for row in rows
        ],
        airflow=None,
        files=[],
        has_review=False,
        faults=[("bundle", "the suite's own bundle has gone; this is what the history has of its runs")],
    )
