"""One figure of a profile on a target over months, and what people noted about its level."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from include.loadtest.history.series import (
    Baseline,
    IntendedChange,
    Point,
    Question,
    Series,
    Subject,
    read_baselines,
    read_changes,
    read_figures,
    read_series,
    read_subjects,
)
from include.loadtest.orchestration.web.access import CHANGE_DAG, Reader, may_change
from include.loadtest.orchestration.web.pages import render
from include.loadtest.orchestration.web.sources import history
from include.loadtest.orchestration.web.trend_chart import (
    HEIGHT_PX,
    MOST_DRAWN,
    Drawing,
    Window,
    draw,
    shown_interval,
    shown_time,
)
from include.loadtest.orchestration.web.trend_choice import (
    FIRST_MONTHS,
    MONTHS,
    Asked,
    choose_figure,
    choose_series,
    choose_subject,
    choose_window,
    difference_text,
    load_text,
    options,
)
from include.loadtest.profile.vocabulary import METRICS
from include.loadtest.verdict import figure

MOST_SERIES = 4
"""So many series are drawn; the others are linked."""
ROWS_BESIDE, ROWS_ALONE = 20, 200
"""Values in the table of a series: beside others, and on a page of its own series."""
_LONGEST_NUMBER = 9
BETTER = {"lower": "lower is better", "higher": "higher is better", "none": "neither way is better by itself"}

router = APIRouter()


@dataclass(frozen=True)
class View:
    """What all series of the page share: the newest one, the figure's unit, the time, what people noted.

    `most`: as many runs of each are drawn.
    """

    newest: Series
    unit: str
    window: Window
    baselines: Sequence[Baseline]
    changes: Sequence[IntendedChange]
    most: int


@dataclass(frozen=True)
class Table:
    """Some of a series' values, the newest first."""

    rows: tuple[Point, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True)
class Card:
    """One series as the page shows it."""

    key: str
    title: str
    difference: str
    newest: datetime
    drawing: Drawing
    table: Table


@router.get("/trends")
def trends(request: Request, user: Reader, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    """The page. All fields of the form may be missing; 404 for names that nothing has."""
    engine = history()
    subjects = read_subjects(engine)
    if not subjects:
        return render(request, "trends.html.jinja", active="trends", subject=None)
    subject = choose_subject(asked, subjects)
    figures = read_figures(engine, subject.profile, subject.target)
    question = choose_figure(asked, subject, figures)
    every = read_series(engine, question)
    chosen = choose_series(asked, every)
    window = choose_window(asked, chosen, datetime.now(UTC))
    baselines = read_baselines(engine, subject.profile, subject.target)
    changes = read_changes(engine, subject.profile, subject.target)
    unit, direction = _of_metric(question, figures)
    shown = chosen[:MOST_SERIES]
    view = View(every[0], unit, window, baselines, changes, MOST_DRAWN // len(shown))
    cards = [_card(one, view, _page(asked, chosen)) for one in shown]
    return render(
        request,
        "trends.html.jinja",
        active="trends",
        subject=subject,
        question=question,
        options=options(subjects, figures, question),
        **_form(asked, every),
        cards=cards,
        others=[(one.key, _key_text(one)) for one in chosen[MOST_SERIES:]],
        unit=unit,
        better=BETTER.get(direction, ""),
        query=_query(subject, question, asked),
        baselines=_named_baselines(baselines, every),
        changes=list(reversed(changes)),
        may_change=may_change(user),
    )


def _form(asked: Asked, every: Sequence[Series]) -> dict[str, Any]:
    """What the form offers beside names, what is chosen of it, and how the templates say figures."""
    return {
        "months": MONTHS,
        "chosen_months": asked.months or FIRST_MONTHS,
        "chosen_key": asked.key,
        "keys": [(one.key, _key_text(one)) for one in every],
        "height": HEIGHT_PX,
        "change_dag": CHANGE_DAG,
        "figure": figure,
        "shown_interval": shown_interval,
    }


def _of_metric(question: Question, figures: Sequence[Any]) -> tuple[str, str]:
    known = next((one for one in figures if one.metric == question.metric), METRICS.get(question.metric))
    return (known.unit, known.direction) if known else ("", "none")


def _card(series: Series, view: View, page: int | None) -> Card:
    """`page`: of the table of a series that is shown by itself; None: it stands beside others."""
    own = [one for one in view.baselines if one.key == series.key]
    return Card(
        series.key,
        load_text(series.load),
        "" if series is view.newest else difference_text(series.load, view.newest.load),
        series.points[-1].started,
        draw(series.points, view.unit, view.window, own, view.changes, most=view.most),
        _table([point for point in series.points if view.window.holds(point.started)], page),
    )


def _page(asked: Asked, chosen: Sequence[Series]) -> int | None:
    if len(chosen) > 1:
        return None
    return max(1, int(asked.page)) if asked.page.isdecimal() and len(asked.page) <= _LONGEST_NUMBER else 1


def _table(points: Sequence[Point], page: int | None) -> Table:
    size = ROWS_BESIDE if page is None else ROWS_ALONE
    pages = max(1, -(-len(points) // size))
    page = min(page or 1, pages)
    newest_first = tuple(reversed(points))
    return Table(newest_first[(page - 1) * size : page * size], len(points), page, pages)


def _key_text(series: Series) -> str:
    newest = shown_time(series.points[-1].started)
    return f"{load_text(series.load)} · last run {newest} · {series.key[:8]}"


def _query(subject: Subject, question: Question, asked: Asked) -> dict[str, str | None]:
    """The address of this page without its page of the table."""
    given = replace(asked, page="", profile=subject.profile, target=subject.target)
    full = asdict(given) | {"metric": question.metric, "scope": question.scope, "phase": question.phase}
    return {name: value or None for name, value in full.items() if name != "page"}


def _named_baselines(baselines: Sequence[Baseline], series: Sequence[Series]) -> list[tuple[Baseline, str]]:
    """Each with the load of its runs in words."""
    names = {one.key: load_text(one.load) for one in series}
    return [(one, names.get(one.key, f"key {one.key[:8]}")) for one in baselines]
