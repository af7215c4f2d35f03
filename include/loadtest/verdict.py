"""Verdicts, their reasons, and which outranks which. Derived from data, never from an exit code."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from include.loadtest.profile.vocabulary import LLM_METRICS, SERVER_METRICS, Comparator, Level
from include.loadtest.reasons import REASON_CODES, Kind


class Verdict(StrEnum):
    """What a run says; see docs/verdicts.md."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    WARN = "WARN"
    SLA_BREACH = "SLA_BREACH"
    REGRESSION = "REGRESSION"
    ABORTED = "ABORTED"
    INCONCLUSIVE = "INCONCLUSIVE"


GREEN = frozenset({Verdict.PASS, Verdict.WARN})
"""The gate is red for all other verdicts."""

_WORST_FIRST = (
    Verdict.ABORTED,
    Verdict.SLA_BREACH,
    Verdict.REGRESSION,
    Verdict.INCONCLUSIVE,
    Verdict.WARN,
    Verdict.PASS,
)


_MARKS = {"PASS": "✅", "WARN": "🟡", "ABORTED": "🛑", "INCONCLUSIVE": "⚪"}


def verdict_mark(word: str) -> str:
    """A sign that is seen before the word is read; INCONCLUSIVE says nothing of the product, and has no red one."""
    return _MARKS.get(word, "❌")


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a suite: the worst of its runs'. Raises ValueError for no runs: that is no verdict."""
    return min(verdicts, key=_WORST_FIRST.index)


_VERDICT_OF_KIND: dict[Kind, Verdict] = {
    "aborted": Verdict.ABORTED,
    "untrusted": Verdict.INCONCLUSIVE,
    "breach": Verdict.SLA_BREACH,
    "missing": Verdict.INCONCLUSIVE,
    "regression": Verdict.REGRESSION,
    "warning": Verdict.WARN,
}


@dataclass(frozen=True)
class Reason:
    """One reason of a verdict; figures in `unit`, None where the reason has none."""

    code: str
    text: str
    metric: str | None = None
    scope: str | None = None
    observed: float | None = None
    limit: float | None = None
    unit: str | None = None

    @property
    def kind(self) -> Kind:
        """What this reason can decide."""
        return REASON_CODES[self.code].kind


Outcome = Literal["met", "near", "missed", "not_judged"]


@dataclass(frozen=True)
class SloResult:
    """How one limit was judged. `close`: the 95 % interval of the observed value spans the limit."""

    metric: str
    scope: str
    phase: str
    level: Level
    required: bool
    comparator: Comparator
    observed: float | None
    n: int
    ci_low: float | None
    ci_high: float | None
    limit: float
    unit: str
    outcome: Outcome
    close: bool


def slo_reasons(results: Sequence[SloResult], bounds: Collection[tuple[str, str, str]] = ()) -> list[Reason]:
    """The reasons that judged limits give; `bounds`: metric, scope and phase of figures that are only lower bounds."""
    return [reason for result in results if (reason := _slo_reason(result, bounds)) is not None]


def _slo_reason(result: SloResult, bounds: Collection[tuple[str, str, str]]) -> Reason | None:
    code = _slo_code(result)
    if code is None:
        return None
    return Reason(
        code,
        _slo_text(result, code, "≥ " if (result.metric, result.scope, result.phase) in bounds else ""),
        result.metric,
        result.scope,
        result.observed,
        result.limit,
        result.unit,
    )


def _slo_code(result: SloResult) -> str | None:
    if result.outcome == "missed":
        return "slo_missed" if result.level == "critical" else "slo_warning"
    if result.outcome == "near":
        return "slo_near"
    if result.outcome == "not_judged" and result.required:
        is_read = result.metric in {*SERVER_METRICS, *LLM_METRICS}
        return "source_missing" if result.n == 0 and is_read else "too_few_samples"
    return None


def _slo_text(result: SloResult, code: str, sign: str) -> str:
    name = f"{result.metric} of {result.scope} in {result.phase}"
    if code in ("too_few_samples", "source_missing"):
        return f"{name}: not judged, n={result.n}"
    limit = figure(result.limit, result.unit)
    if result.outcome == "missed" and result.observed is None:
        return f"{name}: failed (errors.json has the answers), limit {result.comparator} {limit}"
    return f"{name}: {sign}{figure(result.observed, result.unit)}, limit {result.comparator} {limit}, n={result.n}"


NOT_MEASURED = "not measured"


def figure(value: float | None, unit: str) -> str:
    """A value with its unit, for a person; ratios as per cent, bytes as MiB."""
    if value is None:
        return NOT_MEASURED
    if unit == "ratio":
        return f"{100 * value:.4g} %"
    if unit == "bytes":
        return f"{value / 2**20:,.1f} MiB"
    return f"{shown(value)} {unit}"


def shown(value: float | None) -> str:
    """A figure for a person: four significant digits, no exponent for the usual sizes; "not measured" for None."""
    if value is None:
        return NOT_MEASURED
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def decide(reasons: Iterable[Reason]) -> Verdict:
    """The verdict that the highest-ranking kind of reason gives; PASS where no reason decides.

    Order: aborted, untrusted samples, breach, missing data, regression, warning. A breach that valid samples prove
    outranks a missing monitor; samples that cannot be trusted prove nothing.
    """
    kinds = {reason.kind for reason in reasons}
    for kind, verdict in _VERDICT_OF_KIND.items():
        if kind in kinds:
            return verdict
    return Verdict.PASS


def verdict_document(
    *,
    run_id: str,
    suite: str | None,
    profile: str,
    engine: str,
    reasons: Sequence[Reason],
    slos: Sequence[SloResult],
) -> dict[str, Any]:
    """The content of verdict.json; the deciding reasons come first."""
    order = list(_VERDICT_OF_KIND)
    ranked = sorted(reasons, key=lambda reason: order.index(reason.kind) if reason.kind in order else len(order))
    return {
        "schema": 1,
        "run_id": run_id,
        "suite": suite,
        "profile": profile,
        "engine": engine,
        "verdict": str(decide(reasons)),
        "reasons": [asdict(reason) for reason in ranked],
        "slos": [asdict(result) for result in slos],
    }
