"""The page of one run: its verdict and what to do, then its report; while it runs, what its load shows."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import select

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import TICKET, TICKET_EVENT
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.dag_runs import DagRun, dag_run_of, task_group
from include.loadtest.orchestration.web.files import REPORT, SANDBOX, is_download
from include.loadtest.orchestration.web.links import link
from include.loadtest.orchestration.web.live import is_followed
from include.loadtest.orchestration.web.missing import no_such_run
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.sources import StoredBundle, bundle_here, find_bundle, history, run_row
from include.loadtest.orchestration.web.told import document_of
from include.loadtest.reporting.page.answers import Answers, answers
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
    if bundle is None or manifest is None:
        return _without_bundle(request, run_id)
    if isinstance(manifest.get("suite"), dict):
        return RedirectResponse(link(request, "suites", run_id), 302)
    verdict, names = bundle.document(run.VERDICT), bundle.names()
    if verdict is not None and is_followed(bundle, has_report=REPORT in names):
        verdict = None  # a stage still works on it, and may change it
    return render(
        request,
        "run.html.jinja",
        active="overview",
        run_id=run_id,
        profile=_name(manifest, "profile"),
        title=str((manifest.get("profile") or {}).get("title") or _name(manifest, "profile")),
        target=_name(manifest, "target"),
        started=manifest.get("started"),
        verdict=None if verdict is None else str(verdict.get("verdict")),
        answers=None if verdict is None else _answers(bundle, verdict, manifest),
        places=_places(request, bundle, manifest),
        files=[name for name in names if is_download(name)],
        has_report=REPORT in names,
        sandbox=SANDBOX,
        faults=_faults(manifest),
    )


def _name(manifest: dict[str, Any], part: str) -> str:
    return str((manifest.get(part) or {}).get("name") or "–")


def _answers(bundle: StoredBundle, verdict: dict[str, Any], manifest: dict[str, Any]) -> Answers:
    return answers(verdict, manifest, bundle.document(run.DIAGNOSIS))


def _faults(manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """The stages that failed, with what they said."""
    return [(name, str(fault.get("text"))) for name, fault in (manifest.get("faults") or {}).items()]


def _places(request: Request, bundle: StoredBundle, manifest: dict[str, Any]) -> list[Place]:
    """Where to go on from here; what is not known is left out."""
    profile, target = _name(manifest, "profile"), _name(manifest, "target")
    comparison = bundle.document(run.COMPARISON) or {}
    previous, suite_run_id = comparison.get("previous_run_id"), manifest.get("suite_run_id")
    issue = issue_of(bundle.run_id)
    return [
        *_airflow_places(request, manifest),
        *([Place("Suite", link(request, "suites", str(suite_run_id)))] if suite_run_id else []),
        Place("Compare with the previous run", link(request, "compare", a=bundle.run_id, b=previous)),
        Place("Trends", link(request, "trends", profile=profile, target=target)),
        *([Place("GitHub issue", issue)] if issue else []),
    ]


def _airflow_places(request: Request, manifest: dict[str, Any]) -> list[Place]:
    dag_run = dag_run_of(manifest)
    address = None if dag_run is None else dag_run.address(request)
    if dag_run is None or address is None:
        return []
    log = dag_run.address(request, "tasks", _task(dag_run, manifest))
    return [Place("Airflow DAG run", address, True), *([Place("Log", log, True)] if log else [])]


def _task(dag_run: DagRun, manifest: dict[str, Any]) -> str:
    """The task whose log says most: the first that failed, else the one that sent the load."""
    suite_run_id = manifest.get("suite_run_id")
    within = document_of(bundle_here(str(suite_run_id)), run.MANIFEST) if suite_run_id else None
    suite = (within or {}).get("suite") if suite_run_id else None
    group = task_group(dag_run.dag_id, suite or {} if suite_run_id else None, _name(manifest, "profile"))
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
    gone = {"run_id": run_id, "profile": row["profile"], "title": row["profile"], "target": row["target"]}
    word = row["verdict"] if row["verdict"] in set(Verdict) else str(Verdict.INCONCLUSIVE)
    return render(
        request,
        "run.html.jinja",
        active="overview",
        **gone,
        started=row["started"],
        verdict=word,
        answers=answers({"verdict": word, "reasons": [], "slos": []}),
        places=[Place("Trends", link(request, "trends", profile=row["profile"], target=row["target"]))],
        files=[],
        has_report=False,
        sandbox=SANDBOX,
        faults=[("bundle", f"it has gone from {row['bundle_uri']}; the history has the run's figures")],
    )
