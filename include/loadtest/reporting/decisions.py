"""What has to be decided after a suite: each decision follows from figures of the review, and names them. Pure.

Nothing is a decision that no figure asks for. Who decides is a role, and by when is null where no file says so.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from include.loadtest.reporting.advice import observed_text
from include.loadtest.reporting.infrastructure import not_judged, triggers_not_measured
from include.loadtest.reporting.margin import margin_pct
from include.loadtest.reporting.markdown import figure, moment
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.verdict import Verdict

Row = Mapping[str, Any]

MOST_EVIDENCE = 8
"""Further figures of the same decision are counted, not listed: they stand in the tables of the review."""
NOTHING = "Nothing has to be decided: no figure of this review asks for it."
BUDGET, PRODUCT = "the person responsible for the budget", "the person responsible for the product"
OPERATOR = "an operator"
HOUSEKEEPING = "load_test_housekeeping"


@dataclass(frozen=True)
class Standing:
    """Content of `history.standing.read_standing`, or None and why there is none.

    `next_deadline`: the next day on which the business needs the capacity, in words; None where the calendar has none.
    `silent_after_days`: after so many days without a verdict the weekly suite counts as silent; None: not watched.
    """

    document: Row | None
    missing: str = ""
    next_deadline: str | None = None
    silent_after_days: float | None = None


@dataclass(frozen=True)
class Decision:
    """A question, the figures that raise it, who answers it by when, and the options; doing nothing is the last."""

    id: str
    question: str
    evidence: tuple[str, ...]
    who: str
    by: str | None
    options: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """For review.json."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def decisions(
    runs: Sequence[ReviewedRun], carried: Row, advice: Sequence[Row], changes: Sequence[Row], standing: Standing
) -> list[dict[str, Any]]:
    """The review's part `decisions`, what concerns the users first."""
    found = [
        *_regressions(runs, standing),
        *_capacity(carried, changes, standing),
        *_purchases(advice, changes, standing),
        *_tickets(standing),
        *_near(runs),
        *_blind(runs, advice),
        *_growth(carried),
        *_proposals(standing),
        *_silent(standing),
    ]
    return [one.document() for one in found]


def decide_sentence(found: Sequence[Row], standing: Standing) -> str:
    """What has to be decided, in a sentence or two."""
    blind = "" if standing.document is not None else f" What is open in the history is not known: {standing.missing}."
    if not found:
        return NOTHING + blind
    count = "1 decision" if len(found) == 1 else f"{len(found)} decisions"
    return f"{count}: {' '.join(one['question'] for one in found)}{blind}"


def _listed(texts: Sequence[str]) -> tuple[str, ...]:
    more = len(texts) - MOST_EVIDENCE
    return (*texts[:MOST_EVIDENCE], *([f"and {more} more"] if more > 0 else []))


def _regressions(runs: Sequence[ReviewedRun], standing: Standing) -> Iterator[Decision]:
    own = {
        one.entry.run_id: f"{one.entry.profile}: {_first_reason(one)} ({one.entry.run_id})"
        for one in runs
        if one.entry.outcome == Verdict.REGRESSION
    }
    older = {
        row["run_id"]: f"{row['profile']}: not accepted since {moment(row['started'])} ({row['run_id']})"
        for row in (standing.document or {}).get("regressions", ())
    }
    found = {**older, **own}
    if found:
        yield Decision(
            "regression",
            "Is a slower level repaired, or accepted?",
            _listed(list(found.values())),
            PRODUCT,
            None,
            (
                "Repair it: what the diagnosis of the run names first.",
                f"Accept it: {HOUSEKEEPING}, pin with accept_regression, or mark_intended_change, with the reason.",
                "Do nothing: runs go on being compared with the old level, and stay red.",
            ),
        )


