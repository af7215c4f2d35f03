"""From what a bundle holds to its verdict, whichever stages lived to leave something."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import GROWTH_METRICS, SCENARIOS, SCOPE_ALL, TIMED_REQUIREMENTS
from include.loadtest.runners.generator import load_reasons
from include.loadtest.verdict import Reason, SloResult

LOG = logging.getLogger("loadtest")

LOAD_STOP = "load_stop"
"""Part of the manifest: who ordered the load's end, noted before it had ended, as who notes it may be killed."""
_PARTS = (
    ("preflight", "environment", "stage_failed"),
    ("seed_users", "seed", "setup_failed"),
    ("warm_cache", "warm_up", "setup_failed"),
    ("run_profile", "load", "generator_died"),
)
"""Stages before the judging, the part of the manifest that each leaves, and the reason where it is missing."""


def conclude_run(bundle: Bundle, profile: Profile, results: Sequence[SloResult] = ()) -> dict[str, Any]:
    """Write verdict.json from judged limits, the load's account and the stages' faults; returns its content."""
    from include.loadtest.validation.conclusion import conclude

    reasons = [*_reasons(bundle, profile), *_nothing_critical(results), *_growth_unknown(results)]
    known = {reason.code for reason in reasons}
    reasons += [reason for reason in _invalid(bundle, profile, results) if reason.code not in known]
    document = conclude(bundle, profile, list(results), reasons)
    LOG.info("verdict: %s", document["verdict"])
    return document


def _reasons(bundle: Bundle, profile: Profile) -> list[Reason]:
    manifest = bundle.read(run.MANIFEST)
    faults: dict[str, dict[str, Any]] = manifest.get("faults") or {}
    reasons = [Reason(fault["code"] or "stage_failed", f"{name}: {fault['text']}") for name, fault in faults.items()]
    return [
        *(reasons or _missing_parts(bundle, manifest)),
        *load_reasons(profile, manifest.get("load")),
        *_rejected(bundle, profile),
        *_stalled(bundle, profile),
        *_not_exposed(bundle),
        *_nothing_found(bundle),
        *_unreadable(bundle),
        *_restarts(profile, manifest),
        *_unsettled(manifest.get("warm_up") or {}),
    ]


def _invalid(bundle: Bundle, profile: Profile, results: Sequence[SloResult]) -> list[Reason]:
    """What speaks against the test itself; whether others used the target is noted in the manifest too."""
    from include.loadtest.validation.evidence import read_evidence
    from include.loadtest.validation.validity import NOT_KNOWN, foreign_load, validity_reasons

    manifest = bundle.read(run.MANIFEST)
    if "load" not in manifest:
        return []
    evidence = read_evidence(bundle, manifest)
    foreign = foreign_load(evidence)
    bundle.update_manifest(foreign_load=NOT_KNOWN if foreign is None else asdict(foreign))
    return validity_reasons(profile, manifest, evidence, results)


def _missing_parts(bundle: Bundle, manifest: dict[str, Any]) -> list[Reason]:
    """The first stage that left neither its part nor a fault: it was killed."""
    for name, part, code in _PARTS:
        if part not in manifest:
            stop = manifest.get(LOAD_STOP) if part == "load" else None
            if stop is not None:
                return [Reason(stop["code"], stop["text"])]
            return [Reason(code, f"{name} ended without a result")]
    if not bundle.has(run.METRICS):
        return [Reason("stage_failed", "collect_metrics ended without a result")]
    return []


def _rejected(bundle: Bundle, profile: Profile) -> list[Reason]:
    """A limiter of the test's own address answered more often than the profile allows."""
    if not bundle.has(run.METRICS):
        return []
    limit, scopes = profile.validity.max_rejected_share, _limited_scopes(profile)
    return [
        Reason(
            "rate_limiter",
            f"{100 * row['value']:.2g} % of the requests were refused with 429: too many from one address",
            *("rejected_rate", row["scope"], row["value"], limit, "ratio"),
        )
        for row in bundle.read(run.METRICS)["metrics"]
        if (row["metric"], row["phase"]) == ("rejected_rate", "hold")
        and row["scope"] in scopes
        and row["value"] is not None
        and row["value"] > limit
    ]


