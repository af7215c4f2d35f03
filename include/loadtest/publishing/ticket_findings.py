"""What is wrong with a run, as problems that may become issues, and which of them are one issue. Pure."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from include.loadtest.analysis.figures import BODY, TAIL
from include.loadtest.history.tickets import Problem
from include.loadtest.profile.vocabulary import BASELINES, METRICS, SCOPE_ALL
from include.loadtest.reasons import REASON_CODES, ReasonCode
from include.loadtest.reporting.markdown import NOT_MEASURED, cell, figure, interval
from include.loadtest.verdict import GREEN

Document = Mapping[str, Any]
Family = Literal["latency", "errors", "throughput", "resources"]
STOP_RULES = ("auto_stop_errors", "auto_stop_latency")
RESTART = "target_restarted"
CHANGES = frozenset({BODY, TAIL})
"""Measures of the change test, which are the metrics of a regression's problem."""
_NOT_CHANGED = frozenset({"OK", "IMPROVEMENT"})
_FAMILIES: tuple[tuple[Family, tuple[str, ...]], ...] = (
    ("errors", ("error", "rejected", "dropped", RESTART, "documents_lost")),
    ("throughput", ("throughput", "saturation_users", "breaking_point_users", "documents_at_once")),
    ("latency", ("latency", "ttft", "recovery_time", "longest_stall", "own_time", "llm_wait")),
)
"""By parts of a metric's name; the seconds of a requirement are latencies too, all else is resources."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong in this run, with its figures as people read them.

    `value` is the figure in `unit`, None where there is none; `severity` orders findings, the worst is the largest.
    """

    problem: Problem
    phase: str
    measured: str
    bound: str
    interval: str
    n: str
    before: str
    severity: float
    value: float | None = None
    unit: str | None = None


def findings_of(verdict: Document, metrics: Document | None, comparison: Document | None, target: str) -> list[Finding]:
    """What the run files, the worst first: nothing for a verdict that files nothing.

    An aborted run files its stop rule alone, since its figures are of a part of the load.
    """
    profile = str(verdict["profile"])
    if verdict["verdict"] == "ABORTED":
        found = list(_stops(verdict, profile, target))
    elif verdict["verdict"] in ("SLA_BREACH", "REGRESSION"):
        codes = {reason["code"] for reason in verdict["reasons"]}
        found = [*_missed(verdict, metrics, comparison, target), *_restarts(verdict, profile, target)]
        found += list(_changes(comparison, profile, target)) if "regression" in codes else []
    else:
        found = []
    return sorted(found, key=lambda one: (-one.severity, one.problem.metric, one.problem.scope))


def _stops(verdict: Document, profile: str, target: str) -> Iterator[Finding]:
    yield from (_of_reason(one, profile, target) for one in verdict["reasons"] if one["code"] in STOP_RULES)


def _restarts(verdict: Document, profile: str, target: str) -> Iterator[Finding]:
    yield from (_of_reason(one, profile, target) for one in verdict["reasons"] if one["code"] == RESTART)


def _of_reason(reason: Document, profile: str, target: str) -> Finding:
    """A reason without a figure: its text says it all, and nothing is worse."""
    problem = Problem(profile, target, SCOPE_ALL, str(reason["code"]), "lower")
    return Finding(problem, "–", str(reason["text"]), "–", NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, math.inf)


def _missed(verdict: Document, metrics: Document | None, comparison: Document | None, target: str) -> Iterator[Finding]:
    rows = {(one["metric"], one["scope"], one["phase"]): one for one in (metrics or {}).get("metrics", ())}
    for slo in verdict["slos"]:
        if slo["outcome"] == "missed" and slo["level"] == "critical":
            yield Finding(
                _of_limit(slo, str(verdict["profile"]), target),
                str(slo["phase"]),
                _observed(rows.get((slo["metric"], slo["scope"], slo["phase"])), slo),
                f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}",
                _or_unknown(interval(slo)),
                f"{slo['n']:,}",
                _previous(slo, comparison),
                _excess(slo),
                slo["observed"],
                str(slo["unit"]),
            )


def _of_limit(slo: Document, profile: str, target: str) -> Problem:
    metric = METRICS.get(slo["metric"])
    return Problem(profile, target, str(slo["scope"]), str(slo["metric"]), metric.direction if metric else "none")


def _observed(row: Document | None, slo: Document) -> str:
    """The point value, else the bound that the limit was judged by."""
    if row is not None and row["value"] is not None:
        return cell(row)
    sign = "≤ " if slo["comparator"].startswith(">") else "≥ "
    return NOT_MEASURED if slo["observed"] is None else sign + figure(slo["observed"], slo["unit"])


def _previous(slo: Document, comparison: Document | None) -> str:
    """The same figure of the last comparable run."""
    comparison = comparison or {}
    for one in comparison.get("differences") or ():
        if (one["metric"], one["scope"], comparison["phase"]) == (slo["metric"], slo["scope"], slo["phase"]):
            return figure(one["previous"], one["unit"])
    return NOT_MEASURED


def _excess(slo: Document) -> float:
    """How many times the limit; infinite where there is no such figure."""
    observed, limit = slo["observed"], slo["limit"]
    above, below = (observed, limit) if slo["comparator"].startswith("<") else (limit, observed)
    return above / below if above is not None and below else math.inf


