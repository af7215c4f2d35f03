"""The page of one run of a suite: its runs with their verdicts, and the review if there is one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from include.loadtest import run
from include.loadtest.errors import InfrastructureError, LoadTestError
from include.loadtest.history.store import runs_of_suite
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.dag_runs import dag_run_of
from include.loadtest.orchestration.web.files import SANDBOX, is_download, latest_review
from include.loadtest.orchestration.web.missing import no_such_run
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.progress import (
    Badge,
    Progress,
    parent_of,
    progress_of,
    suite_badge,
    valid_verdict,
)
from include.loadtest.orchestration.web.sources import (
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
NO_VERDICT = (
    "It left no verdict: none of its runs goes on, and it neither has its target nor waits for it. Open its DAG run in "
    "Airflow: if that has failed, no verdict comes any more, so start the suite again."
)


@dataclass(frozen=True)
class Row:
    """A run of a suite, or a repeat of one: `name` says which."""

    run_id: str
    name: str
    badge: Badge
    started: str | None
    reason: str


@router.get("/suites/{suite_run_id}")
def suite_page(request: Request, suite_run_id: str) -> Response:
    """The page; of a suite whose bundle has gone, its runs in the history."""
    bundle = find_bundle(suite_run_id)
    manifest = None if bundle is None else bundle.document(run.MANIFEST)
    if bundle is None or not isinstance((manifest or {}).get("suite"), dict):
        return _without_bundle(request, suite_run_id)
    assert manifest is not None  # noqa: S101 - it has a suite
    document, names = valid_verdict(bundle.document(FILE)), bundle.names()
    dag_run = dag_run_of(manifest)
    runs = _runs(suite_run_id, document)
    badge = suite_badge(suite_run_id, manifest, document, [progress for _, progress in runs if progress])
    return _page(
        request,
        suite_run_id=suite_run_id,
        title=str(manifest["suite"].get("title") or manifest["suite"].get("name")),
        target=str((manifest.get("target") or {}).get("name") or "–"),
        started=manifest.get("started"),
        badge=badge,
        no_verdict=None if badge.is_verdict or badge.tone == "running" else NO_VERDICT,
        counts=None if document is None else counted(document),
        lines=[_row(line, progress) for line, progress in runs],
        airflow=None if dag_run is None else dag_run.address(request),
        files=[name for name in names if is_download(name)],
        has_review=latest_review(names) is not None,
        faults=[(name, str(fault.get("text"))) for name, fault in (manifest.get("faults") or {}).items()],
    )


def _page(request: Request, **values: Any) -> Response:
    return render(request, "suite.html.jinja", active="overview", sandbox=SANDBOX, **values)


def _runs(suite_run_id: str, document: Mapping[str, Any] | None) -> list[tuple[Line, Progress | None]]:
    """The suite's runs in their order, each with its repeats: of suite.json, and before it is there those that began.

    With suite.json all is over, so nothing is asked of any progress.
    """
    together = [run_id for run_id in _together(suite_run_id, document) if run_id != suite_run_id]
    repeats = [run_id for run_id in together if parent_of(run_id)]
    if document is not None:
        rows = (entry for entry in document.get("runs") or () if isinstance(entry, dict))
        lines = [_line(run_id) for row in rows if is_id(run_id := str(row.get("run_id")))]
    else:
        began = (_line(run_id) for run_id in together if parent_of(run_id) is None)
        lines = sorted(began, key=lambda line: line.started or "")
    ordered = [line for own in lines for line in (own, *map(_line, repeats_of(own.run_id, repeats)))]
    now = datetime.now(UTC)
    return [(line, None if document else progress_of(bundle_here(line.run_id), now)) for line in ordered]


def _line(run_id: str) -> Line:
    return bundle_line(bundle_here(run_id))


def repeats_of(run_id: str, repeats: Sequence[str]) -> list[str]:
    """Those of one run, its own first, then those of the current release, by their numbers."""
    own = [repeat for repeat in repeats if parent_of(repeat) == run_id]
    return sorted(own, key=lambda repeat: ("-current" in repeat, len(repeat), repeat))


def _together(suite_run_id: str, document: Mapping[str, Any] | None) -> Sequence[str]:
    """What began with the suite; where suite.json names its runs, a listing that fails costs only their repeats."""
    try:
        return started_together(suite_run_id)
    except InfrastructureError:
        if document is None:
            raise
        return ()


def _row(line: Line, progress: Progress | None) -> Row:
    badge = _badge(line.verdict) if progress is None else progress.badge
    parent = parent_of(line.run_id)
    name = line.name if parent is None else f"{line.run_id.removeprefix(parent)[1:]} of {parent.split('-')[0]}"
    reason = line.reason if progress is None or progress.verdict is not None else progress.state.text
    return Row(line.run_id, name, badge, line.started, reason)


def _badge(verdict: str | None) -> Badge:
    """Of what has ended."""
    is_verdict = verdict in set(Verdict)
    return Badge(str(verdict), str(verdict).lower(), True) if is_verdict else Badge("no verdict", "inconclusive", False)


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
        badge=_badge(str(worst(words)) if words else None),
        no_verdict=None,
        counts=None,
        lines=[
            Row(row["run_id"], row["profile"], _badge(row["verdict"]), row["started"].isoformat(), "") for row in rows
        ],
        airflow=None,
        files=[],
        has_review=False,
        faults=[("bundle", "the suite's own bundle has gone; this is what the history has of its runs")],
    )
