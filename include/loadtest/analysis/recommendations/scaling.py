"""The triggers of the cost file: which were crossed, and what its part says. Pure."""

from include.loadtest.analysis.recommendations.case import Case, Detail, Row, evidence_text
from include.loadtest.analysis.recommendations.improvement import (
    NONE,
    Improvement,
    layer_share,
    shorter_by_at_most,
    with_twice,
)
from include.loadtest.profile.costs import Scaling, Trigger

_OF_THE_HOST = "host_"
"""Metrics of the machine as a whole: where the generator runs on it too, they say nothing about the target."""
_LAYERS = {"CPU": "cpu", "Database": "database"}
_RESOURCES = {"CPU": "host_cpu"}


def scaling_of(case: Case, component: str) -> Scaling | None:
    """The cost file's part for a component; None where ops have removed it."""
    return next((one for one in case.costs.scaling if one.component == component), None)


def scaled(case: Case, scaling: Scaling, cause: Row | None) -> Detail | None:
    """The part's own words, where a trigger was crossed or the cause was found; None otherwise."""
    crossed = [text for trigger in scaling.triggers if (text := _crossed(case, trigger)) is not None]
    if not crossed and cause is None:
        return None
    trigger = "; ".join(crossed) if crossed or cause is None else evidence_text(cause)
    return Detail(scaling.current, scaling.recommended, trigger, _improvement(case, scaling.component))


def _crossed(case: Case, trigger: Trigger) -> str | None:
    row = case.hold_row(trigger.metric)
    is_foreign = trigger.metric.startswith(_OF_THE_HOST) and case.facts.shares_host
    if row is None or row["value"] is None or is_foreign or row["value"] <= trigger.above:
        return None
    return f"{trigger.metric} {row['value']:.4g} {trigger.unit} on average, more than {trigger.above:g}"


def _improvement(case: Case, component: str) -> Improvement:
    """By the utilisation law where a stepped load was measured, else Amdahl's bound of the layer."""
    resource, layer = _RESOURCES.get(component), _LAYERS.get(component)
    by_law = NONE if resource is None else with_twice(case.diagnosis.get("capacity"), resource)
    if by_law is not NONE or layer is None:
        return by_law
    return shorter_by_at_most(
        layer_share(case.budget, layer), f"the {component}" if component == "CPU" else "the database"
    )
