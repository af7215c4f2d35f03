"""The page of one run: its verdict and what to do, then its report; while it runs, what its load shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TICKET, TICKET_EVENT
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.dag_runs import DagRun, confirm_task, dag_run_of, task_group
from include.loadtest.orchestration.web.files import REPORT, SANDBOX, is_download
from include.loadtest.orchestration.web.links import link
from include.loadtest.orchestration.web.missing import no_such_run
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.progress import Badge, Progress, parent_of, progress_of
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here, find_bundle, history, is_id, run_row
from include.loadtest.orchestration.web.told import document_of, part_of
from include.loadtest.reporting.page.answers import Answers, answers, answers_so_far
from include.loadtest.verdict import Verdict

router = APIRouter(dependencies=[READS])
CHANGES = frozenset({"regression", "regression_suspected"})


@dataclass(frozen=True)
class Place:
    """An address beside the run, and what is there; `in_airflow`: a page of Airflow's own."""

    text: str
    address: str
    in_airflow: bool = False


@router.get("/runs/{run_id}")
def run_page(request: Request, run_id: str) -> Response:
    """The page; of a run whose bundle has gone, what the history has of it."""
    bundle = find_bundle(run_id)
    manifest = None if bundle is None else bundle.document(run.MANIFEST)
    if bundle is None or (manifest is None and not bundle.has(run.LIVE)):
        return _without_bundle(request, run_id)
    manifest = manifest or {}  # where bundles are kept elsewhere, it arrives with the first stage's end
    if isinstance(manifest.get("suite"), dict):
        return RedirectResponse(link(request, "suites", run_id), 302)
    found, names = progress_of(bundle, datetime.now(UTC), manifest), bundle.names()
    title, target = _title_and_target(manifest, found, run_id)
    return render(
        request,
        "run.html.jinja",
        active="overview",
        run_id=run_id,
        title=title,
        target=target,
        started=manifest.get("started"),
        badge=found.badge,
        state=found.state,
        answers=_answers(bundle, found, manifest),
        places=_places(request, bundle, manifest),
        files=[name for name in names if is_download(name)],
        has_report=REPORT in names,
        sandbox=SANDBOX,
        faults=_faults(manifest),
    )


def _name(manifest: dict[str, Any], part: str) -> str:
    return str(part_of(manifest, part).get("name") or "–")


def _title_and_target(manifest: dict[str, Any], found: Progress, run_id: str) -> tuple[str, str]:
    """Of the manifest, else of live.json, which is there sooner; a repeat that was refused has neither."""
    live = found.live or {}
    profile = part_of(manifest, "profile")
    title = profile.get("title") or profile.get("name") or live.get("title") or live.get("profile")
    target = part_of(manifest, "target").get("name") or live.get("target")
    return str(title or run_id.split("-")[0]), str(target or "–")


def _answers(bundle: StoredBundle, found: Progress, manifest: dict[str, Any]) -> Answers | None:
    """None where there is nothing to answer with: no verdict so far."""
    if found.verdict is None:
        return None
    if not found.is_final:
        return answers_so_far(found.verdict, found.state.text, found.state.todo)
    figures = bundle.document(run.METRICS) or {}
    judged = {**found.verdict, "metrics": figures.get("metrics")}
    return answers(judged, manifest, bundle.document(run.DIAGNOSIS))


def _faults(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The stages that failed, with what they said."""
    return [(name, str(fault.get("text"))) for name, fault in (manifest.get("faults") or {}).items()]


def _places(request: Request, bundle: StoredBundle, manifest: dict[str, Any]) -> list[Place]:
    """Where to go on from here; what is not known is left out."""
    profile, target = _name(manifest, "profile"), _name(manifest, "target")
    unknown = "–" in (profile, target)
    comparison = bundle.document(run.COMPARISON) or {}
    previous, suite_run_id = comparison.get("previous_run_id"), manifest.get("suite_run_id")
    issue, parent = issue_of(bundle.run_id), parent_of(bundle.run_id)
    return [
        *_airflow_places(request, bundle, manifest),
        *([Place("The run it belongs to", link(request, "runs", parent))] if parent else []),
        *([Place("Suite", link(request, "suites", str(suite_run_id)))] if suite_run_id else []),
        *(
            []
            if unknown
            else [Place("Compare with the previous run", link(request, "compare", a=bundle.run_id, b=previous))]
        ),
        *([] if unknown else [Place("Trends", link(request, "trends", profile=profile, target=target))]),
        *([Place("GitHub issue", issue)] if issue else []),
    ]


def _airflow_places(request: Request, bundle: StoredBundle, manifest: dict[str, Any]) -> list[Place]:
    """The DAG run, and the log that says most. A repeat was made by its run's task `confirm`, all of it."""
    parent = parent_of(bundle.run_id)
    if parent is not None:
        manifest = document_of(bundle_here(parent), run.MANIFEST) or manifest
    dag_run = dag_run_of(manifest)
    address = None if dag_run is None else dag_run.address(request)
    if dag_run is None or address is None:
        return []
    task = _task(dag_run, manifest) if parent is None else confirm_task(dag_run.dag_id, manifest)
    log = dag_run.address(request, "tasks", task)
    return [Place("Airflow DAG run", address, True), *([Place("Log", log, True)] if log else [])]


def _task(dag_run: DagRun, manifest: dict[str, Any]) -> str:
    """The task whose log says most: the first that failed, else the one that sent the load."""
    suite_run_id = str(manifest.get("suite_run_id") or "")
    within = document_of(bundle_here(suite_run_id), run.MANIFEST) if is_id(suite_run_id) else None
    suite = part_of(within or {}, "suite") if suite_run_id else None
    group = task_group(dag_run.dag_id, suite, _name(manifest, "profile"))
    return group + next(iter(manifest.get("faults") or ()), "run_profile")


def issue_of(run_id: str) -> str | None:
    """The address of the GitHub issue that the run opened or added to; None where there is none, or nobody can say."""
    own = select(TICKET.c.url).join(TICKET_EVENT, TICKET_EVENT.c.fingerprint == TICKET.c.fingerprint)
    try:
        with transaction(history()) as connection:
            url = connection.scalar(own.where(TICKET_EVENT.c.run_id == run_id, TICKET.c.url.is_not(None)).limit(1))
    except LoadTestError:
        return None
    return str(url) if str(url).startswith(("https://", "http://")) else None


def _without_bundle(request: Request, run_id: str) -> Response:
    """A run that only the history knows. Raises HTTPException 404 for one that it does not know either."""
    row = run_row(run_id)
    if row is None:
        raise no_such_run(run_id)
    gone = {"run_id": run_id, "title": row["profile"], "target": row["target"]}
    word = row["verdict"] if row["verdict"] in set(Verdict) else str(Verdict.INCONCLUSIVE)
    return render(
        request,
        "run.html.jinja",
        active="overview",
        **gone,
        started=row["started"],
        badge=Badge(word, word.lower(), True),
        state=None,
        answers=answers({"verdict": word, "reasons": [], "slos": []}),
        places=[Place("Trends", link(request, "trends", profile=row["profile"], target=row["target"]))],
        files=[],
        has_report=False,
        sandbox=SANDBOX,
        faults=[("bundle", f"it has gone from {row['bundle_uri']}; the history has the run's figures")],
    )
