"""The infrastructure plan of a quarter: how the data grow, what the disks need, and what nobody knows. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.reviewed_run import ReviewedRun

Row = Mapping[str, Any]

_OF_THE_HOST = "host_"


def infrastructure_plan(runs: Sequence[ReviewedRun], suite_manifest: Row, advice: Sequence[Row]) -> dict[str, Any]:
    """The review's part `infrastructure_plan`.

    `data`: size of the target's database before and after each run's load, in bytes, null where it was not read.
    `disks`: what preflight expected the whole suite to write, and the room there was; `notes` say what it could not
    estimate. `not_exposed` and `not_measured` are lists of texts: what this plan cannot rest on.
    """
    growth: Row = suite_manifest.get("growth") or {}
    return {
        "data": [_data(run) for run in runs],
        "disks": list(growth.get("disks") or ()),
        "expected_database_bytes": growth.get("database_bytes"),
        "notes": list(growth.get("notes") or (() if growth else ("disk: preflight left no forecast",))),
        "not_exposed": [f"{run.entry.profile}: {text}" for run in runs for text in _not_exposed(run)],
        "not_measured": list(dict.fromkeys([*not_judged(runs), *triggers_not_measured(advice)])),
    }


def _data(run: ReviewedRun) -> dict[str, Any]:
    sizes: Row = (run.entry.manifest or {}).get("sizes") or {}
    before, after = ((sizes.get(when) or {}).get("database_bytes") for when in ("before", "after_load"))
    return {
        "run_id": run.entry.run_id,
        "profile": run.entry.profile,
        "before_bytes": before,
        "after_load_bytes": after,
        "grown_bytes": None if before is None or after is None else after - before,
    }


def _not_exposed(run: ReviewedRun) -> Iterator[str]:
    """What the target offers no way to measure."""
    yield from (reason["text"] for reason in run.reasons if reason["code"] == "not_exposed")


def not_judged(runs: Sequence[ReviewedRun], *, shared_host: bool = True) -> Iterator[str]:
    """Runs without a verdict, and limits that could not be judged.

    `shared_host`: those too that are not judged since the target's host is the generator's as well.
    """
    for run in runs:
        if run.entry.verdict is None:
            yield f"{run.entry.profile}: ended without a verdict"
        for slo in run.slos:
            is_shared = slo["metric"].startswith(_OF_THE_HOST) and bool(run.target.get("shares_host"))
            if slo["outcome"] == "not_judged" and (shared_host or not is_shared):
                scope = "" if slo["scope"] == "all" else f" of {slo['scope']}"
                yield f"{run.entry.profile}: {slo['metric']}{scope}, limit not judged"


def triggers_not_measured(advice: Sequence[Row]) -> Iterator[str]:
    """Triggers of a purchase that nobody could look at."""
    for entry in advice:
        for trigger in entry["triggers"]:
            if trigger["state"] == "not_measured":
                yield f"{trigger['metric']}: the trigger of {entry['component']}"
