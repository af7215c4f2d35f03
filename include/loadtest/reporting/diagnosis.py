"""What saturates, as a section of the summary: the cause, its evidence, a second candidate, where the time goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.causes import CAUSES, cause_page
from include.loadtest.reporting.markdown import (
    bullets,
    code,
    figure,
    moment,
    page_link,
    plain,
    plain_words,
    section,
    table,
)
from include.loadtest.verdict import shown

Row = Mapping[str, Any]
_MARKS = {"bottleneck": "🔎", "no_bottleneck": "✅", "not_known": "⚪"}
_LAYERS = {
    "cpu": "the application's CPU",
    "database": "statements in the database",
    "locks": "waiting for locks",
    "llm": "the LLM",
    "cache": "the cache",
    "elsewhere": "elsewhere (waiting for a connection or a thread, say)",
}
_COUNTED = frozenset({"requests", "backends", "connections", "calls", "threads", "keys"})
_NEXT_TO_NONE = 0.01
_DAY_CHARS = len("2024-12-05")
_OVERLAP = (
    "Together more than the time of a request: work goes on for users who have given up, and work in two layers at "
    "once counts in both."
)
_ALL = 1.05
"""Of a request's time; what is above that is no rounding."""
_STRENGTHS = {"strong": "seen directly", "moderate": "concluded from what was seen around it"}


def diagnosis_section(diagnosis: Row | None, dag_run: str | None = None) -> str:
    """The section of a diagnosis.json; empty where the run has none. Texts of the target are harmless in it.

    `dag_run`: address of the DAG run, beside which Airflow shows the cause's page.
    """
    if not diagnosis:
        return ""
    causes: Sequence[Row] = diagnosis.get("causes") or ()
    return section(
        "What saturates",
        f"{_MARKS.get(diagnosis['state'], '')} **{plain_words(diagnosis['sentence'])}**",
        f"Next step: {plain_words(diagnosis['next_step'])}" if diagnosis.get("next_step") else "",
        f"What to do in detail: {page_link(dag_run, page)}" if (page := cause_page(diagnosis)) else "",
        _symptoms(diagnosis.get("symptoms") or ()),
        _evidence(causes[0]) if causes else "",
        *(_further(place, cause) for place, cause in zip(("Second", "Third"), causes[1:], strict=False)),
        _budget(diagnosis.get("time_budget") or ()),
        _absent(diagnosis.get("not_measured") or ()),
    )


def _symptoms(symptoms: Sequence[Row]) -> str:
    lines = bullets(f"{plain(one['text'])}{_since(one)}" for one in symptoms)
    return f"What users see:\n\n{lines}" if lines else ""


def _since(symptom: Row) -> str:
    return f" (since {moment(symptom['since'])})" if symptom.get("since") else ""


def _evidence(cause: Row) -> str:
    rows = [
        (
            f"{plain(one['text'])} ({plain(one['source'])}: {code(one['metric'])})",
            _figure(one["value"], one["unit"]),
            _compared(one),
            _window(one["from"], one["to"]),
        )
        for one in cause["evidence"]
    ]
    header = ("what was seen (where: reading)", "value", "compared with", "from – to")
    head = f"Evidence ({_STRENGTHS[cause['strength']]}):" if rows else ""
    parts = [head, table(header, rows), _statements(cause)]
    return "\n\n".join(part for part in parts if part)


def _compared(one: Row) -> str:
    if one["compared_with"] is None:
        return "–"
    return f"{_figure(one['compared_with'], one['unit'])} ({plain(one['comparison'])})"


def _figure(value: float, unit: str) -> str:
    """A figure as people say it: a correlation has no unit, and a hundredth of a request is none."""
    if unit == "correlation":
        return f"{value:.2f}"
    if unit in _COUNTED and 0 < abs(value) < _NEXT_TO_NONE:
        return f"≈ 0 {plain(unit)}"
    return figure(value, plain(unit))


def _window(start: str, end: str) -> str:
    """Two moments; the day once where it is the same."""
    first, last = moment(start), moment(end)
    day = f"{first[:_DAY_CHARS]} "
    if last.startswith(day) and first.endswith(" UTC"):
        return f"{first.removesuffix(' UTC')} – {last.removeprefix(day)}"
    return f"{first} – {last}"


def _statements(cause: Row) -> str:
    lines = [
        f"{title}: {code(cause[key])}"
        for key, title in (("statement", "Statement"), ("blocking_statement", "Held by"), ("plan", "Plan"))
        if cause.get(key)
    ]
    return bullets(lines)


def _further(place: str, cause: Row) -> str:
    texts = "; ".join(plain(one["text"]) for one in cause["evidence"][:2])
    first = cause.get("explained_by")
    if first is not None:
        title = CAUSES[first].title if first in CAUSES else plain(str(first))
        return f"Consequence of another cause ({title}): **{plain_words(cause['sentence'])}**\n_{texts}_"
    return f"{place} candidate: **{plain_words(cause['sentence'])}** {plain_words(cause['next_step'])}\n_{texts}_"


def _budget(layers: Sequence[Row]) -> str:
    rows = [
        (
            _LAYERS.get(one["layer"], plain(one["layer"])),
            f"{shown(one['ms_per_request'])} ms",
            f"{100 * one['share']:.0f} %",
        )
        for one in layers
    ]
    text = table(("a request spends its time in", "on average", "share"), rows)
    return f"{text}\n\n{_OVERLAP}" if sum(one["share"] for one in layers) > _ALL else text


def _absent(texts: Sequence[str]) -> str:
    return f"Not measured: {'; '.join(plain(text) for text in texts)}." if texts else ""