def _limited_scopes(profile: Profile) -> set[str]:
    """All requests; of checks all but the documents at once, where a refusal is an answer that a requirement allows."""
    if profile.checks is None:
        return {SCOPE_ALL}
    return {f"scenario:{name}" for name in (*SCENARIOS, *TIMED_REQUIREMENTS)}


def _not_exposed(bundle: Bundle) -> list[Reason]:
    """Requirements that the target has nothing for."""
    if not bundle.has(run.METRICS):
        return []
    return [
        Reason("not_exposed", f"{row['metric']}: not exposed ({row['not_exposed']})", row["metric"], row["scope"])
        for row in bundle.read(run.METRICS)["metrics"]
        if row.get("not_exposed") is not None
    ]


def _nothing_found(bundle: Bundle) -> list[Reason]:
    """Searches of a requirement without a hit."""
    if not bundle.has(run.METRICS):
        return []
    found = [
        (row, row["hits"].count(0), len(row["hits"])) for row in bundle.read(run.METRICS)["metrics"] if row.get("hits")
    ]
    return [
        Reason("nothing_found", f"{row['metric']}: {empty} of {n} searches found nothing", row["metric"], row["scope"])
        for row, empty, n in found
        if empty
    ]


def _stalled(bundle: Bundle, profile: Profile) -> list[Reason]:
    """Nothing finished in the hold for longer than the profile allows, while somebody waited."""
    if not bundle.has(run.METRICS):
        return []
    limit_s = profile.stall_limit_s
    return [
        Reason(
            "stall",
            f"from {row['from']} nothing finished for {row['value']:.1f} s, while {row['waiting']} requests waited",
            *("longest_stall_s", "all", row["value"], limit_s, "s"),
        )
        for row in bundle.read(run.METRICS)["metrics"]
        if (row["metric"], row["phase"]) == ("longest_stall_s", "hold")
        and row["value"] is not None
        and row["value"] > limit_s
    ]


def _unreadable(bundle: Bundle) -> list[Reason]:
    """Parts of the samples that the metrics had to leave out."""
    if not bundle.has(run.METRICS):
        return []
    parts = [name for name in bundle.read(run.METRICS).get("unreadable_parts", []) if name.startswith(run.SAMPLES)]
    return [Reason("samples_unreadable", f"cannot be read, or are not there: {', '.join(parts[:5])}")] if parts else []


def _nothing_critical(results: Sequence[SloResult]) -> list[Reason]:
    """Limits were looked at, and not one critical one could be judged: that is never a PASS."""
    if not results or any(result.level == "critical" and result.outcome != "not_judged" for result in results):
        return []
    return [Reason("too_few_samples", "not one critical limit could be judged")]


def _growth_unknown(results: Sequence[SloResult]) -> list[Reason]:
    """Limits on growth that were not judged: whoever runs a soak wants to know of leaks, and is not told."""
    unknown = [
        result.metric for result in results if result.metric in GROWTH_METRICS and result.outcome == "not_judged"
    ]
    return [Reason("growth_unknown", f"not measured: {', '.join(unknown)}")] if unknown else []


def _restarts(profile: Profile, manifest: dict[str, Any]) -> list[Reason]:
    """A restart is a breach; a load beyond the breaking point has to show besides that nothing crashed."""
    restart: dict[str, str] = manifest.get("restart") or {"kind": "unknown", "text": "Nobody looked after the load."}
    if restart["kind"] == "restarted":
        return [Reason("target_restarted", restart["text"])]
    if profile.shape.kind != "steps" or "load" not in manifest or restart["kind"] == "same":
        return []
    return [Reason("source_missing", f"whether the target crashed is not known: {restart['text']}")]


def _unsettled(warm_up: dict[str, Any]) -> list[Reason]:
    if warm_up.get("settled") is not False:
        return []
    return [Reason("warm_up_unsettled", f"cache hit rate by round: {warm_up.get('hit_rates')}")]
