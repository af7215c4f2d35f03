"""What a trend's address asks for, checked against what the history has."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import HTTPException

from include.loadtest.errors import nearest, printable
from include.loadtest.history.comparability import differing_fields
from include.loadtest.history.comparison import PHASE, shown_value
from include.loadtest.history.series import Figure, Question, Series, Subject
from include.loadtest.orchestration.web.trend_chart import Window
from include.loadtest.profile.vocabulary import METRICS, PHASES, SCOPE_ALL

FIRST_METRIC = "latency_p95_ms"
MONTHS = {"3": "3 months", "6": "6 months", "12": "12 months", "24": "24 months", "all": "all time"}
FIRST_MONTHS = "12"
_DAYS_A_MONTH = 30.44
_LONGEST_NAME = 100
_DIFFERENCES_TOLD = 5


@dataclass(frozen=True)
class Asked:
    """The fields of the form as they were sent; empty: not given."""

    profile: str = ""
    target: str = ""
    metric: str = ""
    scope: str = ""
    phase: str = ""
    key: str = ""
    months: str = ""
    page: str = ""


@dataclass(frozen=True)
class Options:
    """What the form offers."""

    profiles: tuple[str, ...]
    targets: tuple[str, ...]
    metrics: tuple[str, ...]
    scopes: tuple[str, ...]
    phases: tuple[str, ...]


def choose_subject(asked: Asked, subjects: Sequence[Subject]) -> Subject:
    """The profile and target that are meant; of what is left open, that of the latest run. Raises HTTPException 404."""
    _known("profile", asked.profile, {one.profile for one in subjects})
    _known("target", asked.target, {one.target for one in subjects})
    fitting = [one for one in subjects if asked.profile in ("", one.profile) and asked.target in ("", one.target)]
    if not fitting:
        targets = sorted(one.target for one in subjects if one.profile == asked.profile)
        raise HTTPException(
            404, f"the history has no run of {asked.profile} on {asked.target}; it has runs on: {', '.join(targets)}"
        )
    return max(fitting, key=lambda one: one.latest)


def choose_figure(asked: Asked, subject: Subject, figures: Sequence[Figure]) -> Question:
    """The figure that is meant, which the latest runs need not have. Raises HTTPException 404 for an unknown name."""
    _known("metric", asked.metric, {*METRICS, *(one.metric for one in figures)})
    _known("phase", asked.phase, {*PHASES, *(one.phase for one in figures)})
    scope = printable(asked.scope, _LONGEST_NAME)
    return Question(
        subject.profile, subject.target, asked.metric or FIRST_METRIC, scope or SCOPE_ALL, asked.phase or PHASE
    )


def options(subjects: Sequence[Subject], figures: Sequence[Figure], question: Question) -> Options:
    """What can be chosen, what is chosen included; metrics in the vocabulary's order."""
    metrics = {question.metric, *(one.metric for one in figures)}
    order = {name: place for place, name in enumerate(METRICS)}
    scopes = {SCOPE_ALL, question.scope, *(one.scope for one in figures)}
    return Options(
        tuple(sorted({one.profile for one in subjects})),
        tuple(sorted({one.target for one in subjects})),
        tuple(sorted(metrics, key=lambda name: (order.get(name, len(order)), name))),
        tuple(sorted(scopes, key=lambda name: (name != SCOPE_ALL, name.startswith("endpoint:"), name))),
        tuple(sorted({PHASE, question.phase, *(one.phase for one in figures)}, key=lambda name: (name != PHASE, name))),
    )


def choose_series(asked: Asked, series: Sequence[Series]) -> Sequence[Series]:
    """The one whose key is asked for, else all. Raises HTTPException 404 for a key that no run has."""
    if not asked.key:
        return series
    _known("key", asked.key, {one.key for one in series})
    return [one for one in series if one.key == asked.key]


def choose_window(asked: Asked, series: Sequence[Series], now: datetime) -> Window:
    """The time that is shown, which ends now. Raises HTTPException 404 for a length that is none."""
    _known("months", asked.months, MONTHS)
    months = asked.months or FIRST_MONTHS
    if months == "all":
        starts = [one.points[0].started for one in series]
        return Window(min(starts, default=now - timedelta(days=1)).astimezone(UTC), now)
    return Window(now - timedelta(days=_DAYS_A_MONTH * int(months)), now)


def _known(what: str, name: str, valid: Iterable[str]) -> None:
    names = set(valid)
    if name and name not in names:
        hint = printable(nearest(name[:_LONGEST_NAME], names), 4 * _LONGEST_NAME)
        raise HTTPException(404, f"{what} {printable(name, _LONGEST_NAME)!r} is not known; {hint}")


def load_text(load: dict[str, Any]) -> str:
    """What a comparability key stands for, in a few words."""
    stages = load.get("stages") or [{}]
    seconds = stages[-1].get("end_s")
    parts = [
        None if load.get("users") is None else f"{load['users']} users",
        load.get("engine"),
        None if load.get("load_model") is None else f"{load['load_model']} load",
        None if seconds is None else f"{seconds:g} s",
    ]
    return printable(", ".join(str(part) for part in parts if part), _LONGEST_NAME) or "load not known"


def difference_text(load: dict[str, Any], newest: dict[str, Any]) -> str:
    """In what an older series differs from the newest one."""
    fields = differing_fields(load, newest)
    told = [
        f"{item['field']} {_short(item, 'current')} (newest: {_short(item, 'other')})"
        for item in fields[:_DIFFERENCES_TOLD]
    ]
    more = f" and {len(fields) - _DIFFERENCES_TOLD} more" if len(fields) > _DIFFERENCES_TOLD else ""
    return printable("; ".join(told), 8 * _LONGEST_NAME) + more


def _short(item: dict[str, Any], which: str) -> str:
    return "not known" if item[which] is None else printable(shown_value(item, which), _LONGEST_NAME)