def _changes(comparison: Document | None, profile: str, target: str) -> Iterator[Finding]:
    """What got slower: the finding that decided, and those that changed by as much beside it."""
    document = (comparison or {}).get("change_test") or {}
    for name, entry in (document.get("against") or {}).items():
        if entry["word"] == "REGRESSION":
            worst = entry["worst"]
            for one in entry["findings"]:
                is_worst = (one["measure"], one["scope"]) == (worst["measure"], worst["scope"])
                if is_worst or _is_worse(one, document["relevant_change"]):
                    found = _changed(one, name, document["relevant_change"], profile, target)
                    yield replace(found, severity=found.severity + is_worst)


def _is_worse(one: Document, relevant: float) -> bool:
    return bool(one["direction"] == "worse" and abs(one["change"]) > relevant and one["ci_low"] * one["ci_high"] > 0)


def _changed(one: Document, against: str, relevant: float, profile: str, target: str) -> Finding:
    low, high = (f"{100 * one[end]:+.1f} %" for end in ("ci_low", "ci_high"))
    return Finding(
        Problem(profile, target, str(one["scope"]), str(one["measure"]), "lower"),
        "hold",
        f"{100 * one['change']:+.1f} %",
        f"relevant from {100 * relevant:g} %",
        f"{low} – {high}",
        f"{one['baseline_runs']} of {BASELINES[against]}",
        "0 % is the baseline",
        1 + abs(one["change"]),
        one["change"],
        "ratio",
    )


def _or_unknown(text: str) -> str:
    return NOT_MEASURED if text == "–" else text


@dataclass(frozen=True)
class Shown:
    """What a green run shows: fingerprints of problems that it does not have, and of those that it cannot tell of."""

    fine: frozenset[str]
    unknown: frozenset[str]


def shown_by(verdict: Document, comparison: Document | None, target: str) -> Shown:
    """What the run says of problems that others had; nothing for a run that is not green.

    A limit that was not judged, and a change test without a decision, say nothing.
    """
    if verdict["verdict"] not in GREEN:
        return Shown(frozenset(), frozenset())
    profile = str(verdict["profile"])
    fine = {Problem(profile, target, SCOPE_ALL, code, "lower") for code in (*STOP_RULES, RESTART)}
    unknown: set[Problem] = set()
    for slo in verdict["slos"]:
        (fine if slo["outcome"] in ("met", "near") else unknown).add(_of_limit(slo, profile, target))
    document = (comparison or {}).get("change_test") or {}
    if document.get("word") in _NOT_CHANGED:
        entries = [one for entry in document["against"].values() for one in entry["findings"]]
        fine |= {Problem(profile, target, str(one["scope"]), str(one["measure"]), "lower") for one in entries}
    return Shown(_fingerprints(fine - unknown), _fingerprints(unknown))


def is_disproved(verdict: Document) -> bool:
    """Whether the run's repeats show that nothing got slower."""
    return any(reason["code"] == "regression_disproved" for reason in verdict["reasons"])


def _fingerprints(problems: Iterable[Problem]) -> frozenset[str]:
    return frozenset(problem.fingerprint for problem in problems)


def first_cause(diagnosis: Document | None) -> Document | None:
    """The first cause of a diagnosis that found a bottleneck."""
    if not diagnosis or diagnosis.get("state") != "bottleneck":
        return None
    return next(iter(diagnosis.get("causes") or ()), None)


def groups_of(found: Sequence[Finding], diagnosis: Document | None) -> list[list[Finding]]:
    """Findings that are one issue each: all, where one cause is known, else those of one family. The worst first."""
    if first_cause(diagnosis) is not None:
        return [list(found)] if found else []
    families: dict[str, list[Finding]] = {}
    for one in found:
        families.setdefault(family(one.problem.metric), []).append(one)
    return list(families.values())


def capped(groups: Sequence[list[Finding]], most: int) -> list[list[Finding]]:
    """At most so many groups: the rest is told in the last of them."""
    kept = [list(group) for group in groups[:most]]
    for group in groups[most:]:
        kept[-1] += group
    return kept


def family(metric: str) -> Family:
    """What a metric is about."""
    if metric == "auto_stop_latency" or (metric.endswith("_s") and metric in METRICS and METRICS[metric].unit == "s"):
        return "latency"
    return next((name for name, parts in _FAMILIES if any(part in metric for part in parts)), "resources")


def what_kind(problem: Problem) -> Literal["limit", "change", "stop", "restart"]:
    """What was broken: a limit, the pace of the baseline, the load's stop rule, or the target itself."""
    if problem.metric in STOP_RULES:
        return "stop"
    if problem.metric == RESTART:
        return "restart"
    return "change" if problem.metric in CHANGES else "limit"


def next_steps(verdict: Document) -> list[str]:
    """What a person does about the run's deciding reasons, each once."""
    return list(dict.fromkeys(code.action for code in _deciding(verdict)))


def reason_pages(verdict: Document) -> list[str]:
    """The pages, below `docs/`, of the run's deciding reasons, each once."""
    return list(dict.fromkeys(code.page for code in _deciding(verdict)))


def _deciding(verdict: Document) -> Iterator[ReasonCode]:
    for one in verdict["reasons"]:
        code = REASON_CODES.get(one["code"])
        if code is not None and code.kind in ("aborted", "breach", "regression"):
            yield code
