"""The target and its LLM in the summary: calls, what they cost, and the target's own time beside them."""

from collections.abc import Iterator, Mapping
from typing import Any

from include.loadtest.profile.vocabulary import LLM_METRICS, NOT_EXPOSED
from include.loadtest.reporting.markdown import cell, figure, plain, section, table

Row = Mapping[str, Any]
_TITLES = {
    "llm_calls": "calls",
    "llm_calls_per_answer": "calls an answer",
    "llm_wait_mean_ms": "wait a call, mean",
    "own_time_mean_ms": "the target's own time an answer, mean",
    "llm_cost_eur": "cost",
}
_OF = {
    "llm_calls": "readings",
    "llm_calls_per_answer": "answers",
    "llm_wait_mean_ms": "calls",
    "own_time_mean_ms": "answers",
    "llm_cost_eur": "readings",
}
_COUNTED_BY = {"llm": "by the LLM's side, whoever made them", "app": "by the target"}


def llm_section(report: Row) -> str:
    """The hold's figures, and the calls of the whole run; what the target does not expose is named as that."""
    rows = [row for row in report["metrics"] if row["metric"] in LLM_METRICS and row["phase"] == "hold"]
    shown = [row for row in rows if row["why"] != NOT_EXPOSED]
    missing = [_TITLES[row["metric"]] for row in rows if row["why"] == NOT_EXPOSED]
    part = (report["manifest"] or {}).get("llm") or {}
    return section(
        "LLM in the hold",
        table(("figure", "value", "n"), map(_shown, shown)),
        f"Not exposed by this target or its LLM: {', '.join(missing)}." if missing else "",
        "\n".join(_whole_run(part)),
    )


def _shown(row: Row) -> tuple[str, str, str]:
    value = cell(row) if row["why"] is None else f"{cell(row)}: {row['why']}"
    return f"{_TITLES[row['metric']]} (`{row['metric']}`)", value, f"{row['n']:,} {_OF[row['metric']]}"


def _whole_run(part: Row) -> Iterator[str]:
    """Exact, from the counter before the warm-up and after the load."""
    calls, price_eur, cap = part.get("calls"), part.get("price_eur_a_call"), part.get("cap_calls")
    if calls is not None:
        cost = "" if price_eur is None else f", {figure(calls * price_eur, 'EUR')} at {price_eur:g} EUR a call"
        capped = "" if cap is None else f"; the cap is {cap:,} calls"
        yield f"From the warm-up to the end: {calls:,.0f} calls, counted {_COUNTED_BY[part['source']]}{cost}{capped}."
    elif part.get("why"):
        yield f"Calls of the whole run: not known ({plain(str(part['why']))})."
