"""How many users the target carries, from the runs of one suite. Says "not known" where no run shows it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.profile.costs import Planned
from include.loadtest.reporting.reviewed_run import ReviewedRun
from include.loadtest.verdict import Verdict

Row = Mapping[str, Any]


def capacity(runs: Sequence[ReviewedRun], planned: Planned) -> dict[str, Any]:
    """The review's part `capacity`.

    `carried` is the steady run with the most users whose required limits were all judged and met, null where there is
    none; `stepped` has for each stepped load the largest step within its breaking-point limits, its saturation and its
    breaking point, each null where it is not known or (`looked_up_to`) was not reached, and `analysis`: the part
    `capacity` of its diagnosis, null where it has none or its samples are not trusted.
    """
    steady = [_steady(run) for run in runs if _is_steady(run)]
    met = [row for row in steady if row["limits"] == "met"]
    carried = max(met, key=lambda row: (row["users"], row["hold_s"]), default=None)
    return {
        "planned": planned.model_dump(mode="json"),
        "carried": carried,
        "steady": steady,
        "stepped": [_stepped(run) for run in runs if run.shape == "steps"],
        "sentence": _sentence(carried, steady, planned),
    }


def _is_steady(run: ReviewedRun) -> bool:
    """Whether it is a number of users over a time: neither arrivals on a schedule nor a list of checks."""
    return run.shape == "steady" and not run.profile.get("arrival") and not run.profile.get("checks")


def _steady(run: ReviewedRun) -> dict[str, Any]:
    critical = [slo for slo in run.slos if slo["level"] == "critical"]
    return {
        "run_id": run.entry.run_id,
        "profile": run.entry.profile,
        "users": run.profile["users"],
        "hold_s": run.profile["duration_s"],
        "verdict": str(run.entry.outcome),
        "limits": _limits(run, critical),
        "not_judged": [slo["metric"] for slo in critical if slo["outcome"] == "not_judged"],
    }


def _limits(run: ReviewedRun, critical: Sequence[Row]) -> str:
    """met, missed, or not_known: what was not judged is never met. A breach beside the limits is a miss too."""
    if not run.is_whole:
        return "not_known"
    if run.entry.outcome == Verdict.SLA_BREACH or any(slo["outcome"] == "missed" for slo in critical):
        return "missed"
    required = [slo["outcome"] in ("met", "near") for slo in critical if slo["required"]]
    return "met" if required and all(required) and run.entry.outcome != Verdict.INCONCLUSIVE else "not_known"


def _stepped(run: ReviewedRun) -> dict[str, Any]:
    broken, saturated = (_step(run, metric) for metric in ("breaking_point_users", "saturation_users"))
    return {
        "run_id": run.entry.run_id,
        "profile": run.entry.profile,
        "verdict": str(run.entry.outcome),
        "limits": (run.profile.get("shape") or {}).get("breaking_point"),
        "largest_users_within": _largest_within(run, broken),
        "saturation_users": saturated,
        "breaking_point_users": broken,
        "analysis": (run.diagnosis or {}).get("capacity") if run.is_trusted else None,
    }


def _step(run: ReviewedRun, metric: str) -> dict[str, Any]:
    """Where it was first seen, and up to how many users it was looked for; both null: not known."""
    row = run.figure(metric) if run.is_trusted else None
    found, looked_up_to = ((row or {}).get(key) for key in ("value", "looked_up_to"))
    return {"users": None if found is None else int(found), "looked_up_to": looked_up_to}


def _largest_within(run: ReviewedRun, broken: Row) -> int | None:
    """Users of the last step before the breaking point; without one, of the last that could be judged."""
    if broken["users"] is None:
        looked_up_to: int | None = broken["looked_up_to"]
        return looked_up_to
    users = [stage["users"] for stage in run.stages if stage["phase"] != "recovery" and stage["users"] is not None]
    return max((count for count in users if count < broken["users"]), default=None)


def _sentence(carried: Row | None, steady: Sequence[Row], planned: Planned) -> str:
    """What the steady runs show, and what that is for the plan."""
    missed = [row for row in steady if row["limits"] == "missed"]
    missed_text = f"Limits were missed with {_listed(missed)}." if missed else ""
    shown = "Not known how many users it carries: no steady run had all its required limits judged and met."
    if carried is not None:
        shown = (
            f"It carries {_users(carried['users'])} within every required limit "
            f"({carried['profile']}, {carried['hold_s'] / 60:.3g} min, {carried['verdict']})."
        )
    return " ".join(part for part in (shown, missed_text, _relation(carried, missed, planned)) if part)


def _relation(carried: Row | None, missed: Sequence[Row], planned: Planned) -> str:
    """One sentence: which end of the planned range is shown to be carried."""
    low, high = planned.users.low, planned.users.high
    goal = f"the {low} to {high} users of the goal of {planned.goal}"
    users = 0 if carried is None else carried["users"]
    if users >= low and any(row["users"] <= users for row in missed):
        return f"Whether it carries {goal} is not settled: no more users than these missed their limits too."
    if any(row["users"] == low for row in missed):
        return f"So {goal} are not served as promised."
    misses_upper = any(low < row["users"] <= high for row in missed)
    if users < low:
        upper = ", and its upper end is not carried" if misses_upper else ""
        return f"Whether it carries {goal} is not shown{upper}."
    if misses_upper:
        return f"So it carries the lower end of {goal}, and not the upper one."
    if users < high:
        return f"So it carries the lower end of {goal}; the upper one is not shown."
    return f"So it carries {goal}."


def _listed(rows: Sequence[Row]) -> str:
    return ", ".join(f"{_users(row['users'])} ({row['profile']}, {row['verdict']})" for row in rows)


def _users(count: int) -> str:
    return f"{count} user{'' if count == 1 else 's'}"
