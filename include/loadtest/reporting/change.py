"""The change test in the summary: what was found against which runs, and how small a change could have been found."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.profile.vocabulary import BASELINES
from include.loadtest.reporting.markdown import bullets, code, plain, section, table

Row = Mapping[str, Any]
MOST_RUNS = 3
_TITLES = {
    "REGRESSION": "❌ slower, confirmed",
    "SUSPECTED": "🟡 suspected of being slower, to be repeated",
    "IMPROVEMENT": "✅ faster, confirmed",
    "STALL": "🟡 not compared: the run stalled",
    "HOST_NOISE": "⚪ not compared: the host was slow",
    "OK": "✅ no change",
    "NOT_ENOUGH_RUNS": "⚪ not enough comparable runs",
}
_SHOWN_P = 0.001


def change_line(comparison: Row | None) -> str | None:
    """What the change test says, in one line; None where the run was not compared."""
    document = (comparison or {}).get("change_test")
    return f"{_TITLES[document['word']]}: {document['text']}" if document else None


def change_section(comparison: Row | None) -> str:
    """Empty where the run was not tested for a change."""
    document = (comparison or {}).get("change_test")
    if not document:
        return ""
    against = document["against"].items()
    lines = (
        f"against {BASELINES[name]} ({len(entry['runs'])} runs{_named(entry['runs'])}): {_TITLES[entry['word']]}; "
        f"{plain(entry['text'])}"
        for name, entry in against
    )
    repeats = [*document["repeats"], *document["references"]]
    return section(
        "Slower or faster than before?",
        f"**{_TITLES[document['word']]}**: {plain(document['text'])}",
        bullets(lines),
        f"Repeated by {', '.join(code(run_id) for run_id in repeats)}." if repeats else "",
        _findings(document),
        _sensitivity(document),
    )


def _named(runs: Sequence[str]) -> str:
    """The first and the last of them."""
    return f", {code(runs[0])} to {code(runs[-1])}" if len(runs) > 1 else ""


def _findings(document: Row) -> str:
    rows = [
        (
            BASELINES[name],
            plain(one["scope"].removeprefix("endpoint:")),
            _measure(one["measure"]),
            f"{100 * one['change']:+.1f} %",
            f"{100 * one['ci_low']:+.1f} – {100 * one['ci_high']:+.1f} %",
            f"< {_SHOWN_P}" if one["p"] < _SHOWN_P else f"{one['p']:.3f}",
        )
        for name, entry in document["against"].items()
        for one in entry["findings"]
    ]
    return table(("against", "endpoint", "of it", "change", "95 % interval", "p over all"), rows)


def _measure(name: str) -> str:
    return {"latency_body_ms": "body (P10 to P90)", "latency_tail_ms": "tail (P95, P99)"}.get(name, name)


def _sensitivity(document: Row) -> str:
    """What "no change" means: a smaller one would not have been seen."""
    relevant = f"{100 * document['relevant_change']:g} %"
    rows = [
        (
            plain(one["scope"].removeprefix("endpoint:")),
            _measure(one["measure"]),
            f"{100 * one['suspected']:.0f} %",
            f"{100 * one['confirmed']:.0f} %",
            "more than 50" if one["runs_for_relevant"] is None else str(one["runs_for_relevant"]),
        )
        for one in document["sensitivity"]
    ]
    if not rows:
        return ""
    header = ("endpoint", "of it", "found by one run", "confirmed with repeats", f"runs needed for {relevant}")
    return f"Smallest change that these runs find four times out of five:\n\n{table(header, rows)}"
