"""comparison.json: a run beside the last comparable one. Differences are shown, not judged. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.history.comparability import differing_fields
from include.loadtest.profile.vocabulary import GROWTH_METRICS

PHASE = "hold"


def compare(current: Mapping[str, Any], previous: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each metric and scope of the hold, now and then.

    `current` is the content of metrics.json, `previous` are rows of an earlier one. `change` = current ÷ previous − 1;
    null where one of them is null or the previous one is 0, and for a growth, which is around 0 where all is well.
    """
    then = {(row["metric"], row["scope"]): row for row in previous if row["phase"] == PHASE}
    now = {(row["metric"], row["scope"]): row for row in current["metrics"] if row["phase"] == PHASE}
    return [_difference(now.get(key), then.get(key)) for key in {**now, **then}]


def _difference(now: Mapping[str, Any] | None, then: Mapping[str, Any] | None) -> dict[str, Any]:
    row = now or then or {}
    current, previous = (now or {}).get("value"), (then or {}).get("value")
    change = None
    if current is not None and previous and row["metric"] not in GROWTH_METRICS:
        change = current / previous - 1
    return {
        "metric": row["metric"],
        "scope": row["scope"],
        "unit": row["unit"],
        "direction": row["direction"],
        "current": current,
        "previous": previous,
        "change": change,
    }


def compared(run_id: str, previous: Mapping[str, Any], differences: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The document of a run that has a comparable one; `previous` has `run_id`, `started` and `verdict`."""
    return {
        "schema": 1,
        "run_id": run_id,
        "phase": PHASE,
        "previous_run_id": previous["run_id"],
        "previous_started": previous["started"],
        "previous_verdict": previous["verdict"],
        "text": f"Compared with {previous['run_id']}: shown, not judged.",
        "differing_fields": [],
        "differences": list(differences),
    }


def not_compared(run_id: str, text: str, fields: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The document of a run without a comparison; `text` says why, `fields` what differs from the nearest run."""
    return {
        "schema": 1,
        "run_id": run_id,
        "phase": PHASE,
        "previous_run_id": None,
        "previous_started": None,
        "previous_verdict": None,
        "text": text,
        "differing_fields": list(fields),
        "differences": [],
    }


def nearest_difference(
    profile: str, content: Mapping[str, Any], latest: Mapping[str, Any] | None
) -> tuple[str, list[dict[str, Any]]]:
    """Why there is no comparable run: a sentence, and the fields in which the latest run of the same profile differs.

    `latest` has `run_id`, `verdict` and `comparability`; None where the profile has no earlier run.
    """
    if latest is None:
        return f"There is no earlier run of {profile} to compare with.", []
    fields = differing_fields(content, latest["comparability"])
    if not fields:
        text = f"Not compared: {latest['run_id']}, the latest run with equal conditions, ended {latest['verdict']}."
        return text, []
    told = [
        f"{item['field']} is {shown_value(item, 'current')}, was {shown_value(item, 'other')}" for item in fields[:5]
    ]
    more = f" (and {len(fields) - 5} more)" if len(fields) > 5 else ""
    return f"Not compared: the latest run of {profile}, {latest['run_id']}, differs: {'; '.join(told)}{more}.", fields


def shown_value(item: Mapping[str, Any], which: str) -> str:
    """A value for a person: stages by name, seconds and users."""
    value = item[which]
    if item["field"] != "stages" or not value:
        return str(value)
    return ", ".join(
        f"{stage['name']} {stage['end_s'] - stage['start_s']:g} s to {stage['users_to']} users" for stage in value
    )
