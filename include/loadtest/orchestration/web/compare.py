"""Two runs beside each other."""

from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse
from sqlalchemy import Engine

from include.loadtest.errors import ConfigError, printable
from include.loadtest.history.baselines import find_run
from include.loadtest.history.comparison import PHASE, nearest_difference
from include.loadtest.history.pair import read_pair, recent_runs
from include.loadtest.history.series import read_changes
from include.loadtest.history.store import latest_run
from include.loadtest.orchestration.web import compare_view
from include.loadtest.orchestration.web.access import READS
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.sources import history, is_id
from include.loadtest.orchestration.web.trend_choice import load_text

_LONGEST_NAME = 100

router = APIRouter(dependencies=[READS])


@router.get("/compare")
def compare(request: Request, a: str = "", b: str = "") -> HTMLResponse:
    """Run `a` beside run `b`; without `b` the last comparable one before `a`. 404 for a run that is not there."""
    engine, first_id, second_id = history(), a.strip(), b.strip()
    context: dict[str, Any] = {"first": None, "second": None, "missing": "", "a": first_id, "b": second_id}
    if first_id or second_id:
        context |= _compared(engine, first_id or second_id, second_id if first_id else "")
    return render(request, "compare.html.jinja", active="compare", recent=recent_runs(engine), **context)


def _compared(engine: Engine, first_id: str, second_id: str) -> dict[str, Any]:
    pair = _pair(engine, first_id, second_id)
    first = pair[first_id]
    second = pair.get(second_id or next((name for name in pair if name != first_id), ""))
    if second is None:
        return {"first": first, "a": first_id, "missing": _why_alone(engine, first)}
    hurdles = compare_view.obstacles(first, second)
    return {
        "first": first,
        "second": second,
        "a": first_id,
        "b": second["run_id"],
        "obstacles": hurdles,
        "versions": compare_view.version_facts(first, second),
        "key_differences": compare_view.key_differences(first, second),
        "other_differences": compare_view.other_differences(first, second),
        "equal": compare_view.equal_fields(first, second),
        "unknown": compare_view.unknown_fields(first, second),
        "changes": _changes_between(engine, first, second),
        "groups": compare_view.groups(first, second, comparable=not hurdles),
        "summary": compare_view.summary,
        "load_text": load_text,
        "phase": PHASE,
    }


def _pair(engine: Engine, first_id: str, second_id: str) -> dict[str, dict[str, Any]]:
    """Both runs, or the first with the one before. Raises HTTPException 404, which names the nearest."""
    for run_id in filter(None, (first_id, second_id)):
        if not is_id(run_id):
            raise HTTPException(404, f"{printable(run_id, _LONGEST_NAME)!r} is no id of a run")
    pair = read_pair(engine, first_id, second_id or None)
    for run_id in filter(None, (first_id, second_id)):
        if run_id not in pair:
            try:
                find_run(engine, run_id)  # its error names the nearest
            except ConfigError as error:
                raise HTTPException(404, str(error)) from error
    return pair


def _why_alone(engine: Engine, first: dict[str, Any]) -> str:
    latest = latest_run(engine, first["profile"], first["started"], first["run_id"])
    text, _ = nearest_difference(first["profile"], first["comparability"], latest)
    return text


def _changes_between(engine: Engine, first: dict[str, Any], second: dict[str, Any]) -> list[Any]:
    """Intended changes that came between the two runs."""
    begin, end = sorted((first["started"], second["started"]))
    return [change for change in read_changes(engine, first["profile"], first["target"]) if begin < change.since <= end]
