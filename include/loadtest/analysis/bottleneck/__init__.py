"""What saturates behind a slow or failing target, with the evidence; docs/diagnosis.md says how it is decided."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from include.loadtest.analysis.bottleneck import (
    cache,
    connections,
    generator,
    llm,
    locks,
    machine,
    processor,
    statements,
)
from include.loadtest.analysis.bottleneck.attempts import Attempts
from include.loadtest.analysis.bottleneck.budget import time_budget
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.correlation import with_correlation
from include.loadtest.analysis.bottleneck.evidence import read_case, read_reasons
from include.loadtest.analysis.bottleneck.model import Candidate, Symptom, clock
from include.loadtest.analysis.bottleneck.ranking import explainer, ranked
from include.loadtest.analysis.bottleneck.symptoms import Place, place, symptoms
from include.loadtest.analysis.bottleneck.unmeasured import blind_spots, not_measured
from include.loadtest.bundle import Bundle
from include.loadtest.causes import CAUSES
from include.loadtest.profile import Profile
from include.loadtest.reasons import REASON_CODES

DETECTORS: tuple[tuple[str, Callable[[Case], list[Candidate]]], ...] = (
    ("generator", generator.starved),
    ("rate_limiter", generator.rate_limiter),
    ("locks", locks.locks),
    ("database_connections", connections.database_connections),
    ("slow_queries", statements.slow),
    ("cache_evictions", cache.evictions),
    ("cache_misses", cache.misses),
    ("cache_slow", cache.late),
    ("llm_errors", llm.errors),
    ("llm_slow", llm.slow),
    ("cpu", processor.cpu),
    ("event_loop", processor.event_loop),
    ("thread_pool", processor.thread_pool),
    ("memory_leak", machine.memory_leak),
    ("memory", machine.memory),
    ("disk", machine.disk),
    ("network", machine.network),
)
"""What each looks for, and how."""
_REPORT = "Report the failed check with this bundle; the task's log has its trace."
_LARGE = 0.5
"""Of the requests' time: so much outside of every layer that is measured, and the application itself is meant."""
_NO_LOAD_KINDS = frozenset({"aborted", "untrusted", "missing"})
"""Kinds of reasons that say why nothing was measured."""


