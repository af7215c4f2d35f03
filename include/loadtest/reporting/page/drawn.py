"""What the page's script draws, and the pictures that need none: chosen from `chart_data` and the report. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from include.loadtest.causes import CAUSES
from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.reporting.key_phase import key_phase
from include.loadtest.reporting.markdown import figure
from include.loadtest.reporting.page.svg import histogram
from include.loadtest.reporting.resource_series import LINES

Row = Mapping[str, Any]

GROUPS = {
    "cpu": "CPU",
    "memory": "Memory",
    "database": "Database",
    "redis": "Redis",
    "llm": "LLM",
    "app": "Application",
    "generator": "Load generator",
}
"""Groups of readings in the order of the page."""
_EXPECTED = ("cpu", "memory", "database", "redis", "llm")
_GROUPS_OF_COMPONENT = {
    "CPU": ("cpu",),
    "Memory": ("memory",),
    "Database": ("database",),
    "Disk": ("database",),
    "Cache": ("redis",),
    "LLM": ("llm",),
    "Application": ("app", "cpu"),
    "Load generator": ("generator",),
}
MAX_EVIDENCE = 3
MAX_RESOURCES = 60
"""More series than that are not drawn, only counted: the page stays small, and nobody looks at them."""


@dataclass(frozen=True)
class Picture:
    """The distribution of one scenario: a picture, and its percentiles as texts (name, value, n)."""

    scenario: str
    n: str
    lower_bounds: int
    svg: Markup
    percentiles: tuple[tuple[str, str, str], ...]


def script_data(report: Row, charts: Row) -> dict[str, Any]:
    """The JSON that the page's script reads: the charts, limits by metric, evidence of the first cause."""
    resources = drawn_resources(report["diagnosis"], charts["resources"])
    kept = ("start_s", "width_s", "t", "latency", "rate", "failed", "singles", "users", "spans", "stalls", "alerts")
    return {
        **{name: charts[name] for name in kept},
        "resources": resources,
        "groups": GROUPS,
        "limits": _limits(report["slos"]),
        "evidence": evidence(report["diagnosis"], resources),
        "range": _range(charts),
    }


def drawn_resources(diagnosis: Row | None, resources: Sequence[Row]) -> list[Row]:
    """The series that are drawn, in their order: of too many those of the evidence, then of each kind the first ones.

    So a target of a hundred instances leaves room for its database.
    """
    named = (evidence(diagnosis, resources) or {}).get("places") or ()
    seen: Counter[str] = Counter()
    turns = []
    for place, series in enumerate(resources):
        turns.append((place not in named, seen[series["key"]], place))
        seen[series["key"]] += 1
    return [resources[place] for place in sorted(place for *_, place in sorted(turns)[:MAX_RESOURCES])]


def not_drawn(charts: Row | None) -> int:
    """How many series are left out of `drawn_resources`."""
    return max(len((charts or {}).get("resources") or ()) - MAX_RESOURCES, 0)


def _range(charts: Row) -> list[float]:
    """The time axis that all charts share: the load, from the first phase or answer to the last."""
    times, spans = charts["t"], charts["spans"]
    start = min([*times[:1], *(span["start_s"] for span in spans)], default=charts["start_s"])
    ends = [*(time + charts["width_s"] for time in times[-1:]), *(span["end_s"] for span in spans)]
    return [start, max(ends, default=start + charts["width_s"])]


def _limits(slos: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """The limits of all requests and of the machine by metric: drawn where their figure is."""
    found: dict[str, list[dict[str, Any]]] = {}
    for slo in slos:
        if slo["scope"] == SCOPE_ALL:
            level = "" if slo["level"] == "critical" else f" ({slo['level']})"
            phase = "" if slo["phase"] == "hold" else f" in {slo['phase']}"
            text = f"limit {slo['comparator']} {figure(slo['limit'], slo['unit'])}{level}{phase}"
            found.setdefault(slo["metric"], []).append({"value": slo["limit"], "text": text})
    return found


def evidence(diagnosis: Row | None, resources: Sequence[Row]) -> dict[str, Any] | None:
    """Which readings are drawn over P95: those that the first cause's evidence names, else those of its component.

    None without a cause, or without any reading of it. `named`: whether the evidence itself is drawn.
    """
    causes = (diagnosis or {}).get("causes") or ()
    if not causes:
        return None
    named = [place for one in causes[0]["evidence"] if (place := _place(one, resources)) is not None]
    of_component = _of_component(str(causes[0]["component"]), resources)
    places = list(dict.fromkeys(named or of_component))[:MAX_EVIDENCE]
    if not places:
        return None
    windows = [(one["from"], one["to"]) for one in causes[0]["evidence"] if one.get("from") and one.get("to")]
    known = CAUSES.get(causes[0]["cause"])
    return {
        "places": places,
        "named": bool(named),
        "title": known.title if known is not None else str(causes[0]["component"]),
        "start_s": min((_seconds(start) for start, _ in windows), default=None),
        "end_s": max((_seconds(end) for _, end in windows), default=None),
    }


def _place(one: Row, resources: Sequence[Row]) -> int | None:
    """The series that its reading is drawn as, the same instance first; None for a reading that is not drawn."""
    keys = {line.key for line in LINES if (one["source"], one["metric"]) in line.kinds} | {one["metric"]}
    fitting = [
        (not _is_instance(one, series), place) for place, series in enumerate(resources) if series["key"] in keys
    ]
    return min(fitting)[1] if fitting else None


def _is_instance(one: Row, series: Row) -> bool:
    return not one.get("instance") or one["instance"] == series["instance"]


def _of_component(component: str, resources: Sequence[Row]) -> list[int]:
    wanted = _GROUPS_OF_COMPONENT.get(component, ())
    return [place for place, series in enumerate(resources) if series["group"] in wanted][:1]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def missing_groups(charts: Row | None) -> list[str]:
    """Which of the target's parts have no reading at all, by their titles."""
    there = {series["group"] for series in (charts or {}).get("resources") or ()}
    return [GROUPS[group] for group in _EXPECTED if group not in there]


def pictures(report: Row, charts: Row | None) -> list[Picture]:
    """A picture a scenario that has answers, all with the same axis."""
    scenarios = [one for one in (charts or {}).get("scenarios") or () if any(one["counts"])]
    if not scenarios:
        return []
    domain = (
        max(min(edge for one in scenarios for edge in _used_edges(one)), 0.01),
        max(edge for one in scenarios for edge in _used_edges(one)),
    )
    phase = key_phase(report["metrics"])
    limits = {
        slo["scope"].removeprefix("scenario:"): slo["limit"]
        for slo in report["slos"]
        if slo["metric"] == "latency_p95_ms" and slo["phase"] == phase
    }
    return [_picture(one, domain, limits.get(one["scenario"])) for one in scenarios]


def _used_edges(scenario: Row) -> list[float]:
    edges, counts = scenario["edges_ms"], scenario["counts"]
    used = [place for place, count in enumerate(counts) if count]
    return [edges[used[0]], edges[min(used[-1] + 1, len(edges) - 1)]]


def _picture(scenario: Row, domain: tuple[float, float], limit_ms: float | None) -> Picture:
    return Picture(
        scenario=scenario["scenario"],
        n=f"{scenario['n']:,}",
        lower_bounds=scenario["lower_bounds"],
        svg=histogram(scenario, domain, limit_ms),
        percentiles=tuple(
            (
                one["name"],
                ("≥ " if one["is_bound"] and one["ms"] is not None else "") + figure(one["ms"], "ms"),
                f"{one['n']:,}",
            )
            for one in scenario["percentiles"]
        ),
    )
