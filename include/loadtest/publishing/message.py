"""Slack messages, about a run's verdict or an alarm: what they say.

Limits and escapes are those of Slack's reference (docs.slack.dev: Block Kit, "Formatting message text").
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    HeaderBlock,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

from include.loadtest.errors import printable
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.markdown import NOT_MEASURED, cell, figure
from include.loadtest.reporting.report import SENTENCES

MAX_REASONS = 5
_OF_CHANGES = frozenset({"regression", "regression_suspected", "improved"})
MAX_FIGURES = 3
_HEADER_CHARS = 150
_SECTION_CHARS = 2900


@dataclass(frozen=True)
class Message:
    """What is sent: `text` for notifications and readers without blocks, `blocks` (Block Kit) for the channel."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def run_message(
    verdict: Mapping[str, Any],
    metrics: Mapping[str, Any] | None,
    diagnosis: Mapping[str, Any] | None = None,
    *,
    title: str,
    link: str | None,
    bundle_uri: str,
    target: str,
) -> Message:
    """The message about one run: verdict, why, the figures that matter, where to read on.

    `verdict`, `metrics`, `diagnosis`: the content of verdict.json, metrics.json and diagnosis.json (None where the run
    has none; only a bottleneck is told); `title`: the profile's; `link`: address of the report or of the DAG run (left
    out unless http or https); `target`: its name.
    """
    word, reasons = str(verdict["verdict"]), verdict.get("reasons") or ()
    mark = {"PASS": "✅", "WARN": "🟡"}.get(word, "❌")
    sentence = SENTENCES.get(word, "")
    deciding = [reason for reason in reasons if REASON_CODES[reason["code"]].kind != "note"]
    first = f"{deciding[0]['code']}: {deciding[0]['text']}" if deciding else sentence
    header = _cut(list(_defused(f"{mark} {word}: {title}", _HEADER_CHARS)), _HEADER_CHARS)
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=header, emoji=False)),
        SectionBlock(text=_mrkdwn(f"{_escaped(sentence, 300)} Target: *{_escaped(target, 100)}*".strip())),
        SectionBlock(fields=[_mrkdwn(text) for text in _figures(verdict, metrics)]),
        ContextBlock(elements=[_mrkdwn(text) for text in _where(verdict, link, bundle_uri)]),
    ]
    if reasons:
        blocks.insert(2, SectionBlock(text=_mrkdwn(_why(reasons))))
    if diagnosis is not None and diagnosis["state"] == "bottleneck":
        blocks.insert(-2, SectionBlock(text=_mrkdwn(_bottleneck(diagnosis))))
    text = _escaped(f"{mark} {word}: {title[:200]} on {target[:100]}. {first}", 600)
    return Message(text, tuple(block.to_dict() for block in blocks))


def notice(title: str, text: str, link: str | None, mark: str = "❌") -> Message:
    """A message that is no verdict: what a person has to look at. `link` as in `run_message`."""
    header = _cut(list(_defused(f"{mark} {title}", _HEADER_CHARS)), _HEADER_CHARS)
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=header, emoji=False)),
        SectionBlock(text=_mrkdwn(_escaped(text, _SECTION_CHARS))),
    ]
    if links := list(_links(link)):
        blocks.append(ContextBlock(elements=[_mrkdwn(address) for address in links]))
    return Message(_escaped(f"{mark} {title[:200]}. {text}", 600), tuple(block.to_dict() for block in blocks))


def _why(reasons: Sequence[Mapping[str, Any]]) -> str:
    """At most `MAX_REASONS` reasons; what to do stands under the first of each code. Below 3,000 characters."""
    lines, explained = ["*Why*"], set()
    for reason in reasons[:MAX_REASONS]:
        code = str(reason["code"])
        lines.append(f"• *{_escaped(code, 40)}*: {_escaped(reason['text'], 300)}")
        if code in REASON_CODES and code not in explained:
            lines.append(f"      → {_escaped(REASON_CODES[code].action, 200)}")
        explained.add(code)
    if len(reasons) > MAX_REASONS:
        lines.append(f"… and {len(reasons) - MAX_REASONS} more in the report")
    return "\n".join(lines)


def _bottleneck(diagnosis: Mapping[str, Any]) -> str:
    """Cause and next step. Below 3,000 characters."""
    lines = ["*What saturates*", _escaped(str(diagnosis["sentence"]), 500)]
    if diagnosis["next_step"]:
        lines.append(f"      → {_escaped(str(diagnosis['next_step']), 300)}")
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