def diagnose(bundle: Bundle, profile: Profile, reference: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The content of diagnosis.json but for recommendations and capacity, which are [] and None.

    `reference`: values of the last comparable run by metric (scope all, hold). Works for every verdict, without a
    load, and where sources are missing: what is not measured is named, and nothing is concluded from it.
    """
    attempts = Attempts()
    case = attempts.made("what the bundle says of the load", lambda: read_case(bundle, profile, reference), None)
    if attempts.failed:
        return _document("not_known", f"Not known: {attempts.failed[0]}.", _REPORT) | {"not_measured": attempts.failed}
    return _without_load(bundle) if case is None else diagnosis_of(case)


def diagnosis_of(case: Case) -> dict[str, Any]:
    """The diagnosis of a load that was sent. A check that raises is named under what was not measured."""
    attempts = Attempts()
    seen = attempts.listed("what users see", lambda: symptoms(case))
    found = [one for cause, detect in DETECTORS for one in _detected(attempts, case, cause, detect)]
    causes = attempts.listed("which cause comes first", lambda: ranked(case, found, seen))
    causes = [_witnessed(attempts, case, one) for one in causes]
    budget = attempts.listed("where the time goes", lambda: time_budget(case))
    absent = attempts.listed("what was not measured", lambda: not_measured(case))
    state, sentence, next_step = _said(case, causes, seen, budget, attempts)
    return {
        **_document(state, sentence, next_step),
        "symptoms": [one.document() for one in seen],
        "causes": [
            one.document() | {"explained_by": explainer(case, one, causes[:place])} for place, one in enumerate(causes)
        ],
        "time_budget": budget,
        "not_measured": [*absent, *attempts.failed],
    }


def _detected(attempts: Attempts, case: Case, cause: str, detect: Callable[[Case], list[Candidate]]) -> list[Candidate]:
    return attempts.listed(CAUSES[cause].title, lambda: detect(case))


def _witnessed(attempts: Attempts, case: Case, one: Candidate) -> Candidate:
    return attempts.made("what moves with the latencies", lambda: with_correlation(case, one), one)


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
    """What the verdict's reasons know: a limiter that preflight met is the answer, else nothing is known."""
    reasons = read_reasons(bundle)
    limiter = next((reason for reason in reasons if reason["code"] == "rate_limiter"), None)
    if limiter is not None:
        met = Candidate("rate_limiter", "strong", limiter["text"], REASON_CODES["rate_limiter"].action, (), None)
        return {**_document("bottleneck", met.sentence, met.next_step), "causes": [met.document()]}
    why = next((reason for reason in reasons if _kind(reason["code"]) in _NO_LOAD_KINDS), None)
    if why is None:
        step = "Look at the task's log and at generator.log in the bundle, then run again."
        return _document("not_known", "Not known: not one request was recorded, and no reason says why.", step)
    sentence = f"Not known: not one request was recorded: {why['text'].removesuffix('.')}."
    return _document("not_known", sentence, "Do what the verdict's reason says, then run again.")


def _kind(code: str) -> str | None:
    return REASON_CODES[code].kind if code in REASON_CODES else None


def _said(
    case: Case, causes: Sequence[Candidate], seen: Sequence[Symptom], budget: Sequence[dict[str, Any]], made: Attempts
) -> tuple[str, str, str]:
    """State, sentence and next step."""
    if causes:
        return "bottleneck", causes[0].sentence, causes[0].next_step
    if seen:
        return "not_known", *_not_known(case, seen, budget, made)
    if made.failed:
        sentence = f"Not known: nothing that could be checked is saturated, but {made.failed[0].removesuffix('.')}."
        return "not_known", sentence, _REPORT
    if not len(case.requests):
        sentence = "Not known: a load was begun, but not one request was recorded."
        return "not_known", sentence, "Look at generator.log in the bundle, then run again."
    missing = blind_spots(case)
    absent = f"; not measured: {', '.join(missing)}" if missing else ""
    sentence = f"No bottleneck: no limit is near, and nothing that is measured is saturated{absent}."
    return (
        "no_bottleneck",
        sentence,
        "Nothing to do. A stepped load (stress_test, capacity) shows how much more is possible.",
    )


def _not_known(
    case: Case, seen: Sequence[Symptom], budget: Sequence[dict[str, Any]], made: Attempts
) -> tuple[str, str]:
    """What is wrong and where it may come from: from what was not measured, else no place is named that is not seen."""
    where = made.made("which endpoint it is", lambda: place(case), Place(None, seen[0].text.removesuffix(".")))
    onset = min((one.since_s for one in seen if one.since_s is not None), default=None)
    when = "" if onset is None else f" since {clock(onset)} UTC"
    begin = f"Not known: {where.what}{when}, and nothing that is measured is saturated"
    missing = [*blind_spots(case, where.endpoint), *made.failed[:1]]
    if missing:
        names = _either(missing)
        was = "were" if len(missing) > 1 else "was"
        step = f"Get readings of {_either(missing, 'and')} (docs/monitoring.md says how), then run again."
        return f"{begin}; the cause may be in {names}, which {was} not measured.", step
    step = f"Trace one such request ({where.endpoint or 'any of the slow ones'}) in the application, and read its log."
    elsewhere = next((one["share"] for one in budget if one["layer"] == "elsewhere"), 0.0)
    if elsewhere >= _LARGE and all(one.kind != "errors" for one in seen):
        begin += f"; {100 * elsewhere:.0f} % of the requests' time is spent in the application outside of its servers"
    return f"{begin}.", step


def _either(names: Sequence[str], word: str = "or") -> str:
    return f" {word} ".join(filter(None, (", ".join(names[:-1]), names[-1])))
