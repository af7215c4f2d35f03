"""What an issue says: its title, its text, which each bad run writes anew, and a comment for each event. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.loadtest.causes import cause_page
from include.loadtest.errors import printable
from include.loadtest.history.tickets import Decision, Problem
from include.loadtest.profile.tickets import TicketRules
from include.loadtest.profile.vocabulary import BASELINES, SCOPE_ALL
from include.loadtest.publishing.github_text import bounded, code, harmless, link, page_words, plain
from include.loadtest.publishing.ticket_command import command, file_needed
from include.loadtest.publishing.ticket_findings import Finding, next_steps, reason_pages, what_kind
from include.loadtest.publishing.ticket_marks import event_mark, ticket_mark
from include.loadtest.reporting.markdown import NOT_MEASURED, bullets, figure, moment, section, table
from include.loadtest.reporting.report import SENTENCES

Document = Mapping[str, Any]
TITLE = "Performance Regression Detected"
MAX_TITLE_CHARS = 256
TEST_LABEL, TEST_PREFIX = "load-test-selftest", "[TEST] "
MAX_ROWS = 60
_CELL_CHARS = 120
_SENTENCE_CHARS = 1000
_MAX_LABEL_CHARS = 50
_WORDS = {
    "latency_body_ms": "typical latency (P10 to P90)",
    "latency_tail_ms": "tail latency (P95, P99)",
    "auto_stop_errors": "load stopped, nearly all requests failed",
    "auto_stop_latency": "load stopped, requests took too long",
    "target_restarted": "the target restarted under load",
}
_UNITS = ("_ms", "_s", "_pct", "_rpm", "_bytes", "_eur")
_ENDS = {"limit": " misses its limit", "change": " is slower than its baseline", "stop": "", "restart": ""}


@dataclass(frozen=True)
class TicketRun:
    """The run that files. `parameters`: as in its manifest; `link`: its DAG run's address, `report_url`: that of its
    published report, None where there is none; `is_test`: of the alarm's self-test, marked so in title and label."""

    run_id: str
    profile: str
    target: str
    parameters: Mapping[str, Any]
    started: str
    link: str | None
    report_url: str | None
    bundle_uri: str
    is_test: bool = False


@dataclass(frozen=True)
class Account:
    """A run with what it concluded, and the rules of its tickets."""

    run: TicketRun
    verdict: Document
    comparison: Document | None
    diagnosis: Document | None
    rules: TicketRules


def payload_of(account: Account, findings: Sequence[Finding], decision: Decision) -> dict[str, Any]:
    """What is delivered of a decision; `findings`: those of this issue, none where it is closed.

    `number` is the issue's as far as it is known now, `state` what it shall be in; `body` None leaves its text as it
    is; `comment` None: no comment. `figures` is what the next run is compared with.
    """
    ticket, run = decision.ticket, account.run
    is_bad = bool(findings)
    return {
        "fingerprint": ticket.fingerprint,
        "generation": ticket.generation,
        "number": ticket.number,
        "run_id": run.run_id,
        "kind": decision.kind,
        "state": "open" if is_bad else "closed",
        "title": title(ticket.problem, is_test=run.is_test),
        "body": body(account, findings, decision) if is_bad else None,
        "labels": labels(account),
        "label_colour": account.rules.label_colour,
        "comment": comment(account, findings, decision),
        "figures": [_kept(one) for one in findings],
    }


def title(problem: Problem, *, is_test: bool = False) -> str:
    """What is wrong, where: one line of at most 256 characters."""
    text = f"{TITLE}: {said(problem)}{_ENDS[what_kind(problem)]}"
    where = f" (profile {problem.profile}, target {problem.target})"
    line = f"{TEST_PREFIX if is_test else ''}{text}{where}"
    return " ".join(printable(line, MAX_TITLE_CHARS).split())


def said(problem: Problem) -> str:
    """A problem's metric and scope in words."""
    name = words(problem.metric)
    if what_kind(problem) in ("stop", "restart"):
        return name
    return f"{name} of {'all requests' if problem.scope == SCOPE_ALL else problem.scope.replace(':', ' ', 1)}"


