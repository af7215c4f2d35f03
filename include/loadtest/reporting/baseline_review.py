"""The quarter's review of baselines: what runs are compared with, since when, and what has none. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.loadtest.reporting.decision import Standing
from include.loadtest.reporting.markdown import moment, plain, section, table

Row = Mapping[str, Any]

_STATES = {"pinned": "pinned", "proposed": "proposed, waits for a person"}
_WITHOUT = "none: compared with the latest valid runs"


def baselines_document(standing: Standing, trends: Row | None) -> dict[str, Any]:
    """The review's part `baselines`; null `rows` where the history gave no answer, `missing` says why.

    A row for each baseline that is pinned or proposed, and one for each series of the trends that has none; `age_days`
    is null where it has no date.
    """
    if standing.document is None:
        return {"rows": None, "missing": standing.missing}
    rows = [
        {"users": _users(trends, one["comparability_key"]), "age_days": _age(one["at"], standing.document["at"]), **one}
        for one in standing.document["baselines"]
    ]
    pinned = {one["comparability_key"] for one in rows if one["status"] == "pinned"}
    without = [
        {"profile": one["profile"], "users": one["users"], "comparability_key": one["comparability_key"]}
        for one in (trends or {}).get("series", ())
        if one["comparability_key"] not in pinned
    ]
    return {"rows": rows, "without": without, "missing": None}


def _users(trends: Row | None, key: str) -> int | None:
    return next((one["users"] for one in (trends or {}).get("series", ()) if one["comparability_key"] == key), None)


def _age(at: str | None, now: str) -> int | None:
    return None if at is None else (datetime.fromisoformat(now) - datetime.fromisoformat(at)).days


def baselines_section(found: Row | None) -> str:
    """The section of a quarterly review; empty for another one."""
    if found is None:
        return ""
    if found["rows"] is None:
        return section("Baselines", f"Not known: {plain(found['missing'])}")
    rows = [_row(one) for one in found["rows"]]
    rows += [(plain(one["profile"]), _count(one["users"]), "–", _WITHOUT, "–", "–", "–") for one in found["without"]]
    header = ("profile", "users", "number", "state", "runs", "since", "by, and why")
    return section(
        "Baselines",
        "What the runs of each profile are compared with. One that is old, or holds runs of another product, hides a "
        "slow change: load_test_housekeeping proposes, pins and retires.",
        table(header, rows) or "The history has no baseline and no comparable runs.",
    )


def _row(one: Row) -> tuple[str, ...]:
    age = "" if one["age_days"] is None else f" ({one['age_days']} days)"
    why = f"{one['by'] or 'unknown'}: {one['reason'] or '–'}"
    since = f"{moment(one['at'])}{age}"
    return (
        *(plain(one["profile"]), _count(one["users"]), f"{one['id']}", _STATES[one["status"]], f"{one['runs']}"),
        *(since, plain(why)),
    )


def _count(users: int | None) -> str:
    return "–" if users is None else f"{users}"
