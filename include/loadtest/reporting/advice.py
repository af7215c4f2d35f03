"""What to buy: each example of the cost file beside the figures that would trigger it. Pure.

Nothing is recommended without a trigger that a measured mean crossed in a run whose diagnosis asks for the part: a
level alone is no bottleneck. The gain is the document's assumption.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.profile.costs import Costs, Planned, Scaling, Trigger
from include.loadtest.reporting.markdown import NOT_MEASURED, figure
from include.loadtest.reporting.reviewed_run import ReviewedRun

Row = Mapping[str, Any]

STATES = ("recommended", "no_cause", "beyond_plan", "not_needed", "not_known")
_SHOWN = {"current", "recommended", "priority", "cost_eur_a_month", "effort", "documents_assumption"}
_OF_THE_HOST = "host_"
"""Metrics of the machine as a whole: where the generator runs on it too, they say nothing about the target."""


def recommendations(runs: Sequence[ReviewedRun], costs: Costs) -> list[dict[str, Any]]:
    """One entry for each part of the cost file.

    `state`: recommended (a trigger was crossed with no more users than planned, and that run's diagnosis has a cause
    first that the part removes), no_cause (crossed without such a cause), beyond_plan (only with more users),
    not_needed (all triggers measured with the planned users, none crossed) or not_known. `advised`: what the decisive
    run's diagnosis says of the part, null where nothing is to be bought.
    """
    return [_recommendation(scaling, runs, costs.planned) for scaling in costs.scaling]


def _recommendation(scaling: Scaling, runs: Sequence[ReviewedRun], planned: Planned) -> dict[str, Any]:
    triggers = [_trigger(scaling.component, trigger, runs, planned) for trigger in scaling.triggers]
    bought = next((one["decisive"]["run_id"] for one in triggers if one["state"] == "crossed"), None)
    run = next((one for one in runs if one.entry.run_id == bought), None)
    return {
        "component": scaling.component,
        "state": _state({trigger["state"] for trigger in triggers}),
        "advised": None if run is None else _purchase(run, scaling.component),
        "triggers": triggers,
        **scaling.model_dump(mode="json", include=_SHOWN),
    }


def _state(states: set[str]) -> str:
    if "crossed" in states:
        return "recommended"
    if "crossed_without_cause" in states:
        return "no_cause"
    if "crossed_beyond_plan" in states:
        return "beyond_plan"
    return "not_needed" if states == {"not_crossed"} else "not_known"


def _purchase(run: ReviewedRun, component: str) -> Row | None:
    """What the run's diagnosis says to buy of a part; None where it does not."""
    entries = (run.diagnosis or {}).get("recommendations") or ()
    own = (one for one in entries if one.get("purchase") == "now" and one["component"] == component)
    return next(({name: one[name] for name in ("current", "recommended", "cost")} for one in own), None)


def _trigger(component: str, trigger: Trigger, runs: Sequence[ReviewedRun], planned: Planned) -> dict[str, Any]:
    """A trigger with its observations, the highest first; `users` are those of the hold.

    `decisive` is the observation that its state rests on, null where there is none.
    """
    found = [_observation(run, component, trigger.metric) for run in runs if run.is_whole]
    observations = sorted((one for one in found if one is not None), key=lambda one: -one["value"])
    state = _crossed(trigger, observations, planned)
    judged = [one for one in observations if one["judged"]] or observations
    within = [one for one in judged if _is_planned(one, planned)]
    causes = [one for one in within if one["cause_found"]]
    return {
        "metric": trigger.metric,
        "unit": trigger.unit,
        "above": trigger.above,
        "state": state,
        "decisive": next(iter({"crossed": causes, "crossed_without_cause": within}.get(state, judged)), None),
        "observations": observations,
    }


def _is_planned(observation: Row, planned: Planned) -> bool:
    return (observation["users"] or 0) <= planned.users.high


def _observation(run: ReviewedRun, component: str, metric: str) -> dict[str, Any] | None:
    row = run.figure(metric)
    if row is None or row["value"] is None:
        return None
    return {
        "run_id": run.entry.run_id,
        "profile": run.entry.profile,
        "users": run.hold_users,
        "value": row["value"],
        "n": row["n"],
        "cause_found": _purchase(run, component) is not None,
        "judged": not (metric.startswith(_OF_THE_HOST) and bool(run.target.get("shares_host"))),
    }