def words(metric: str) -> str:
    """A metric's name for people: without its unit, percentiles in front.

    >>> words("latency_p95_ms"), words("error_rate")
    ('P95 latency', 'error rate')
    """
    if metric in _WORDS:
        return _WORDS[metric]
    unit = next((one for one in _UNITS if metric.endswith(one)), "")
    parts = metric.removesuffix(unit).split("_")
    percentile = [part.upper() for part in parts if part[:1] == "p" and part[1:].isdigit()]
    return " ".join([*percentile, *(part for part in parts if part.upper() not in percentile)])


def labels(account: Account) -> list[str]:
    """Those of all issues, the verdict's, the profile's; a test has its own only."""
    if account.run.is_test:
        return [TEST_LABEL]
    verdict = str(account.verdict["verdict"]).lower().replace("_", "-")
    return [*account.rules.labels, verdict, f"profile:{account.run.profile}"[:_MAX_LABEL_CHARS]]


def body(account: Account, findings: Sequence[Finding], decision: Decision) -> str:
    """The issue's text with the latest figures."""
    run, ticket = account.run, decision.ticket
    sentence = SENTENCES.get(str(account.verdict["verdict"]), "")
    parts = [
        ticket_mark(ticket.fingerprint, ticket.generation),
        f"**{plain(account.verdict['verdict'], 40)}** in {code(run.run_id, 150)}, profile {code(run.profile, 80)} on "
        f"{code(run.target, 80)}, started {moment(run.started)}. {sentence}",
        f"The same problem was told in {decision.previous} before." if decision.previous else "",
        section("What is wrong", _table(findings), _more(len(findings))),
        section("Compared with", _baseline(account.comparison)),
        section("What saturates", *_saturates(account)),
        section("Where to read on", bullets(_links(run))),
        section("How to reproduce", f"```sh\n{command(run.parameters)}\n```", file_needed(run.parameters)),
        _footer(account),
    ]
    return _joined(parts)


def comment(account: Account, findings: Sequence[Finding], decision: Decision) -> str | None:
    """What an event changed; None for a new issue, whose text says it all."""
    if decision.kind == "opened":
        return None
    run = account.run
    where = f"{code(run.run_id, 150)}, started {moment(run.started)}"
    clean = _in_a_row(decision.ticket.clean_runs)
    told = {
        "updated": f"**Still there** in {where} ({plain(account.verdict['verdict'], 40)}).",
        "reopened": f"**Back** in {where} ({plain(account.verdict['verdict'], 40)}), so this issue is open again.",
        "closed": f"**Gone**: {clean}, the last of them {where} ({account.verdict['verdict']}). Closed.",
        "disproved": f"**Not confirmed**: the repeats of {where} do not show it. Closed.",
    }
    parts = [
        event_mark(decision.ticket.fingerprint, run.run_id),
        told[decision.kind],
        _changes(findings, decision.before) if findings else "",
        " · ".join(_links(run)),
    ]
    return _joined(parts)


def _joined(parts: Iterable[str]) -> str:
    return bounded(["\n\n".join(part for part in parts if part), ""])


def _in_a_row(count: int) -> str:
    return "one clean run" if count == 1 else f"{count} clean runs in a row"


def _table(findings: Sequence[Finding]) -> str:
    header = ("what", "phase", "measured", "limit or baseline", "last comparable run", "95 % interval", "n")
    rows = (
        (said(one.problem), one.phase, one.measured, one.bound, one.before, one.interval, one.n)
        for one in findings[:MAX_ROWS]
    )
    return table(header, map(_cells, rows))


def _cells(texts: Sequence[str]) -> list[str]:
    return [harmless(text, _CELL_CHARS) for text in texts]


def _more(count: int) -> str:
    return f"… and {count - MAX_ROWS} more; the report has them." if count > MAX_ROWS else ""


def _baseline(comparison: Document | None) -> str:
    """The runs that this one was compared with."""
    document = (comparison or {}).get("change_test") or {}
    lines = [
        f"{BASELINES[name]}, {_count(len(entry['runs']))}: {_first_and_last(entry['runs'])}"
        for name, entry in (document.get("against") or {}).items()
        if entry["runs"]
    ]
    previous = (comparison or {}).get("previous_run_id")
    lines += [f"the last comparable run, {code(previous, 150)}"] if previous else []
    return bullets(lines) or f"Baseline: {NOT_MEASURED}, there is no comparable run."


