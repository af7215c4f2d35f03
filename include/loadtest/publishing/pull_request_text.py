"""What a pull request is told of its run: verdict first, the figures that decided, and what the run could not see."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.causes import cause_page
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.publishing.foreign_text import cut, one_line
from include.loadtest.publishing.github_text import bounded, code, harmless, link, page_words
from include.loadtest.publishing.told_reasons import deciding_reason, told_reasons
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.change import change_line
from include.loadtest.reporting.markdown import NOT_MEASURED, bullets, cell, figure, interval, table
from include.loadtest.reporting.report import SENTENCES
from include.loadtest.verdict import verdict_mark

Row = Mapping[str, Any]
MARKER = "<!-- load-test-comment -->"
"""Begins the one comment of a pull request; it is found again by it."""
MAX_REASONS = 8
MAX_FIGURES = 12
SMOKE = "smoke"
_OUTCOMES = {
    "missed": "❌\u00a0missed",
    "near": "🟡\u00a0near",
    "not_judged": "⚪\u00a0not\u00a0judged",
    "met": "✅\u00a0met",
}
"""Each on one line, however narrow its column is."""
_WHOLE_FROM = 10
_MISSED_RATE = 0.05
"""An error as rare as is said stays unseen in one run of twenty."""


def pull_request_text(
    *,
    verdict: Row,
    metrics: Row | None,
    comparison: Row | None,
    diagnosis: Row | None,
    link_to_run: str | None = None,
    report_url: str | None = None,
    commit: str | None = None,
) -> str:
    """Markdown of at most 65,000 characters, in which text of the target is harmless; without the marker.

    `verdict`, `metrics`, `comparison`, `diagnosis`: the content of the bundle's files of these names, None for none.
    """
    parts = [
        f"## {headline(verdict)}",
        SENTENCES.get(str(verdict["verdict"]), ""),
        _reasons(told_reasons(verdict, change_line(comparison)), link_to_run),
        _figures(verdict, metrics),
        _sensitivity(verdict, metrics, comparison),
        _bottleneck(diagnosis, link_to_run),
        _where(verdict, link_to_run, report_url, commit),
    ]
    return bounded("\n\n".join(part for part in parts if part).split("\n"))


def headline(verdict: Row) -> str:
    """The verdict and what was run, on one line."""
    word = str(verdict["verdict"])
    return f"{verdict_mark(word)} {harmless(word, 30)}: load test {code(str(verdict.get('profile') or 'unknown'))}"


def short(verdict: Row, limit: int) -> str:
    """The verdict and the reason that decided it without any markup, at most `limit` characters."""
    why = deciding_reason(verdict) or SENTENCES.get(str(verdict["verdict"]), "")
    return cut(list(one_line(f"{verdict['verdict']}: {why}", limit)), limit)


def _reasons(reasons: Sequence[Row], link_to_run: str | None) -> str:
    lines, explained = [], set()
    for reason in reasons[:MAX_REASONS]:
        name = str(reason["code"])
        known = None if name in explained else REASON_CODES.get(name)
        action = "" if known is None else f" → {known.action} {page_words(link_to_run, known.page)}"
        lines.append(f"**{harmless(name, 60)}**: {harmless(reason['text'])}{action}")
        explained.add(name)
    more = len(reasons) - MAX_REASONS
    return bullets([*lines, *([f"… and {more} more in the report"] if more > 0 else [])])


def _figures(verdict: Row, metrics: Row | None) -> str:
    """Required limits and whatever was not met, the worst first; what nobody has to judge is named below."""
    rows = {(row["metric"], row["scope"], row["phase"]): row for row in (metrics or {}).get("metrics", ())}
    given = [slo for slo in verdict.get("slos") or () if slo["level"] == "critical" or slo["outcome"] != "met"]
    slos = sorted((slo for slo in given if not _is_idle(slo)), key=_place)
    lines = [_figure(slo, rows.get((slo["metric"], slo["scope"], slo["phase"]))) for slo in slos[:MAX_FIGURES]]
    shown = table(("figure", "measured", "95 % interval", "limit", ""), lines)
    more = f"… and {len(slos) - MAX_FIGURES} more limits in the report" if len(slos) > MAX_FIGURES else ""
    return "\n\n".join(part for part in (shown, more, _idle(given)) if part)


def _is_idle(slo: Row) -> bool:
    return bool(slo["outcome"] == "not_judged" and not slo["required"])


def _idle(slos: Sequence[Row]) -> str:
    """What nobody has to judge, and why, once for all: most of it are readings of a machine that others use too."""
    names = dict.fromkeys(str(slo["metric"]) for slo in slos if _is_idle(slo))
    groups = (
        ("the target shares its host with the generator", [name for name in names if name.startswith("host_")]),
        ("not required of this run", [name for name in names if not name.startswith("host_")]),
    )
    told = [f"{', '.join(code(name, 60) for name in group)} ({why})" for why, group in groups if group]
    return f"In the report, but not judged: {'; '.join(told)}." if told else ""


def _place(slo: Row) -> tuple[bool, int, bool]:
    """What decided stands first: critical before warning, missed before met."""
    return slo["level"] != "critical", list(_OUTCOMES).index(slo["outcome"]), slo["scope"] != SCOPE_ALL


def _figure(slo: Row, row: Row | None) -> tuple[str, ...]:
    scope = "" if slo["scope"] == SCOPE_ALL else f" of {code(slo['scope'].partition(':')[2])}"
    phase = "" if slo["phase"] == "hold" else f" in {harmless(slo['phase'], 40)}"
    kind = "" if slo["level"] == "critical" else " (warning)"
    limit = f"{harmless(slo['comparator'], 10)} {figure(slo['limit'], slo['unit'])}{kind}"
    name = f"{code(slo['metric'])}{scope}{phase}"
    return name, _value(slo, row), interval(slo), limit, _OUTCOMES[slo["outcome"]]


def _value(slo: Row, row: Row | None) -> str:
    """The point value; without one, what was judged: at most the slowest row, or at least the proved bound."""
    if row is not None and row["value"] is not None:
        return cell(row)
    if slo["observed"] is None:
        return NOT_MEASURED
    sign = "" if row is None else "≥ " if slo["outcome"] == "missed" else "≤ "
    return sign + figure(slo["observed"], slo["unit"])


def _sensitivity(verdict: Row, metrics: Row | None, comparison: Row | None) -> str:
    """Empty where the run says nothing about the product at all."""
    if verdict["verdict"] == "INCONCLUSIVE":
        return ""
    rows = (metrics or {}).get("metrics", ())
    lines = [*_of_change(comparison), *_of_limits(verdict.get("slos") or (), rows), *_of_errors(rows)]
    if verdict.get("profile") == SMOKE:
        lines.insert(0, "This is the short check: it finds what is plainly broken, not a small slow-down.")
    return f"### What this run could have seen\n\n{bullets(lines)}"


def _of_change(comparison: Row | None) -> Iterator[str]:
    """The result of the change test, and the smallest change that it finds; or that there was none."""
    line = change_line(comparison)
    if line is None:
        yield "It was not compared with earlier runs: a slow-down that stays within the limits is not seen."
        return
    yield harmless(line, 600)
    found = (comparison or {})["change_test"]["sensitivity"]
    if not found:
        yield "How small a change it finds is not known: there are too few comparable runs."
        return
    best, worst = (pick(found, key=lambda one: one["suspected"]) for pick in (min, max))
    yield (
        f"Smallest change found four times out of five: from {_change(best)} to {_change(worst)} by this run alone. "
        "A smaller one passes unseen."
    )


def _change(one: Row) -> str:
    return f"{100 * one['suspected']:.0f} % ({code(one['scope'].removeprefix('endpoint:'))})"


def _of_limits(slos: Sequence[Row], rows: Sequence[Row]) -> Iterator[str]:
    """How much slower it could have become without missing a limit; at least so much where a bound was judged."""
    points = {(row["metric"], row["scope"], row["phase"]) for row in rows if row["value"] is not None}
    for slo in slos:
        is_latency = slo["unit"] == "ms" and slo["scope"] == SCOPE_ALL and slo["level"] == "critical"
        if is_latency and slo["outcome"] in ("met", "near") and slo["observed"]:
            more = "" if (slo["metric"], slo["scope"], slo["phase"]) in points else ", or more"
            factor = slo["limit"] / slo["observed"]
            times = f"{factor:.{1 if factor < _WHOLE_FROM else 0}f} times"
            yield f"{code(slo['metric'])} would miss its limit only at {times} what it was here{more}."


def _of_errors(rows: Sequence[Row]) -> Iterator[str]:
    """The rarest error that n requests show with 95 % probability: 1 − 0.05^(1/n) ("rule of three")."""
    for row in rows:
        key = (row["metric"], row["scope"], row["phase"])
        if key == ("error_rate", SCOPE_ALL, "hold") and row.get("n"):
            rarest = 1 - _MISSED_RATE ** (1 / row["n"])
            yield f"{row['n']} requests: an error that hits fewer than {100 * rarest:.2g} % of them can stay unseen."


def _bottleneck(diagnosis: Row | None, link_to_run: str | None) -> str:
    if diagnosis is None or diagnosis.get("state") != "bottleneck":
        return ""
    step = f"\n\nNext step: {harmless(diagnosis['next_step'], 600)}" if diagnosis.get("next_step") else ""
    page = cause_page(diagnosis)
    detail = f"\n\nWhat to do in detail: {page_words(link_to_run, page)}" if page else ""
    return f"### What saturates\n\n{harmless(diagnosis['sentence'], 600)}{step}{detail}"


def _where(verdict: Row, link_to_run: str | None, report_url: str | None, commit: str | None) -> str:
    links = (link("Report", report_url), link("Run", link_to_run))
    named = (("run", "run_id"), ("engine", "engine"))
    facts = (f"{name} {code(str(verdict[key]))}" for name, key in named if verdict.get(key))
    at = f"commit {code(commit[:12])}" if commit else None
    return " · ".join(part for part in (*links, *facts, at) if part)
