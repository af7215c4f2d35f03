"""What a verdict says to the business, in the profile's own words, and only where the run shows it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from include.loadtest.profile import find_profile, load_profile, profile_names
from include.loadtest.reasons import REASON_CODES
from include.loadtest.reporting.markdown import figure
from include.loadtest.verdict import Verdict

State = Literal["met", "missed", "unknown"]

STATES: Mapping[str, State] = {
    Verdict.PASS: "met",
    Verdict.WARN: "met",
    Verdict.SLA_BREACH: "missed",
    Verdict.REGRESSION: "missed",
    Verdict.ABORTED: "unknown",
    Verdict.INCONCLUSIVE: "unknown",
}
STAND_IN = "demo"
"""Name of the target that only plays PratikoAI."""
LOAD_FIELDS = ("users", "ramp_up_s", "shape", "think_time_s", "mix_pct", "checks", "questions", "slos")
"""Fields of a profile that its words rest on; a run with another of them shows something else."""


@dataclass(frozen=True)
class Statement:
    """A profile's words for a run: `qualifications` limit what they say, `figures` decided."""

    state: State
    text: str
    qualifications: tuple[str, ...]
    figures: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For the JSON report."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def statement_of(manifest: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> Statement | None:
    """The words of the run's profile; None where it has none. `verdict`: verdict.json, None where there is none.

    "met" needs a green verdict, the profile's own load and limits, and every required limit judged and held. A run with
    other users or limits is "unknown", whatever its verdict: the words are about the profile's numbers. A shortened
    hold, limits that could not be judged, a warning and the stand-in target are said beside the words. A load that was
    ended early is "missed" where a breach was proved before, else "unknown".
    """
    profile = manifest.get("profile") or {}
    words = profile.get("meaning")
    if not words:
        return None
    verdict = verdict or {"verdict": str(Verdict.INCONCLUSIVE), "slos": [], "reasons": []}
    differences = other_numbers(manifest)
    state = _state(verdict, differences)
    return Statement(
        state,
        words[state],
        (*run_qualifications(manifest), *_of_limits(state, verdict)),
        _figures(state, verdict),
    )


def release_state(manifest: Mapping[str, Any], verdict: Mapping[str, Any]) -> State:
    """Whether the run speaks for a release ("met"), against it ("missed"), or for neither; words are not needed.

    What a run with other numbers missed is missed all the same; what it held says nothing about the profile's. Without
    a manifest only the verdict is known.
    """
    state = verdict_state(verdict)
    return _state(verdict, other_numbers(manifest)) if state == "met" and manifest.get("profile") else state


def verdict_state(verdict: Mapping[str, Any]) -> State:
    """What the verdict alone says; a breach that a stopped load had proved is one, unless its samples prove nothing."""
    codes = {reason.get("code") for reason in verdict["reasons"]}
    kinds = {REASON_CODES[code].kind for code in codes if code in REASON_CODES}
    if verdict["verdict"] == Verdict.ABORTED and "breach" in kinds and "untrusted" not in kinds:
        return "missed"
    return STATES.get(verdict["verdict"], "unknown")


def _state(verdict: Mapping[str, Any], differences: Sequence[str]) -> State:
    state = "unknown" if differences else verdict_state(verdict)
    return "unknown" if state == "met" and not _all_held(verdict["slos"]) else state


def _all_held(slos: Sequence[Mapping[str, Any]]) -> bool:
    required = [slo for slo in slos if slo["level"] == "critical" and slo["required"]]
    return bool(required) and all(slo["outcome"] in ("met", "near") for slo in required)


