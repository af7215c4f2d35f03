"""diagnosis.json: what is saturated, with its evidence, what to do about it, and how much load is carried."""

from collections.abc import Iterator
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import LoadTestError
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile.costs import load_costs
from include.loadtest.profile.optimisations import load_optimisations

PLANNED_CAUSES = frozenset({"slow_queries", "growing_data"})
"""Causes with a statement whose plan says more."""


def diagnosed(context: RunContext) -> Iterator[str]:
    """Write diagnosis.json; gives the lines for the log. Needs verdict.json, and takes what else the bundle has."""
    from include.loadtest.analysis.bottleneck import diagnose
    from include.loadtest.analysis.capacity import capacity_of
    from include.loadtest.analysis.recommendations import facts_of, recommend

    bundle, profile = context.bundle, context.profile()
    document = diagnose(bundle, profile, reference_of(bundle))
    for cause in document["causes"]:
        cause["plan"] = _plan(context, cause)
    metrics = bundle.read(run.METRICS) if bundle.has(run.METRICS) else {}
    document["capacity"] = capacity_of(bundle, profile)  # first: what ends next bounds a recommendation's gain
    facts = facts_of(bundle, profile, document)
    document["recommendations"] = recommend(document, metrics, load_costs(), load_optimisations(), facts=facts)
    bundle.write(run.DIAGNOSIS, document)
    yield document["sentence"]
    if document["next_step"]:
        yield f"next: {document['next_step']}"


def reference_of(bundle: Bundle) -> dict[str, float] | None:
    """The figures of all requests of the last comparable run's hold, by metric; None without such a run."""
    comparison = bundle.read(run.COMPARISON) if bundle.has(run.COMPARISON) else {}
    if not comparison.get("previous_run_id"):
        return None
    return {
        row["metric"]: row["previous"]
        for row in comparison["differences"]
        if row["scope"] == "all" and row["previous"] is not None
    }


def _plan(context: RunContext, cause: dict[str, Any]) -> str | None:
    """The plan of a cause's statement, as the database makes it now; None where nobody can say."""
    from include.loadtest.target.plans import explain

    if cause["cause"] not in PLANNED_CAUSES or not cause["statement"]:
        return None
    try:
        return explain(context.target, cause["statement"])
    except LoadTestError:
        return None  # the target's address is not known any more: the diagnosis stands without it
