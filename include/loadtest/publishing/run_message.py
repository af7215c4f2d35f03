"""Slack's messages about a run's verdict: the message itself, the call to people, and what saturated."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from include.loadtest.causes import cause_page
from include.loadtest.doc_pages import page_address, page_path
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.publishing.message_parts import (
    BUNDLE_CHARS,
    SECTION_CHARS,
    Message,
    assembled,
    called,
    calls,
    code,
    escaped,
    fields,
    links,
    section,
    small_print,
)
from include.loadtest.publishing.told_reasons import deciding_reason, told_reasons
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.change import change_line
from include.loadtest.reporting.markdown import NOT_MEASURED, cell, figure
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.verdict import verdict_mark

if TYPE_CHECKING:
    from slack_sdk.models.blocks import Block

MAX_REASONS = 5
MAX_FIGURES = 3
CALLING = frozenset({"SLA_BREACH", "REGRESSION", "ABORTED"})
"""Only these verdicts call people."""
_OF_CHANGES = frozenset({"regression", "regression_suspected", "improved"})

Row = Mapping[str, Any]


def run_message(
    verdict: Row,
    metrics: Row | None,
    diagnosis: Row | None = None,
    comparison: Row | None = None,
    *,
    title: str,
    link: str | None,
    bundle_uri: str,
    target: str,
    report: str | None = None,
    mentions: Sequence[str] = (),
) -> Message:
    """The message about one run: verdict, why, the figures that matter, the change, where to read on.

    `verdict`, `metrics`, `diagnosis`, `comparison`: the content of verdict.json, metrics.json, diagnosis.json and
    comparison.json (None where the run has none; of a diagnosis only a bottleneck is told, of a comparison the change
    test); `title`: the profile's; `link`: address of the DAG run, `report`: of the published report (each left out
    unless http or https); `target`: its name; `mentions`: who is called where the verdict calls people.
    """
    word, sentence = str(verdict["verdict"]), SENTENCES.get(str(verdict["verdict"]), "")
    first = deciding_reason(verdict) or sentence
    change = change_line(comparison)
    reasons = told_reasons(verdict, change)
    body: list[Block] = [
        section(f"{escaped(sentence, 300)} Target: *{escaped(target, 100)}*".strip()),
        *([section(_why(reasons, link))] if reasons else []),
        fields(_figures(verdict, metrics)),
        *([section(_bottleneck(diagnosis, link))] if diagnosis and diagnosis["state"] == "bottleneck" else []),
        *([section(f"*Change to the baseline*\n{escaped(change, 600)}")] if change else []),
        *small_print(_where(verdict, link, report, bundle_uri)),
    ]
    text = f"{verdict_mark(word)} {word}: {title[:200]} on {target[:100]}. {first}"
    message = assembled(f"{verdict_mark(word)} {word}: {title}", body, text)
    return called(message, mentions) if word in CALLING else message


def mention_message(
    verdict: Row, diagnosis: Row | None = None, *, title: str, target: str, mentions: Sequence[str]
) -> Message | None:
    """A reply that calls people: who, the verdict, what saturated or else the reason. None where nobody is called."""
    word, names = str(verdict["verdict"]), calls(mentions)
    if word not in CALLING or not names:
        return None
    is_found = diagnosis is not None and diagnosis["state"] == "bottleneck"
    why = str(diagnosis["sentence"]) if diagnosis is not None and is_found else deciding_reason(verdict)
    said = escaped(f"{verdict_mark(word)} {word}: {title[:200]} on {target[:100]}. {why or SENTENCES[word]}", 1000)
    return Message(f"{names} {said}", (section(f"{names} {said}").to_dict(),))


def bottleneck_message(diagnosis: Row, link: str | None = None) -> Message:
    """A reply with what saturated, or why nothing is named, and the next step. `diagnosis`: of diagnosis.json.

    `link`: address of the DAG run, beside which Airflow shows the cause's page.
    """
    text = escaped(f"What saturates: {diagnosis['sentence']}", 600)
    return Message(text, (section(_bottleneck(diagnosis, link)).to_dict(),))


def _why(reasons: Sequence[Row], link: str | None) -> str:
    """At most `MAX_REASONS` reasons; what to do stands under the first of each code. Below 3,000 characters.

    The pages that say how are linked as far as there is room for addresses.
    """
    lines, explained, pages = ["*Why*"], set(), []
    for reason in reasons[:MAX_REASONS]:
        name = str(reason["code"])
        lines.append(f"• *{escaped(name, 40)}*: {escaped(reason['text'], 300)}")
        if name in REASON_CODES and name not in explained:
            pages.append((len(lines), REASON_CODES[name].page))
            lines.append(f"      → {escaped(REASON_CODES[name].action, 200)}")
        explained.add(name)
    if len(reasons) > MAX_REASONS:
        lines.append(f"… and {len(reasons) - MAX_REASONS} more in the report")
    return "\n".join(_with_pages(lines, pages, link))


def _with_pages(lines: Sequence[str], pages: Sequence[tuple[int, str]], link: str | None) -> list[str]:
    """The lines with a page behind those that are numbered, as long as all are below Slack's limit of a section."""
    told, room = list(lines), SECTION_CHARS - sum(len(line) + 1 for line in lines)
    for number, page in pages:
        more = f" ({_page(link, page)})"
        if len(more) <= room:
            told[number] += more
            room -= len(more)
    return told


