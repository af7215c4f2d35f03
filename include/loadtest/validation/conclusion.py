"""The verdict of a run, from judged limits and what else is known. Free of great-expectations, so it always runs."""

from collections.abc import Collection, Sequence
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile import Profile
from include.loadtest.validation.figures import samples_in
from include.loadtest.verdict import Reason, SloResult, Verdict, decide, slo_reasons, verdict_document


def conclude(
    bundle: Bundle, profile: Profile, results: Sequence[SloResult], extra_reasons: Sequence[Reason]
) -> dict[str, Any]:
    """Combine the reasons, write verdict.json and return its content.

    A judged phase without a request gives `no_samples` once, instead of one reason for each limit. Where nothing was
    judged and nobody says why, the verdict is INCONCLUSIVE all the same: missing data is never PASS.
    """
    empty = _phases_without_samples(bundle, profile)
    judged = [result for result in results if result.phase not in empty]
    reasons = [*slo_reasons(judged, _bounds(bundle)), *extra_reasons]
    reasons += [Reason("no_samples", f"no request lies in the phase {phase}") for phase in empty]
    if not profile.slos:
        reasons.append(Reason("no_limits", f"{profile.name} has no limits for {profile.users} users"))
    elif not results and decide(reasons) is Verdict.PASS:
        reasons.append(_unjudged(bundle))
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    document = verdict_document(
        run_id=bundle.run_id,
        suite=manifest.get("suite"),
        profile=profile.name,
        engine=profile.engine,
        reasons=reasons,
        slos=results,
    )
    bundle.write(run.VERDICT, document)
    return document


def amend(bundle: Bundle, reasons: Sequence[Reason], without: Collection[str] = ()) -> dict[str, Any]:
    """Add reasons to a verdict that is written already, in place of those with the codes in `without`; returns it.

    A reason that is there already is not added twice. The verdict is decided anew from all of them.
    """
    before = bundle.read(run.VERDICT)
    kept = [Reason(**entry) for entry in before["reasons"] if entry["code"] not in without]
    document = verdict_document(
        run_id=before["run_id"],
        suite=before["suite"],
        profile=before["profile"],
        engine=before["engine"],
        reasons=[*kept, *(reason for reason in reasons if reason not in kept)],
        slos=[SloResult(**entry) for entry in before["slos"]],
    )
    bundle.write(run.VERDICT, document)
    return document


def _bounds(bundle: Bundle) -> set[tuple[str, str, str]]:
    """Metric, scope and phase of the figures that fell on a request which was never answered."""
    rows = bundle.read(run.METRICS)["metrics"] if bundle.has(run.METRICS) else []
    return {(row["metric"], row["scope"], row["phase"]) for row in rows if row.get("lower_bound")}


def _phases_without_samples(bundle: Bundle, profile: Profile) -> list[str]:
    """Judged phases in which nothing was measured; none where nothing was computed, which is another matter."""
    if not bundle.has(run.METRICS):
        return []
    metrics = bundle.read(run.METRICS)
    judged = dict.fromkeys(["hold", *(slo.phase for slo in profile.slos)])
    planned = {stage.phase for stage in profile.stages()}
    return [phase for phase in judged if phase in planned and not samples_in(metrics, phase)]


def _unjudged(bundle: Bundle) -> Reason:
    if bundle.has(run.METRICS):
        return Reason("stage_failed", "the limits were not judged: the validation left no result")
    return Reason("no_samples", "the run has no metrics, so nothing was judged")