def _crossed(trigger: Trigger, observations: Sequence[Row], planned: Planned) -> str:
    """The trigger's state: with fewer users than planned it is not known that it stays uncrossed."""
    judged = [one for one in observations if one["judged"]]
    if not judged:
        return "not_judged" if observations else "not_measured"
    above = [one for one in judged if one["value"] > trigger.above]
    within = [one for one in above if _is_planned(one, planned)]
    if within:
        return "crossed" if any(one["cause_found"] for one in within) else "crossed_without_cause"
    if above:
        return "crossed_beyond_plan"
    enough_users = max(one["users"] or 0 for one in judged) >= planned.users.low
    return "not_crossed" if enough_users else "too_few_users"


def advised_changes(runs: Sequence[ReviewedRun]) -> list[dict[str, Any]]:
    """The review's part `changes`: each recommendation of a whole run once, with the first profile that has it.

    Those of the cost file are left out: the review judges what to buy from all runs together.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for run in runs:
        if run.is_whole:
            for entry in _own(run):
                found.setdefault((entry["id"], entry["recommended"]), {**entry, "profile": run.entry.profile})
    return list(found.values())


def _own(run: ReviewedRun) -> Iterator[Row]:
    entries = (run.diagnosis or {}).get("recommendations") or ()
    return (entry for entry in entries if entry.get("purchase") is None)


def purchase_sentence(advice: Sequence[Row]) -> str:
    """What to buy, or not, in a few sentences."""
    by_state: dict[str, list[Row]] = {state: [] for state in STATES}
    for entry in advice:
        by_state[entry["state"]].append(entry)
    sentences = [_bought(entry) for entry in by_state["recommended"]]
    sentences += [_without_cause(entry) for entry in by_state["no_cause"]]
    sentences += [_beyond(entry) for entry in by_state["beyond_plan"]]
    if by_state["not_needed"]:
        sentences.append(f"Not needed: {', '.join(entry['component'] for entry in by_state['not_needed'])}.")
    if by_state["not_known"]:
        sentences.append(f"Not known: {'; '.join(_unknown(entry) for entry in by_state['not_known'])}.")
    nothing = [] if by_state["recommended"] else ["No purchase is recommended."]
    return " ".join([*nothing, *sentences])


def _bought(entry: Row) -> str:
    part = entry["advised"]
    change = f"{part['current']} → {part['recommended']}, {part['cost']}"
    return f"Buy {entry['component']} ({change}): {_decisive(entry, 'crossed')}."


def _without_cause(entry: Row) -> str:
    crossed = _decisive(entry, "crossed_without_cause")
    return f"{entry['component']}: nothing to buy now, since no diagnosis names it as the bottleneck ({crossed})."


def _beyond(entry: Row) -> str:
    crossed = _decisive(entry, "crossed_beyond_plan")
    return f"{entry['component']} runs short only with more users than planned ({crossed})."


def _decisive(entry: Row, state: str) -> str:
    """The crossed triggers with their decisive mean."""
    crossed = [trigger for trigger in entry["triggers"] if trigger["state"] == state]
    return "; ".join(f"{trigger['metric']} {observed_text(trigger)}" for trigger in crossed)


def observed_text(trigger: Row) -> str:
    """The decisive mean of a trigger with its run, and the threshold."""
    one = trigger["decisive"]
    threshold = f"trigger > {figure(trigger['above'], trigger['unit'])}"
    if one is None:
        return f"{NOT_MEASURED}, {threshold}"
    users = "an unknown number of" if one["users"] is None else one["users"]
    return f"{figure(one['value'], trigger['unit'])} in {one['profile']} with {users} users, {threshold}"


_WHY_UNKNOWN = {
    "not_measured": NOT_MEASURED,
    "not_judged": "not judged, since the target shares its host with the generator",
    "too_few_users": "measured with fewer users than planned",
}


def _unknown(entry: Row) -> str:
    open_ones = [trigger for trigger in entry["triggers"] if trigger["state"] in _WHY_UNKNOWN]
    why = ", ".join(f"{trigger['metric']} {_WHY_UNKNOWN[trigger['state']]}" for trigger in open_ones)
    return f"{entry['component']} ({why})"
