"""What saturates, as a section of the summary: the cause, its evidence, a second candidate, where the time goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.reporting.markdown import bullets, code, figure, moment, plain, plain_words, section, table
from include.loadtest.verdict import shown

Row = Mapping[str, Any]
_MARKS = {"bottleneck": "🔎", "no_bottleneck": "✅", "not_known": "⚪"}
_LAYERS = {
    "cpu": "the application's CPU",
    "database": "statements in the database",
    "locks": "waiting for locks",
    "llm": "the LLM",
    "cache": "the cache",
    "elsewhere": "elsewhere",
}
_STRENGTHS = {"strong": "seen itself", "moderate": "follows from what was seen around it"}


def diagnosis_section(diagnosis: Row | None) -> str:
    """The section of a diagnosis.json; empty where the run has none. Texts of the target are harmless in it."""
    if not diagnosis:
        return ""
    causes: Sequence[Row] = diagnosis.get("causes") or ()
    return section(
        "What saturates",
        f"{_MARKS.get(diagnosis['state'], '')} **{plain_words(diagnosis['sentence'])}**",
        f"Next step: {plain_words(diagnosis['next_step'])}" if diagnosis.get("next_step") else "",
        bullets(f"{plain(one['text'])}{_since(one)}" for one in diagnosis.get("symptoms") or ()),
        _evidence(causes[0]) if causes else "",
        *(_further(place, cause) for place, cause in zip(("Second", "Third"), causes[1:], strict=False)),
        _budget(diagnosis.get("time_budget") or ()),
        _absent(diagnosis.get("not_measured") or ()),
    )


def _since(symptom: Row) -> str:
    return f" (since {moment(symptom['since'])})" if symptom.get("since") else ""


def _evidence(cause: Row) -> str:
    rows = [
        (
            plain(one["source"]),
            code(one["metric"]),
            figure(one["value"], plain(one["unit"])),
            _compared(one),
            f"{moment(one['from'])} – {moment(one['to'])}",
        )
        for one in cause["evidence"]
    ]
    header = ("source", "figure", "value", "compared with", "from – to")
    parts = [f"Evidence ({_STRENGTHS[cause['strength']]}):", table(header, rows), _statements(cause)]
    return "\n\n".join(part for part in parts if part)


def _compared(one: Row) -> str:
    if one["compared_with"] is None:
        return "–"
    return f"{figure(one['compared_with'], plain(one['unit']))} ({plain(one['comparison'])})"


def _statements(cause: Row) -> str:
    lines = [
        f"{title}: {code(cause[key])}"
        for key, title in (("statement", "Statement"), ("blocking_statement", "Held by"), ("plan", "Plan"))
        if cause.get(key)
    ]
    return bullets(lines)


def _further(place: str, cause: Row) -> str:
    texts = "; ".join(plain(one["text"]) for one in cause["evidence"][:2])
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
    return table(("a request spends its time in", "on average", "share"), rows)


def _absent(texts: Sequence[str]) -> str:
    return f"Not measured: {'; '.join(plain(text) for text in texts)}." if texts else ""