def _page(link: str | None, page: str) -> str:
    """A page below `docs/` as a link into Airflow, or its file where Airflow's address is not known."""
    return next(links((page_path(page), page_address(link, page))), None) or code(page_path(page), 100)


def _bottleneck(diagnosis: Row, link: str | None) -> str:
    """Cause, next step and the cause's page. Below 3,000 characters."""
    page = cause_page(diagnosis)
    lines = ["*What saturates*", escaped(str(diagnosis["sentence"]), 500)]
    if diagnosis.get("next_step"):
        lines.append(f"      → {escaped(str(diagnosis['next_step']), 300)}")
    if page is not None:
        lines.append(f"      → {_page(link, page)}")
    return "\n".join(lines)


_FIGURES = (("latency_p95_ms", SCOPE_ALL), ("error_rate", SCOPE_ALL), ("throughput_rpm", SCOPE_ALL))
_LABELS = {
    "latency_p50_ms": "P50",
    "latency_p95_ms": "P95",
    "latency_p99_ms": "P99",
    "ttft_p95_ms": "First token P95",
    "error_rate": "Error rate",
    "throughput_rpm": "Throughput",
    "cache_hit_rate": "Cache hit rate",
}


def _figures(verdict: Row, metrics: Row | None) -> list[str]:
    """The figures of the reasons first, then P95, error rate and throughput of all requests in the hold."""
    slos = verdict.get("slos") or ()
    rows = {(row["metric"], row["scope"], row["phase"]): row for row in (metrics or {}).get("metrics", ())}
    of_reasons = [reason for reason in verdict.get("reasons") or () if _has_figure(reason)]
    wanted = [*of_reasons, *({"metric": metric, "scope": scope} for metric, scope in _FIGURES)]
    texts: dict[tuple[str, str, str], str] = {}
    for item in wanted:
        slo = _slo_of(item, slos)
        key = (item["metric"], item.get("scope") or SCOPE_ALL, slo["phase"] if slo else "hold")
        texts.setdefault(key, _figure(key, rows.get(key), slo))
    return list(texts.values())[:MAX_FIGURES]


def _has_figure(reason: Row) -> bool:
    """Whether its metric is one of metrics.json; what the change test found stands in the reason's own text."""
    return bool(reason.get("metric")) and reason["code"] not in _OF_CHANGES


def _slo_of(item: Row, slos: Sequence[Row]) -> Row | None:
    """The limit that a reason is about; for a figure without reason, the critical one of the hold first."""
    scope = item.get("scope") or SCOPE_ALL
    return min(
        (slo for slo in slos if (slo["metric"], slo["scope"]) == (item["metric"], scope)),
        key=lambda slo: (
            (slo["limit"], slo["observed"]) != (item.get("limit"), item.get("observed")),
            slo["phase"] != "hold",
            slo["level"] != "critical",
        ),
        default=None,
    )


def _figure(key: tuple[str, str, str], row: Row | None, slo: Row | None) -> str:
    metric, scope, phase = key
    name = _LABELS.get(metric, metric)
    name += "" if scope == SCOPE_ALL else f" of {scope}"
    name += "" if phase == "hold" else f" in {phase}"
    value = escaped(_value(row, slo), 60)
    if slo is None:
        return f"*{escaped(name, 100)}*\n{value} (no limit)"
    kind = "limit" if slo["level"] == "critical" else "warning limit"
    limit = f"{kind} {slo['comparator']} {figure(slo['limit'], slo['unit'])}"
    outcome = escaped(slo["outcome"].replace("_", " "), 30)
    return f"*{escaped(name, 100)}*\n{value} ({escaped(limit, 60)}: *{outcome}*)"


def _value(row: Row | None, slo: Row | None) -> str:
    """The point value; without one, what was judged: at most the slowest row, or at least the proved bound."""
    if row is not None and row["value"] is not None:
        return cell(row)
    if slo is None or slo["observed"] is None:
        return NOT_MEASURED
    sign = "" if row is None else "≥ " if slo["outcome"] == "missed" else "≤ "
    return sign + figure(slo["observed"], slo["unit"])


def _where(verdict: Row, link: str | None, report: str | None, bundle_uri: str) -> Iterator[str]:
    yield from links(("Open the run", link), ("Read the report", report))
    names = [f"{name} {code(verdict[name], 150)}" for name in ("suite", "profile", "engine") if verdict.get(name)]
    yield " · ".join([f"run {code(verdict.get('run_id') or '', 150)}", *names])
    yield f"bundle {code(bundle_uri, BUNDLE_CHARS)}"
