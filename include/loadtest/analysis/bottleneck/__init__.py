"""What saturates behind a slow or failing target, with the evidence; docs/diagnosis.md says how it is decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.bottleneck import (
    cache,
    connections,
    generator,
    llm,
    machine,
    processor,
    statements,
)
from include.loadtest.analysis.bottleneck.budget import time_budget
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.correlation import with_correlation
from include.loadtest.analysis.bottleneck.evidence import read_case
from include.loadtest.analysis.bottleneck.model import Candidate, Symptom, clock
from include.loadtest.analysis.bottleneck.ranking import ranked
from include.loadtest.analysis.bottleneck.symptoms import place, symptoms
from include.loadtest.analysis.bottleneck.unmeasured import not_measured
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile

SERVERS = ("app", "postgres", "redis")
"""Sources whose silence a sentence names, since a bottleneck may be there."""
DETECTORS: tuple[Callable[[Case], list[Candidate]], ...] = (
    generator.starved,
    generator.rate_limiter,
    connections.locks,
    connections.database_connections,
    statements.slow,
    cache.evictions,
    cache.misses,
    cache.late,
    llm.errors,
    llm.slow,
    processor.cpu,
    processor.event_loop,
    processor.thread_pool,
    machine.memory_leak,
    machine.memory,
    machine.disk,
    machine.network,
)


def diagnose(bundle: Bundle, profile: Profile, reference: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The content of diagnosis.json but for recommendations and capacity, which are [] and None.

    `reference`: values of the last comparable run by metric (scope all, hold). Works for every verdict, without a
    load, and where sources are missing: what is not measured is named, and nothing is concluded from it.
    """
    case = read_case(bundle, profile, reference)
    if case is None:
        return _without_load(bundle)
    return diagnosis_of(case)


def diagnosis_of(case: Case) -> dict[str, Any]:
    """The diagnosis of a load that was sent."""
    seen = symptoms(case)
    found = [candidate for detect in DETECTORS for candidate in detect(case)]
    causes = [with_correlation(case, candidate) for candidate in ranked(case, found, seen)]
    absent = not_measured(case)
    state, sentence, next_step = _said(case, causes, seen)
    if state != "bottleneck" and (missing := [source for source in SERVERS if source not in case.readings.sources]):
        sentence = f"{sentence.removesuffix('.')}; not measured: {', '.join(missing)}."
    return {
        **_document(state, sentence, next_step),
        "symptoms": [one.document() for one in seen],
        "causes": [one.document() for one in causes],
        "time_budget": time_budget(case),
        "not_measured": absent,
    }


def _document(state: str, sentence: str, next_step: str) -> dict[str, Any]:
    return {
        "schema": 1,
        "state": state,
        "sentence": sentence,
        "next_step": next_step,
        "symptoms": [],
        "causes": [],
        "time_budget": [],
        "not_measured": [],
        "recommendations": [],
        "capacity": None,
    }


def _without_load(bundle: Bundle) -> dict[str, Any]:
    verdict = bundle.read(run.VERDICT) if bundle.has(run.VERDICT) else {}
    reasons = verdict.get("reasons") or [{"text": "nothing says why"}]
    sentence = f"No load was sent, so nothing is known of a bottleneck: {reasons[0]['text']}."
    return _document("not_known", sentence, "Do what the verdict's reason says, then run again.")


def _said(case: Case, causes: Sequence[Candidate], seen: Sequence[Symptom]) -> tuple[str, str, str]:
    """State, sentence and next step."""
    if causes:
        return "bottleneck", causes[0].sentence, causes[0].next_step
    if not seen:
        return (
            "no_bottleneck",
            "No bottleneck: no limit is near, and nothing that is measured is saturated.",
            ("Nothing to do. A stepped load (stress_test, capacity) shows how much more is possible."),
        )
    where = place(case)
    onset = min((one.since_s for one in seen if one.since_s is not None), default=None)
    when = "" if onset is None else f" since {clock(onset)}"
    at = f"in the application, at {where.endpoint}" if where.endpoint else "in the application"
    sentence = (
        f"Not known: {where.what}{when}, and nothing that is measured is saturated; "
        f"the cause is elsewhere, probably {at}."
    )
    step = f"Trace one such request ({where.endpoint or 'any of the slow ones'}) in the application, and read its log."
    return "not_known", sentence, step
