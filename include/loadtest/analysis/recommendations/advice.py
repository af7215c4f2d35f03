"""Recommendations in the specification's form, from a diagnosis. Nothing without evidence. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.analysis.recommendations.by_cause import of_cause
from include.loadtest.analysis.recommendations.case import Case, Detail
from include.loadtest.analysis.recommendations.conditions import CONDITIONS
from include.loadtest.analysis.recommendations.facts import Facts
from include.loadtest.analysis.recommendations.scaling import is_the_files, scaled, scaling_of
from include.loadtest.causes import CAUSES
from include.loadtest.errors import ConfigError, nearest
from include.loadtest.profile.costs import Costs, Range
from include.loadtest.profile.optimisations import Evidence, Optimisation, Optimisations

NO_PURCHASE = "no purchase"
COST_NOT_KNOWN = "not known"
_PRIORITIES = ("HIGH", "MEDIUM", "LOW")

Row = Mapping[str, Any]
Ranked = tuple[int, int, dict[str, Any]]


def recommend(
    diagnosis: Row,
    metrics: Row,
    costs: Costs,
    optimisations: Optimisations,
    *,
    facts: Mapping[str, Facts] | None = None,
) -> list[dict[str, Any]]:
    """What to change, those of the best cause first, then by priority; empty where nothing was found.

    Only causes that no other explains are advised on. An entry has `id`, `component`, `current`, `recommended`,
    `priority`, `cost`, `effort`, `improvement`, `trigger` as text, and `text` (of optimisations.yaml), `cause` (null: a
    figure alone), `improvement_range` (null: not estimated), `documents_assumption` (the document's own gain, null
    where it names none) and `purchase`: "now", "not_now" (a trigger of the cost file was crossed without its cause), or
    null for what is not of the cost file. `facts` are `facts_of` the bundle and this diagnosis; without them entries
    that need them are not made. `diagnosis` may hold the part `capacity`, which the utilisation law is taken from.
    Raises ConfigError where optimisations.yaml names a cause that does not exist.
    """
    check_causes(optimisations)
    case = Case(diagnosis, metrics, costs)
    found = sorted(_found(case, optimisations.entries, facts or {}), key=lambda one: one[:2])
    return [entry for _, _, entry in found]


def check_causes(optimisations: Optimisations) -> None:
    """Raise ConfigError where an entry names a cause that no diagnosis has."""
    for entry in optimisations.entries:
        for name in entry.evidence.causes if isinstance(entry.evidence, Evidence) else ():
            if name not in CAUSES:
                raise ConfigError(f"optimisations.yaml: {entry.id}: unknown cause {name!r}; {nearest(name, CAUSES)}")


def _found(case: Case, entries: Sequence[Optimisation], facts: Mapping[str, Facts]) -> Iterator[Ranked]:
    for entry in entries:
        if entry.same_as is not None or not isinstance(entry.evidence, Evidence):
            continue
        found = case.cause_of(entry.evidence.causes)
        cause = None if found is None else found[1]
        own = case.seen_in(facts, cause)
        rank = len(case.causes) if found is None else found[0]
        if entry.scaling is not None:
            yield from _bought(own, entry, entry.evidence, rank)
        elif (detail := _detail(own, entry.evidence, cause)) is not None:
            yield rank, _PRIORITIES.index(entry.priority), _changed(entry, cause, detail)


def _detail(case: Case, evidence: Evidence, cause: Row | None) -> Detail | None:
    if evidence.causes and cause is None:
        return None
    if evidence.condition is not None:
        return CONDITIONS[evidence.condition](case, cause)
    return None if cause is None else of_cause(case, cause)


def _changed(entry: Optimisation, cause: Row | None, detail: Detail) -> dict[str, Any]:
    cost = cost_text(entry.cost_eur_a_month) if entry.cost_known else COST_NOT_KNOWN
    words = f"{entry.text}: {detail.recommended}" if detail.recommended else entry.text
    return {
        **_document(entry, detail),
        "recommended": words,
        "priority": entry.priority,
        "cost": cost,
        "effort": entry.effort,
        "documents_assumption": None,
        "purchase": None,
        "cause": None if cause is None else cause["cause"],
    }


def _bought(case: Case, entry: Optimisation, evidence: Evidence, rank: int) -> Iterator[Ranked]:
    """What to buy now; or, behind all else, that a trigger is no reason to."""
    scaling = None if entry.scaling is None else scaling_of(case, entry.scaling)
    found = None if scaling is None else scaled(case, scaling, evidence)
    if scaling is None or found is None:
        return
    purchase, detail = found
    is_now = purchase == "now"
    price = cost_text(scaling.cost_eur_a_month)
    if not is_the_files(case, scaling):
        price = f"{COST_NOT_KNOWN} ({price} for {scaling.current} → {scaling.recommended})"
    priority, cost = (scaling.priority, price) if is_now else ("LOW", NO_PURCHASE)
    document = {
        **_document(entry, detail),
        "priority": priority,
        "cost": cost,
        "effort": scaling.effort if is_now else "LOW",
        "documents_assumption": scaling.documents_assumption if is_now else None,
        "purchase": purchase,
        "cause": case.first_cause["cause"] if is_now and case.first_cause is not None else None,
    }
    yield rank if is_now else len(case.causes) + 1, _PRIORITIES.index(priority), document


def _document(entry: Optimisation, detail: Detail) -> dict[str, Any]:
    return {
        "id": entry.id,
        "text": entry.text,
        "component": entry.component,
        "current": detail.current,
        "recommended": detail.recommended,
        "improvement": detail.improvement.text,
        "improvement_range": detail.improvement.document(),
        "trigger": detail.trigger,
    }


def cost_text(costs: Range | None) -> str:
    """A cost as the document writes it."""
    return NO_PURCHASE if costs is None else f"€{costs.low}-{costs.high}/month"
