"""From a DAG run of Airflow to the page of what it tested, and from a run back to its DAG run and its tasks."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import or_, select

from include.loadtest import run
from include.loadtest.errors import LoadTestError, printable
from include.loadtest.history.database import transaction
from include.loadtest.history.schema import RUN
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.choice import GROUP, run_group
from include.loadtest.orchestration.web.access import READ_DAG as MANUAL_DAG
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.links import airflow_link, link
from include.loadtest.orchestration.web.sources import bundle_here, bundle_names, history
from include.loadtest.orchestration.web.told import document_of, part_of

router = APIRouter(dependencies=[READS])
_PAGE = re.compile(r"(?P<base>https?://.+)/dags/(?P<dag_id>[^/]+)/runs/(?P<run_id>[^/]+)")
_OWNER = re.compile(r"(?P<dag_id>[^/\s]+)/(?P<run_id>.+) at (?P<base>\S+)")


@dataclass(frozen=True)
class DagRun:
    """A DAG run of the installation at `base`."""

    dag_id: str
    run_id: str
    base: str

    def address(self, request: Request, *parts: str) -> str | None:
        """Its page, or one below it, such as of a task; None where the other installation has no address."""
        path = ("dags", self.dag_id, "runs", self.run_id, *parts)
        if self.base in (settings.installation(), settings.airflow_url()):
            return airflow_link(request, *path)
        is_address = urlsplit(self.base).scheme in ("http", "https")
        return airflow_link(request, *path, base=self.base) if is_address else None


def dag_run_of(manifest: dict[str, Any]) -> DagRun | None:
    """The DAG run that started a run or a suite, by its manifest; None where that does not say."""
    found = _PAGE.fullmatch(str(manifest.get("dag_run") or ""))
    if found:
        return DagRun(unquote(found["dag_id"]), unquote(found["run_id"]), found["base"])
    owned = _OWNER.fullmatch(str(part_of(manifest, "lease").get("owner") or ""))
    return DagRun(owned["dag_id"], owned["run_id"], owned["base"]) if owned else None


def task_group(dag_id: str, suite: dict[str, Any] | None, profile: str) -> str:
    """What the names of a run's tasks begin with: nothing for a run by itself. `suite`: as its manifest has it."""
    if suite is None:
        return ""
    if dag_id != MANUAL_DAG:
        return f"{profile}."
    names = [entry.get("profile") for entry in suite.get("runs") or () if isinstance(entry, dict)]
    return f"{GROUP}.{run_group(names.index(profile) + 1)}." if profile in names else ""


def confirm_task(dag_id: str, manifest: dict[str, Any]) -> str:
    """The task that made the repeats of the run with that manifest: of a suite, one for all of its runs."""
    return f"{GROUP}.confirm" if dag_id == MANUAL_DAG and manifest.get("suite_run_id") else "confirm"


@router.get("/dag-runs/{dag_id}/{dag_run_id:path}")
def dag_run(request: Request, dag_id: str, dag_run_id: str, task: str = "") -> RedirectResponse:
    """To the page of the suite or the run that this DAG run started; `task`: to the run in whose group it is."""
    ids = _started_by(settings.owner_name(dag_id, dag_run_id))
    suites = {run_id: suite for run_id in ids if (suite := _suite(run_id)) is not None}
    runs = [run_id for run_id in ids if run_id not in suites]
    if suites:
        suite_run_id, suite = next(iter(suites.items()))
        member = _member(dag_id, suite, runs, task)
        path = ("suites", suite_run_id) if member is None else ("runs", member)
    elif runs:
        path = ("runs", runs[-1])
    else:
        name = printable(f"{dag_run_id} of {dag_id}", 200)
        raise HTTPException(404, f"There is no load test of the DAG run {name}: it has not begun one (yet).")
    return RedirectResponse(link(request, *path), 302)


def _started_by(owner: str) -> list[str]:
    """The ids of what a DAG run started, as far as its bundle or the history has it."""
    ending = f"-{run.owner_digest(owner)}"
    kept = [run_id for run_id in bundle_names() if run_id.endswith(ending)] or _recorded(ending)
    return [run_id for run_id in kept if _is_of(run_id, owner)]


def _recorded(ending: str) -> list[str]:
    ends = or_(RUN.c.run_id.endswith(ending), RUN.c.suite_run_id.endswith(ending))
    try:
        with transaction(history()) as connection:
            rows = connection.execute(select(RUN.c.run_id).where(ends).order_by(RUN.c.started))
            return [str(row.run_id) for row in rows]
    except LoadTestError:
        return []


def _is_of(run_id: str, owner: str) -> bool:
    """The hash in an id is short: where the manifest names another owner, the id only looks alike."""
    manifest = document_of(bundle_here(run_id), run.MANIFEST) or {}
    named = dag_run_of(manifest)
    return named is None or owner.startswith(f"{named.dag_id}/{named.run_id} at ")


def _suite(run_id: str) -> dict[str, Any] | None:
    manifest = document_of(bundle_here(run_id), run.MANIFEST) or {}
    suite = manifest.get("suite")
    return suite if isinstance(suite, dict) else None


def _member(dag_id: str, suite: dict[str, Any], runs: list[str], task: str) -> str | None:
    """The run of a suite that a task belongs to; None for a task of the suite itself."""
    for run_id in runs:
        group = task_group(dag_id, suite, run_id.split("-")[0])
        if group and task.startswith(group):
            return run_id
    return None