def _count(runs: int) -> str:
    return "1 run" if runs == 1 else f"{runs} runs"


def _first_and_last(runs: Sequence[str]) -> str:
    return code(runs[0], 150) if len(runs) == 1 else f"{code(runs[0], 150)} to {code(runs[-1], 150)}"


def _saturates(account: Account) -> list[str]:
    diagnosis = account.diagnosis
    if diagnosis is None:
        return [
            f"{NOT_MEASURED[0].upper()}{NOT_MEASURED[1:]}: this run has no diagnosis.",
            _steps(account),
            _pages(account),
        ]
    step = diagnosis.get("next_step")
    words = f"Next step: {plain(step, _SENTENCE_CHARS)}" if step else _steps(account)
    return [f"**{plain(diagnosis['sentence'], _SENTENCE_CHARS)}**", words, _pages(account)]


def _steps(account: Account) -> str:
    steps = next_steps(account.verdict)
    return f"Next step: {' '.join(steps)}" if steps else ""


def _pages(account: Account) -> str:
    """Where to read what to do: the page of the first cause, then those of the deciding reasons."""
    pages = dict.fromkeys(
        [*([page] if (page := cause_page(account.diagnosis)) else []), *reason_pages(account.verdict)]
    )
    return f"What to do in detail: {', '.join(page_words(account.run.link, page) for page in pages)}" if pages else ""


def _links(run: TicketRun) -> list[str]:
    return [
        link("DAG run", run.link) or "DAG run: its address is not known",
        link("Report", run.report_url) or "Report: not published",
        f"Bundle: {code(run.bundle_uri, 600)}",
    ]


def _footer(account: Account) -> str:
    closing = _in_a_row(account.rules.close_after_clean_runs)
    return (
        f"<sub>Each bad run writes this text anew, so add to it in comments. It takes {closing} to close the issue. "
        f"Closed as not planned, it is left alone.</sub>"
    )


def _kept(one: Finding) -> dict[str, Any]:
    shown = {"name": said(one.problem), "measured": one.measured, "value": one.value, "unit": one.unit}
    return {"fingerprint": one.problem.fingerprint, "phase": one.phase, **shown}


def _changes(findings: Sequence[Finding], before: Document) -> str:
    """Each figure beside that of the bad run before; what was bad there and is not any more is named too."""
    old = {(one["fingerprint"], one["phase"]): one for one in before.get("figures") or ()}
    new = {(one.problem.fingerprint, one.phase): one for one in findings}
    rows = [
        (said(one.problem), one.phase, old[key]["measured"] if key in old else _before_words(before), one.measured,
         _difference(old.get(key), one))
        for key, one in new.items()
    ]  # fmt: skip
    rows += [
        (one["name"], one["phase"], one["measured"], "not missed in this run", "–")
        for key, one in old.items()
        if key not in new
    ]
    head = f"Before: {code(before['run_id'], 150)}" if before.get("run_id") else ""
    shown = table(("what", "phase", "before", "now", "change"), map(_cells, rows[:MAX_ROWS]))
    return "\n\n".join(part for part in (shown, _more(len(rows)), head) if part)


def _before_words(before: Document) -> str:
    return "not missed before" if before.get("figures") else "not known"


_BOUNDS = ("≥", "≤")


def _difference(old: Document | None, one: Finding) -> str:
    """How far the figure has moved since; ratios in points, since they are per cent themselves.

    Of a bound nobody knows how far it is from the figure.
    """
    if any(str(text).startswith(_BOUNDS) for text in (one.measured, (old or {}).get("measured"))):
        return "–"
    if old is None or one.value is None or old["value"] is None or old["unit"] != one.unit:
        return "–"
    difference = one.value - old["value"]
    sign, size = "+" if difference >= 0 else "−", abs(difference)
    return f"{sign}{f'{100 * size:.4g} points' if one.unit == 'ratio' else figure(size, one.unit or '')}"