def _figures(verdict: Mapping[str, Any], metrics: Mapping[str, Any] | None) -> list[str]:
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


def _has_figure(reason: Mapping[str, Any]) -> bool:
    """Whether its metric is one of metrics.json; what the change test found stands in the reason's own text."""
    return bool(reason.get("metric")) and reason["code"] not in _OF_CHANGES


def _slo_of(item: Mapping[str, Any], slos: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
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


def _figure(key: tuple[str, str, str], row: Mapping[str, Any] | None, slo: Mapping[str, Any] | None) -> str:
    metric, scope, phase = key
    name = _LABELS.get(metric, metric)
    name += "" if scope == SCOPE_ALL else f" of {scope}"
    name += "" if phase == "hold" else f" in {phase}"
    value = _escaped(_value(row, slo), 60)
    if slo is None:
        return f"*{_escaped(name, 100)}*\n{value} (no limit)"
    kind = "limit" if slo["level"] == "critical" else "warning limit"
    limit = f"{kind} {slo['comparator']} {figure(slo['limit'], slo['unit'])}"
    outcome = slo["outcome"].replace("_", " ")
    return f"*{_escaped(name, 100)}*\n{value} ({_escaped(limit, 60)}: *{outcome}*)"


def _value(row: Mapping[str, Any] | None, slo: Mapping[str, Any] | None) -> str:
    """The point value; without one, what was judged: at most the slowest row, or at least the proved bound."""
    if row is not None and row["value"] is not None:
        return cell(row)
    if slo is None or slo["observed"] is None:
        return NOT_MEASURED
    sign = "" if row is None else "≥ " if slo["outcome"] == "missed" else "≤ "
    return sign + figure(slo["observed"], slo["unit"])


def _where(verdict: Mapping[str, Any], link: str | None, bundle_uri: str) -> Iterator[str]:
    yield from _links(link)
    names = [f"{name} {_code(verdict[name], 150)}" for name in ("suite", "profile", "engine") if verdict.get(name)]
    yield " · ".join([f"run {_code(verdict.get('run_id') or '', 150)}", *names])
    yield f"bundle {_code(_without_password(bundle_uri), 600)}"


def _links(link: str | None) -> Iterator[str]:
    """The address of a DAG run as a link; nothing where it is none."""
    address = _without_password(link or "").replace("&", "&amp;")
    if re.fullmatch(r"https?://[^\s<>|]{1,2500}", address) and address.isprintable():
        yield f"<{address}|Open the run>"


def _without_password(uri: str) -> str:
    return re.sub(r"://([^/@:]*):[^/@]*@", r"://\1:***@", uri)


def _mrkdwn(text: str) -> MarkdownTextObject:
    # Verbatim: Slack makes no link, channel or mention of a plain word.
    return MarkdownTextObject(text=text, verbatim=True)


_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
"""All that Slack has; other signs that mark up or mention need a look-alike or a space of no width."""
_DEFUSED = str.maketrans({"@": "@\u200b", "`": "'", "*": "\u2217", "~": "\u223c"})


def _escaped(value: object, limit: int) -> str:
    """Text from anywhere as harmless mrkdwn on one line, at most `limit` characters."""
    return _cut([_ENTITIES.get(char, char) for char in _defused(value, limit)], limit)


def _code(value: object, limit: int) -> str:
    """The same between code marks, where only the entities count, so that it can be copied as it is."""
    text = _one_line(value, limit).replace("`", "'")
    return f"`{_cut([_ENTITIES.get(char, char) for char in text], limit) or 'unknown'}`"


def _defused(value: object, limit: int) -> str:
    """One line in which nobody is mentioned, nothing is marked up and a `:name:` is no emoji."""
    return re.sub(r":(?=[\w+'-]+:)", ":\u200b", _one_line(value, limit).translate(_DEFUSED))


def _one_line(value: object, limit: int) -> str:
    """The printable beginning; one character longer than `limit` where there is more, so that the cut shows."""
    text = printable(str(value), 10 * limit)
    return " ".join(text.split())[: limit + 1]


def _cut(pieces: Sequence[str], limit: int) -> str:
    """The pieces as one text of at most `limit` characters; none is cut in two."""
    sizes = list(accumulate(len(piece) for piece in pieces))
    if not sizes or sizes[-1] <= limit:
        return "".join(pieces)
    return "".join(piece for piece, size in zip(pieces, sizes, strict=True) if size < limit) + "…"
