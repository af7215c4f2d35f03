"""What has to be decided after a suite: each decision follows from figures of the review, and names them. Pure.

Nothing is a decision that no figure asks for. Who decides is a role, and by when is null where no file says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.advice import observed_text
from include.loadtest.reporting.decision import BUDGET, OPERATOR, PRODUCT, Decision, Standing, listed
from include.loadtest.reporting.infrastructure import not_judged, triggers_not_measured
from include.loadtest.reporting.margin import margin_pct
from include.loadtest.reporting.markdown import figure
from include.loadtest.reporting.open_decisions import proposals, regressions, silent, tickets
from include.loadtest.reporting.reviewed_run import ReviewedRun

Row = Mapping[str, Any]

NOTHING = "Nothing has to be decided: no figure of this review asks for it."


def decisions(
    runs: Sequence[ReviewedRun], carried: Row, advice: Sequence[Row], changes: Sequence[Row], standing: Standing
) -> list[dict[str, Any]]:
    """The review's part `decisions`, what concerns the users first."""
    found = [
        *regressions(runs, standing),
        *_capacity(carried, changes, standing),
        *_purchases(advice, changes, standing),
        *tickets(standing),
        *_near(runs),
        *_blind(runs, advice),
        *_growth(carried),
        *proposals(standing),
        *silent(standing),
    ]
    return [one.document() for one in found]


def decide_sentence(found: Sequence[Row], standing: Standing) -> str:
    """What has to be decided, in a sentence or two."""
    unknown = decisions_missing(standing)
    blind = "" if unknown is None else f" {unknown}."
    if not found:
        return NOTHING + blind
    count = "1 decision" if len(found) == 1 else f"{len(found)} decisions"
    return f"{count}: {' '.join(one['question'] for one in found)}{blind}"


def decisions_missing(standing: Standing) -> str | None:
    """What nobody could look at, so that there may be more to decide; None: nothing."""
    if standing.document is None:
        return f"What is open in the history is not known: {standing.missing}"
    if standing.silence_missing:
        return f"Whether the weekly suite is silent is not known: {standing.silence_missing}"
    return None


def _capacity(carried: Row, changes: Sequence[Row], standing: Standing) -> Iterator[Decision]:
    """The planned users are not carried, or it is not shown."""
    planned = carried["planned"]["users"]
    missed = [row for row in carried["steady"] if row["limits"] == "missed" and row["users"] <= planned["high"]]
    shown = (carried["carried"] or {}).get("users", 0)
    if missed:
        ways = [f"Change it: {_change(one)}." for one in changes[:3]]
        yield Decision(
            "capacity",
            f"How are the planned {planned['low']} to {planned['high']} users served within the limits?",
            listed([f"limits missed with {row['users']} users ({row['profile']}, {row['run_id']})" for row in missed]),
            PRODUCT,
            standing.next_deadline,
            (
                *(ways or ["Change it: no run's diagnosis names a change; look for the cause first."]),
                "Plan with fewer users, or with other limits: then in the profiles, where they are stated.",
                "Do nothing: so many users go on being served beyond the limits.",
            ),
        )
    elif shown < planned["low"]:
        yield Decision(
            "capacity_unknown",
            f"Is it good enough not to know whether {planned['low']} users are carried?",
            (str(carried["sentence"]),),
            PRODUCT,
            standing.next_deadline,
            (
                "Repeat the runs that were not valid, once what their reasons name is repaired.",
                "Do nothing: neither selling nor releasing can rest on this review.",
            ),
        )


def _change(one: Row) -> str:
    return f"{one['component']}: {one['current']} → {one['recommended']} ({one['profile']})"


def _purchases(advice: Sequence[Row], changes: Sequence[Row], standing: Standing) -> Iterator[Decision]:
    for entry in advice:
        if entry["state"] != "recommended":
            continue
        part = entry["advised"]
        crossed = [trigger for trigger in entry["triggers"] if trigger["state"] == "crossed"]
        yield Decision(
            f"buy_{entry['component'].lower()}",
            f"Is {entry['component']} bought ({part['current']} → {part['recommended']}; cost: {part['cost']})?",
            listed([f"{trigger['metric']} {observed_text(trigger)}" for trigger in crossed]),
            BUDGET,
            standing.next_deadline,
            (
                "Buy it, and run the same profile again: whether it helps is not known before.",
                *(f"Change first: {_change(one)}." for one in changes[:2]),
                "Do nothing: it stays the first bottleneck with the planned users.",
            ),
        )


def _near(runs: Sequence[ReviewedRun]) -> Iterator[Decision]:
    near = [
        f"{one.entry.profile}: {_close(slo)}"
        for one in runs
        if one.is_whole
        for slo in one.slos
        if slo["outcome"] == "near" and slo["level"] == "critical"
    ]
    if near:
        yield Decision(
            "limits_near",
            "Is something done before the nearest limits break?",
            listed(near),
            PRODUCT,
            None,
            (
                "Act now: what the recommendations of this review name for these profiles.",
                "Wait for the next review, and look at these figures first.",
                "Do nothing: they warn until they break, and then the run is red.",
            ),
        )


def _close(slo: Row) -> str:
    scope = "" if slo["scope"] == "all" else f" of {slo['scope']}"
    observed, limit = (figure(slo[name], slo["unit"]) for name in ("observed", "limit"))
    room = margin_pct(slo)
    away = "" if room is None else f" ({room:.1f} % away)"
    return f"{slo['metric']}{scope} {observed}, limit {slo['comparator']} {limit}{away}"


def _blind(runs: Sequence[ReviewedRun], advice: Sequence[Row]) -> Iterator[Decision]:
    """What no source showed while whole runs were there to show it.

    A run that was cut short, or that says nothing, has reasons of its own; on a host that is shared with the generator
    no source would help.
    """
    whole = [run for run in runs if run.is_whole]
    triggers = triggers_not_measured(advice) if whole else ()
    hidden = list(dict.fromkeys([*not_judged(whole, shared_host=False), *triggers]))
    if hidden:
        yield Decision(
            "not_measured",
            "Is what nobody measures made measurable?",
            listed(hidden),
            OPERATOR,
            None,
            (
                "Set up the missing source (docs/monitoring.md), or a longer run where the samples were too few.",
                "Do nothing: limits and purchases that rest on it stay unknown; none of them counts as met.",
            ),
        )


def _growth(carried: Row) -> Iterator[Decision]:
    """When the capacity ends cannot be said without a growth, and nobody has stated one."""
    unstated = [
        f"{row['profile']}: {(row['analysis'] or {})['plan']['sentence']}"
        for row in carried["stepped"]
        if (row["analysis"] or {}).get("plan") and row["analysis"]["plan"].get("growth_pct_a_month") is None
    ]
    if unstated:
        yield Decision(
            "growth",
            "How much more load a month is expected?",
            listed(unstated),
            BUDGET,
            None,
            (
                "State it: key plan.growth_pct_a_month of the profile, a number or a range.",
                "Do nothing: the review goes on saying how much is carried, and not until when.",
            ),
        )
