"""The first page: each profile on each target, suites, who has a target, what runs now."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from include.loadtest.errors import ConfigError, LoadTestError, printable
from include.loadtest.history.overview import Overview, PastRun, ProfileRuns, read_overview
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.picture import runs_picture
from include.loadtest.orchestration.web.running import running_of
from include.loadtest.orchestration.web.schedule import NextRun, next_runs
from include.loadtest.orchestration.web.sources import history, recent_bundles, results_fault
from include.loadtest.orchestration.web.told import bundle_line, past_reason, suite_line
from include.loadtest.profile import profile_names

router = APIRouter(dependencies=[READS])
READ_AT_ONCE = 8
"""Bundles that are read at a time: they may lie behind a network."""
RECENT = 20
NOTHING = Overview((), (), ())


@dataclass(frozen=True)
class ProfileRow:
    """A profile on a target. `reason`: why its last verdict; `next_run`: None where nothing starts it by itself."""

    profile: str
    target: str
    last: PastRun
    reason: str
    picture: Markup
    next_run: NextRun | None


@router.get("/")
def overview(request: Request) -> HTMLResponse:
    """The overview; with a history, or results, that do not answer, what the others say."""
    now = datetime.now(UTC)
    found, fault = _history()
    schedule, schedule_fault = _schedule(now)
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        unreadable = pool.submit(results_fault)
        rows = list(pool.map(lambda own: _row(own, schedule), found.profiles))
        suites = list(pool.map(suite_line, found.suites))
        running = [part for parts in pool.map(running_of, found.uses) for part in parts]
        recent = list(pool.map(bundle_line, recent_bundles(RECENT))) if fault else []
    return render(
        request,
        "overview.html.jinja",
        active="overview",
        now=now,
        rows=rows,
        suites=suites,
        uses=found.uses,
        running=running,
        schedule=schedule,
        never_run=_never_run(found) if fault is None else [],
        recent=recent,
        faults=[text for text in (fault, unreadable.result(), schedule_fault) if text],
    )


def _history() -> tuple[Overview, str | None]:
    try:
        return read_overview(history()), None
    except LoadTestError as error:
        return NOTHING, (
            f"{printable(str(error), 300)}: the table of profiles, and who has a target, cannot be shown. "
            f"Check the connection {settings.HISTORY_CONNECTION} and its server; load the page again then."
        )


def _schedule(now: datetime) -> tuple[list[NextRun], str | None]:
    try:
        return next_runs(now), None
    except ConfigError as error:
        return [], f"The next runs cannot be told: {printable(str(error), 300)}"


def _row(own: ProfileRuns, schedule: list[NextRun]) -> ProfileRow:
    last = own.runs[0]
    return ProfileRow(
        own.profile, own.target, last, past_reason(last), runs_picture(own.runs[::-1]), _next_run(own, schedule)
    )


def _next_run(own: ProfileRuns, schedule: list[NextRun]) -> NextRun | None:
    """The earliest start that includes the profile: of a DAG that is not paused, if there is one.

    Scheduled suites test the default target.
    """
    if own.target != settings.default_target():
        return None
    starts = [start for start in schedule if own.profile in start.profiles]
    return next((start for start in starts if not start.paused), next(iter(starts), None))


def _never_run(found: Overview) -> list[str]:
    return sorted(set(profile_names()) - {own.profile for own in found.profiles})