def _first_reason(run: ReviewedRun) -> str:
    return str(run.reasons[0]["text"]) if run.reasons else "no reason is stored"


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
            _listed([f"limits missed with {row['users']} users ({row['profile']}, {row['run_id']})" for row in missed]),
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
        part, cost = entry["advised"] or entry, entry["cost_eur_a_month"]
        crossed = [trigger for trigger in entry["triggers"] if trigger["state"] == "crossed"]
        yield Decision(
            f"buy_{entry['component'].lower()}",
            f"Is {entry['component']} bought ({part['current']} → {part['recommended']}, EUR {cost['low']} to "
            f"{cost['high']} a month)?",
            _listed([f"{trigger['metric']} {observed_text(trigger)}" for trigger in crossed]),
            BUDGET,
            standing.next_deadline,
            (
                "Buy it, and run the same profile again: whether it helps is not known before.",
                *(f"Change first: {_change(one)}." for one in changes[:2]),
                "Do nothing: it stays the first bottleneck with the planned users.",
            ),
        )


def _tickets(standing: Standing) -> Iterator[Decision]:
    rows = (standing.document or {}).get("tickets", ())
    if rows:
        yield Decision(
            "tickets",
            "Which open findings are repaired next?",
            _listed([f"{_issue(row)}{row['metric']} of {row['profile']} ({row['scope']}), open since "
                     f"{moment(row['opened_at'])}" for row in rows]),
            PRODUCT,
            None,
            (
                "Plan the repair; a ticket closes by itself after clean runs.",
                "State another limit in the profile, with the reason, if the one that is missed is not the right one.",
                "Do nothing: each scheduled run goes on missing the same limits.",
            ),
        )  # fmt: skip


def _issue(row: Row) -> str:
    return "" if row["number"] is None else f"{row['repository'] or ''}#{row['number']}: "


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
            _listed(near),
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
    hidden = list(dict.fromkeys([*not_judged(runs), *triggers_not_measured(advice)]))
    if hidden:
        yield Decision(
            "not_measured",
            "Is what nobody measures made measurable?",
            _listed(hidden),
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
            _listed(unstated),
            BUDGET,
            None,
            (
                "State it: key plan.growth_pct_a_month of the profile, a number or a range.",
                "Do nothing: the review goes on saying how much is carried, and not until when.",
            ),
        )


def _proposals(standing: Standing) -> Iterator[Decision]:
    waiting = [row for row in (standing.document or {}).get("baselines", ()) if row["status"] == "proposed"]
    if waiting:
        yield Decision(
            "baselines",
            "Are the proposed baselines pinned?",
            _listed([f"baseline {row['id']} of {row['profile']}: {row['runs']} runs, proposed {moment(row['at'])} by "
                     f"{row['by'] or 'unknown'}" for row in waiting]),
            OPERATOR,
            None,
            (
                f"Pin them: {HOUSEKEEPING}, action pin with the number.",
                f"Refuse them: {HOUSEKEEPING}, action retire with the number.",
                "Do nothing: runs are compared with what is pinned now, or with the latest valid runs.",
            ),
        )  # fmt: skip


def _silent(standing: Standing) -> Iterator[Decision]:
    """A weekly suite without verdicts: its DAG is paused, or it fails before a verdict."""
    document, limit = standing.document, standing.silent_after_days
    if document is None or limit is None:
        return
    last = next((row["last_verdict"] for row in document["suites"] if row["suite"] == "weekly"), None)
    days = None if last is None else _days(last, document["at"])
    if days is not None and days <= limit:
        return
    text = "it never came to a verdict" if last is None else f"last verdict {moment(last)}, {days:.0f} days ago"
    yield Decision(
        "weekly_silent",
        "Is the weekly suite meant to be silent?",
        (f"weekly on {document['target']}: {text}",),
        OPERATOR,
        None,
        (
            "Let it run: unpause load_test_weekly, or repair what its last DAG run failed at.",
            "Do nothing: the trends have no new runs, and a regression is found only at the next review.",
        ),
    )


def _days(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds() / 86_400
