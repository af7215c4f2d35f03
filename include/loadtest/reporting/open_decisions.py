"""What the history leaves open and a person has to decide: old regressions, tickets, baselines, silence. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.decision import HOUSEKEEPING, OPERATOR, PRODUCT, Decision, Standing, listed
from include.loadtest.reporting.markdown import moment
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.verdict import Verdict

Row = Mapping[str, Any]


def regressions(runs: Sequence[ReviewedRun], standing: Standing) -> Iterator[Decision]:
    """Slower levels of this suite's runs, and earlier ones that nobody accepted since."""
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
            listed(list(found.values())),
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


def tickets(standing: Standing) -> Iterator[Decision]:
    """Findings of scheduled runs that are not repaired."""
    rows = (standing.document or {}).get("tickets", ())
    if rows:
        yield Decision(
            "tickets",
            "Which open findings are repaired next?",
            listed([f"{_issue(row)}{row['metric']} of {row['profile']} ({row['scope']}), open since "
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


def proposals(standing: Standing) -> Iterator[Decision]:
    """Baselines that wait for a person."""
    waiting = [row for row in (standing.document or {}).get("baselines", ()) if row["status"] == "proposed"]
    if waiting:
        yield Decision(
            "baselines",
            "Are the proposed baselines pinned?",
            listed([f"baseline {row['id']} of {row['profile']}: {row['runs']} runs, proposed {moment(row['at'])} by "
                     f"{row['by'] or 'unknown'}" for row in waiting]),
            OPERATOR,
            None,
            (
                f"Pin them: {HOUSEKEEPING}, action pin with the number.",
                f"Refuse them: {HOUSEKEEPING}, action retire with the number.",
                "Do nothing: runs are compared with what is pinned now, or with the latest valid runs.",
            ),
        )  # fmt: skip


def silent(standing: Standing) -> Iterator[Decision]:
    """A weekly suite without the verdicts that were due: its DAG is paused, or it fails before a verdict."""
    if standing.silence is not None:
        yield Decision(
            "weekly_silent",
            "Is the weekly suite meant to be silent?",
            (standing.silence,),
            OPERATOR,
            None,
            (
                "Let it run: unpause load_test_weekly, or repair what its last DAG run failed at.",
                "Do nothing: the trends have no new runs, and a regression is found only at the next review.",
            ),
        )
