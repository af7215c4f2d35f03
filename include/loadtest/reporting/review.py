"""The review after a suite: what the target carries, what to buy, what changed, what to decide. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from include.loadtest import run
from include.loadtest.profile.costs import Costs
from include.loadtest.reporting.advice import advised_changes, purchase_sentence, recommendations
from include.loadtest.reporting.baseline_review import baselines_document
from include.loadtest.reporting.capacity import capacity
from include.loadtest.reporting.carried import outlook_sentences
from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.decisions import decide_sentence, decisions, decisions_missing
from include.loadtest.reporting.infrastructure import infrastructure_plan
from include.loadtest.reporting.markdown import figure
from include.loadtest.reporting.meaning import STAND_IN
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.reporting.suite import SuiteEntry

FILE = "review.json"
QUARTER_DAYS = 90
"""A review of so many days or more has the infrastructure plan."""
ANSWERED_METRIC = "latency_p95_ms"
"""The trend that is told in a sentence; the others stand in the table."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ReviewHead:
    """What is reviewed: a run of a suite on a target; `days` is the length of each window of the trends.

    `bundle_uri`: where the suite's files are, to which the links to its runs are relative.
    """

    suite_run_id: str
    suite: str
    title: str
    target: str
    days: int
    written: datetime
    bundle_uri: str = ""


@dataclass(frozen=True)
class Trends:
    """Content of `history.trends.read_trends`, or None and why there is none; `points`: of `read_points`."""

    document: Row | None
    missing: str = ""
    points: Sequence[Row] = ()


def review_document(
    head: ReviewHead,
    runs: Sequence[ReviewedRun],
    costs: Costs,
    trends: Trends,
    suite_manifest: Row,
    *,
    standing: Standing,
    manual_review: Sequence[str] = (),
) -> dict[str, Any]:
    """The content of review.json. `suite_manifest` has the suite's own forecast of the disks.

    `standing`: what is open in the history. `manual_review`: changes that no load test can recommend or rule out,
    listed for people.
    """
    advice, changes = recommendations(runs, costs), advised_changes(runs)
    carried = capacity(runs, costs.planned)
    to_decide = decisions(runs, carried, advice, changes, standing)
    is_quarterly = head.days >= QUARTER_DAYS
    return {
        "schema": 1,
        "suite_run_id": head.suite_run_id,
        "suite": head.suite,
        "title": head.title,
        "target": head.target,
        "days": head.days,
        "written": run.utc_text(head.written),
        "answer": {
            "carries": _carries(head, carried),
            "buy": purchase_sentence(advice),
            "changed": _changed(trends, head.days),
            "decide": decide_sentence(to_decide, standing),
        },
        "decisions": to_decide,
        "decisions_missing": decisions_missing(standing),
        "runs": [_run(head, one.entry) for one in runs],
        "left_out": _left_out(runs),
        "capacity": carried,
        "recommendations": advice,
        "changes": changes,
        "manual_review": list(manual_review),
        "trends": trends.document,
        "trends_missing": trends.missing or None,
        "points": list(trends.points),
        "baselines": baselines_document(standing, trends.document) if is_quarterly else None,
        "infrastructure_plan": infrastructure_plan(runs, suite_manifest, advice) if is_quarterly else None,
    }


def _run(head: ReviewHead, entry: SuiteEntry) -> dict[str, str | None]:
    """A run of the suite; `report` leads to its page where that lies beside the suite's files, else it is null."""
    beside = _folder(entry.bundle_uri) == _folder(head.bundle_uri) and run.RUN_ID_PATTERN.match(entry.run_id)
    has_page = bool(beside and entry.verdict is not None)
    return {
        "run_id": entry.run_id,
        "profile": entry.profile,
        "verdict": str(entry.outcome),
        "report": f"../{entry.run_id}/{run.REPORT_PAGE}" if has_page else None,
    }


def _folder(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[0]


def _carries(head: ReviewHead, carried: Row) -> str:
    """What the target carries, in words."""
    stepped = carried["stepped"]
    said = [carried["sentence"], *breaking_sentences(stepped), *outlook_sentences(stepped)]
    if head.target == STAND_IN:
        said.append(f"The target was the stand-in {STAND_IN}: this says nothing about PratikoAI itself.")
    return " ".join(said)


def _left_out(runs: Sequence[ReviewedRun]) -> list[dict[str, str]]:
    """Runs that say nothing, since they were not whole."""
    return [
        {"run_id": one.entry.run_id, "profile": one.entry.profile, "verdict": str(one.entry.outcome)}
        for one in runs
        if not one.is_whole
    ]


def breaking_sentences(stepped: Sequence[Row]) -> list[str]:
    """Where each stepped load broke, or up to where it did not."""
    return [_breaking_sentence(row) for row in stepped]


def _breaking_sentence(row: Row) -> str:
    found, looked_up_to = row["breaking_point_users"]["users"], row["breaking_point_users"]["looked_up_to"]
    within = row["largest_users_within"]
    if found is not None:
        last = "no step was within its limits" if within is None else f"the last step within its limits had {within}"
        return f"In steps it breaks at {found} users ({row['profile']}; {last})."
    if looked_up_to is None:
        return f"Its breaking point is not known ({row['profile']}, {row['verdict']})."
    return f"In steps it did not break up to {looked_up_to} users ({row['profile']})."


def _changed(trends: Trends, days: int) -> str:
    if trends.document is None:
        return f"What changed is not known: {trends.missing}"
    moves = [move for series in trends.document["series"] if (move := _move(series))]
    if not moves:
        return f"What changed is not known: too few comparable runs in the last {days} days and in the {days} before."
    listed = "; ".join(moves)
    return f"P95, median of the last {days} days against that of the {days} before (shown, not judged): {listed}."


def _move(series: Row) -> str | None:
    """How one series' P95 moved; None where too little is known."""
    metric = next((one for one in series["metrics"] if one["metric"] == ANSWERED_METRIC), None)
    if metric is None or metric["change"] is None:
        return None
    now, then = metric["last"], metric["before"]
    values = " → ".join(figure(window["median"], metric["unit"]) for window in (then, now))
    return (
        f"{series['profile']} with {series['users']} users {values} ({100 * metric['change']:+.1f} %, "
        f"{then['n']} and {now['n']} runs)"
    )