def other_numbers(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """In what the run's load or limits differ from the committed profile of its name, in words; empty: in nothing."""
    profile = manifest["profile"]
    committed = _committed(profile)
    if committed is None:
        users = _overrides(manifest).get("users")
        return () if users is None else (f"users overridden to {users}",)
    return tuple(
        f"users {profile.get(name)} instead of {committed[name]}" if name == "users" else f"other {name}"
        for name in LOAD_FIELDS
        if profile.get(name) != committed[name]
    )


def run_qualifications(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """What limits all that a run says, whatever its verdict: the stand-in target, other numbers, another hold."""
    profile = manifest.get("profile")
    if not profile:
        return ()
    return (*_of_target(manifest), *_of_numbers(profile, other_numbers(manifest)), *_of_hold(manifest))


def _committed(profile: Mapping[str, Any]) -> dict[str, Any] | None:
    name = profile.get("name")
    return load_profile(find_profile(name)).model_dump(mode="json") if name in profile_names() else None


def _overrides(manifest: Mapping[str, Any]) -> Mapping[str, Any]:
    overrides: Mapping[str, Any] = (manifest.get("parameters") or {}).get("overrides") or {}
    return overrides


def _of_target(manifest: Mapping[str, Any]) -> list[str]:
    if (manifest.get("target") or {}).get("name") != STAND_IN:
        return []
    return [f"The target was the stand-in {STAND_IN}: the words are about it, and say nothing about PratikoAI itself."]


def _of_numbers(profile: Mapping[str, Any], differences: Sequence[str]) -> list[str]:
    if not differences:
        return []
    what = ", ".join(differences)
    return [f"The run had other numbers than the profile {profile['name']} ({what}): its verdict holds for these only."]


def _of_hold(manifest: Mapping[str, Any]) -> list[str]:
    profile = manifest["profile"]
    committed = _committed(profile)
    own_s = None if committed is None else committed["duration_s"]
    ran_s = profile.get("duration_s")
    if committed is None and _overrides(manifest).get("duration_s") is not None:
        return [f"The duration was overridden to {ran_s} s: shown for that time only."]
    if own_s is None or ran_s == own_s:
        return []
    change = "shortened" if ran_s < own_s else "lengthened"
    return [f"The duration was {change} from {own_s} s to {ran_s} s: shown for that time only."]


def unjudged_limits(slos: Sequence[Mapping[str, Any]]) -> list[str]:
    """The critical limits that nobody could judge, by name: a verdict is without them."""
    return [limit_name(slo) for slo in slos if slo["level"] == "critical" and slo["outcome"] == "not_judged"]


def _of_limits(state: State, verdict: Mapping[str, Any]) -> list[str]:
    """What a green verdict leaves open, and what a regression is."""
    if verdict["verdict"] == Verdict.REGRESSION and state == "missed":
        return ["The limits held: the run is red because the product got slower than its baseline."]
    if state != "met":
        return []
    slos = verdict["slos"]
    missed = [slo for slo in slos if slo["level"] == "warning" and slo["outcome"] == "missed"]
    near = [slo for slo in slos if slo["outcome"] == "near"]
    unjudged = unjudged_limits(slos)
    return [
        *([f"Limits of level warning were missed: {_listed(missed)}."] if missed else []),
        *([f"Close to the limit: {_listed(near)}."] if near else []),
        *([f"Not judged, so not part of this: {', '.join(unjudged)}."] if unjudged else []),
    ]


def _figures(state: State, verdict: Mapping[str, Any]) -> tuple[str, ...]:
    """What broke for "missed", the critical limits that held for "met", the first reasons for "unknown"."""
    critical = [slo for slo in verdict["slos"] if slo["level"] == "critical"]
    if state == "met":
        return tuple(_judged(slo) for slo in critical if slo["outcome"] in ("met", "near"))
    if state == "missed":
        missed = (_judged(slo) for slo in critical if slo["outcome"] == "missed")
        return (*missed, *(_reason(reason) for reason in verdict["reasons"] if _decides_beside_limits(reason)))
    return tuple(_reason(reason) for reason in verdict["reasons"][:3])


def _decides_beside_limits(reason: Mapping[str, Any]) -> bool:
    """A breach that is no missed limit, such as a restart of the target, or a regression."""
    return reason["code"] != "slo_missed" and REASON_CODES[reason["code"]].kind in ("breach", "regression")


def _reason(reason: Mapping[str, Any]) -> str:
    return f"{reason['code']}: {reason['text']}"


def _listed(slos: Sequence[Mapping[str, Any]]) -> str:
    return "; ".join(_judged(slo) for slo in slos)


def _judged(slo: Mapping[str, Any]) -> str:
    observed, limit = figure(slo["observed"], slo["unit"]), figure(slo["limit"], slo["unit"])
    return f"{limit_name(slo)} {observed} (limit {slo['comparator']} {limit})"


def limit_name(slo: Mapping[str, Any]) -> str:
    """On what a limit is: the metric, of what, and in which phase where that is not the hold."""
    scope = "" if slo["scope"] == "all" else f" of {slo['scope']}"
    phase = "" if slo["phase"] == "hold" else f" in {slo['phase']}"
    return f"{slo['metric']}{scope}{phase}"
