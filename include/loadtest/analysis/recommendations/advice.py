"""Recommendations in the specification's form, from a diagnosis. Nothing without evidence. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.analysis.recommendations.by_cause import of_cause
from include.loadtest.analysis.recommendations.case import Case, Detail
from include.loadtest.analysis.recommendations.conditions import CONDITIONS
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.scaling import scaled, scaling_of
from include.loadtest.causes import CAUSES
from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile import Profile
from include.loadtest.profile.costs import Costs, Range
from include.loadtest.profile.optimisations import Evidence, Optimisation, Optimisations

NO_PURCHASE = "no purchase"
_PRIORITIES = ("HIGH", "MEDIUM", "LOW")

Row = Mapping[str, Any]
Ranked = tuple[int, int, dict[str, Any]]


def recommend(
    diagnosis: Row,
    metrics: Row,
    costs: Costs,
    optimisations: Optimisations,
    profile: Profile,
    *,
    facts: Facts | None = None,
) -> list[dict[str, Any]]:
    """What to change, those of the best cause first, then by priority; empty where nothing was found.

    An entry has `id`, `component`, `current`, `recommended`, `priority`, `cost`, `effort`, `improvement`, `trigger` as
    text, and `text` (of optimisations.yaml), `cause` (null: a figure alone), `improvement_range` (null: not estimated)
    and `documents_assumption` (the document's own gain, null where it names none). `facts` are `facts_of` the bundle;
    without them entries that need them are not made. `diagnosis` may hold the part `capacity`, which the utilisation
    law is taken from. Raises ConfigError where optimisations.yaml names a cause that does not exist.
    """
    check_causes(optimisations)
    del profile  # the figures are those of its hold already
    case = Case(diagnosis, metrics, costs, facts or Facts())
    found = sorted(_found(case, optimisations.entries), key=lambda one: one[:2])
    return [entry for _, _, entry in found]


def check_causes(optimisations: Optimisations) -> None:
    """Raise ConfigError where an entry names a cause that no diagnosis has."""
    for entry in optimisations.entries:
        for name in entry.evidence.causes if isinstance(entry.evidence, Evidence) else ():
            if name not in CAUSES:
                raise ConfigError(f"optimisations.yaml: {entry.id}: unknown cause {name!r}; {nearest(name, CAUSES)}")


def _found(case: Case, entries: Sequence[Optimisation]) -> Iterator[Ranked]:
    for entry in entries:
        if entry.same_as is not None or not isinstance(entry.evidence, Evidence):
            continue
        cause = case.cause_of(entry.evidence.causes)
        detail = _detail(case, entry, entry.evidence, None if cause is None else cause[1])
        if detail is not None:
            rank = len(case.causes) if cause is None else cause[0]
            yield rank, _PRIORITIES.index(entry.priority), _document(case, entry, cause, detail)


def _detail(case: Case, entry: Optimisation, evidence: Evidence, cause: Row | None) -> Detail | None:
    if entry.scaling is not None:
        scaling = scaling_of(case, entry.scaling)
        return None if scaling is None else scaled(case, scaling, cause)
    if evidence.causes and cause is None:
        return None
    if evidence.condition is not None:
        test = CONDITIONS.get(evidence.condition)
        return None if test is None else test(case, cause)
    return None if cause is None else of_cause(case, cause)


def _document(case: Case, entry: Optimisation, cause: tuple[int, Row] | None, detail: Detail) -> dict[str, Any]:
    scaling = None if entry.scaling is None else scaling_of(case, entry.scaling)
    costs = entry.cost_eur_a_month if scaling is None else scaling.cost_eur_a_month
    return {
        "id": entry.id,
        "text": entry.text,
        "component": entry.component,
        "current": detail.current,
        "recommended": detail.recommended if scaling is not None else _words(entry.text, detail.recommended),
        "priority": entry.priority if scaling is None else scaling.priority,
        "cost": cost_text(costs),
        "effort": entry.effort if scaling is None else scaling.effort,
        "improvement": detail.improvement.text,
        "improvement_range": detail.improvement.document(),
        "documents_assumption": None if scaling is None else scaling.documents_assumption,
        "trigger": detail.trigger,
        "cause": None if cause is None else cause[1]["cause"],
    }


def _words(text: str, specific: str) -> str:
    return f"{text}: {specific}" if specific else text


def cost_text(costs: Range | None) -> str:
    """A cost as the document writes it."""
    return NO_PURCHASE if costs is None else f"€{costs.low}-{costs.high}/month"
