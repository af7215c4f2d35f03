"""Two runs side by side: what differs around them, whether they may be compared, how each figure moved. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from include.loadtest.errors import printable
from include.loadtest.history.comparability import differing_fields
from include.loadtest.history.comparison import compare, shown_value
from include.loadtest.orchestration.web.trend_chart import shown_interval
from include.loadtest.profile.vocabulary import METRICS, SCOPE_ALL
from include.loadtest.verdict import Verdict, figure

Row = Mapping[str, Any]
Word = Literal["better", "worse", "higher", "lower", "equal", "unclear", "not measured"]

VERSIONS = {
    "git_sha": "Git SHA of the application",
    "image": "Image",
    "app_version": "Version of the application",
    "migration_head": "Migration head of its database",
}
"""What two runs are compared for, by the names of the environment; the rest of it has to be equal."""
_IN_THE_KEY = ("postgres", "redis", "generator_host", "hardware")
"""Parts of the environment that the comparability has in its own way."""
_NOT_VALID = frozenset({Verdict.ABORTED, Verdict.INCONCLUSIVE})
_LONGEST = 300
UNKNOWN = "not known"


@dataclass(frozen=True)
class Fact:
    """Something around the runs; `state`: same, differs, or not known where one of them does not say."""

    name: str
    first: str
    second: str
    state: Literal["same", "differs", "not known"]


@dataclass(frozen=True)
class Delta:
    """How one figure moved from the second (earlier) run to the first."""

    metric: str
    first: str
    first_interval: str
    second: str
    second_interval: str
    absolute: str
    percent: str
    sign: str
    word: Word
    why: str


@dataclass(frozen=True)
class Group:
    """The figures of one scope."""

    scope: str
    deltas: tuple[Delta, ...]

    def named(self, word: str) -> list[str]:
        """The figures of which the page says this word."""
        return [delta.metric for delta in self.deltas if delta.word == word]


def version_facts(first: Row, second: Row) -> list[Fact]:
    """What the two runs tested."""
    return [
        _fact(title, first["environment"].get(name), second["environment"].get(name))
        for name, title in VERSIONS.items()
    ]


def key_differences(first: Row, second: Row) -> list[Fact]:
    """In what they differ that has to be equal for comparable runs."""
    return _differences(differing_fields(first["comparability"], second["comparability"]))


def other_differences(first: Row, second: Row) -> list[Fact]:
    """What else differs around them; it does not keep them from being compared."""
    left, right = (
        {name: value for name, value in run["environment"].items() if _is_other(name)} for run in (first, second)
    )
    return _differences(differing_fields(left, right))


def _is_other(name: str) -> bool:
    return name not in VERSIONS and name not in _IN_THE_KEY


def equal_fields(first: Row, second: Row) -> list[str]:
    """The fields of the load and the environment that are equal and known."""
    content = first["comparability"]
    differing = {item["field"].partition(".")[0] for item in differing_fields(content, second["comparability"])}
    return sorted(name for name, value in content.items() if name not in differing and value is not None)


def unknown_fields(first: Row, second: Row) -> list[str]:
    """What has to be equal and is not known of either: it may differ all the same."""
    content, other = first["comparability"], second["comparability"]
    return sorted(name for name in content if content[name] is None and other.get(name) is None)


def obstacles(first: Row, second: Row) -> list[str]:
    """Why the two runs may not be compared, a sentence each; empty: they may."""
    found = []
    if first["run_id"] == second["run_id"]:
        found.append("It is the same run twice.")
    if first["comparability_key"] != second["comparability_key"]:
        found.append("Load, hardware, servers or the size of the data differ: see what has to be equal.")
    invalid = [run for run in (first, second) if run["verdict"] in _NOT_VALID]
    found += [f"{run['run_id']} ended {run['verdict']}: its figures are no measure." for run in invalid]
    return list(dict.fromkeys(found))


def _differences(fields: Iterable[Row]) -> list[Fact]:
    return [_fact(item["field"], item["current"], item["other"], item["field"]) for item in fields]


def _fact(name: str, first: Any, second: Any, field: str = "") -> Fact:
    state: Literal["same", "differs", "not known"] = (
        "not known" if first is None or second is None else "same" if first == second else "differs"
    )
    left, right = (shown_value({"field": field, "value": value}, "value") for value in (first, second))
    return Fact(
        name,
        UNKNOWN if first is None else printable(left, _LONGEST),
        UNKNOWN if second is None else printable(right, _LONGEST),
        state,
    )


def groups(first: Row, second: Row, *, comparable: bool) -> list[Group]:
    """The figures of the hold: of all requests, then by scenario, then by endpoint; each in the vocabulary's order.

    `comparable` False: it is said which value is higher, not which is better.
    """
    left, right = ({(row["metric"], row["scope"]): row for row in run["metrics"]} for run in (first, second))
    by_scope: dict[str, list[Delta]] = {}
    for entry in sorted(compare({"metrics": first["metrics"]}, second["metrics"]), key=_place):
        key = entry["metric"], entry["scope"]
        delta = _delta(entry, left.get(key), right.get(key), comparable=comparable)
        by_scope.setdefault(entry["scope"], []).append(delta)
    return [Group(scope, tuple(deltas)) for scope, deltas in by_scope.items()]


_ORDER = {name: place for place, name in enumerate(METRICS)}


def _place(entry: Row) -> tuple[bool, bool, str, int, str]:
    scope, metric = entry["scope"], entry["metric"]
    return scope != SCOPE_ALL, scope.startswith("endpoint:"), scope, _ORDER.get(metric, len(_ORDER)), metric


def _delta(entry: Row, first: Row | None, second: Row | None, *, comparable: bool) -> Delta:
    now, then, unit = entry["current"], entry["previous"], entry["unit"]
    moved = None if now is None or then is None else now - then
    word, why = _word(entry, moved, _overlap(first, second), comparable=comparable)
    return Delta(
        entry["metric"],
        figure(now, unit),
        _interval(first, unit),
        figure(then, unit),
        _interval(second, unit),
        "–" if moved is None else _signed(moved, unit),
        "–" if entry["change"] is None else f"{100 * entry['change']:+.1f} %",
        "" if not moved else "▲" if moved > 0 else "▼",
        word,
        why,
    )


def _interval(row: Row | None, unit: str) -> str:
    if row is None or row["value"] is None:
        return ""
    return shown_interval(row["ci_low"], row["ci_high"], unit)


def _signed(moved: float, unit: str) -> str:
    """A difference with its sign; of two shares in percentage points."""
    size = f"{100 * abs(moved):.4g} points" if unit == "ratio" else figure(abs(moved), unit)
    return size if moved == 0 else f"{'+' if moved > 0 else '−'}{size}"


def _overlap(first: Row | None, second: Row | None) -> bool | None:
    """Whether the two intervals share a value; None where an end is not known."""
    ends = [row[name] for row in (first, second) if row is not None for name in ("ci_low", "ci_high")]
    if first is None or second is None or None in ends:
        return None
    low, high, other_low, other_high = ends
    return bool(low <= other_high and other_low <= high)


def _word(entry: Row, moved: float | None, overlap: bool | None, *, comparable: bool) -> tuple[Word, str]:
    if moved is None:
        return "not measured", "by one of the two" if entry["current"] is not None or entry[
            "previous"
        ] is not None else ""
    if moved == 0:
        return "equal", ""
    if overlap is None:
        return "unclear", "an interval is not known"
    if overlap:
        return "unclear", "the intervals overlap"
    apart = "the intervals do not overlap"
    if entry["direction"] == "none" or not comparable:
        return ("higher" if moved > 0 else "lower"), apart
    is_better = (moved < 0) == (entry["direction"] == "lower")
    return ("better" if is_better else "worse"), apart


def summary(group: Group) -> str:
    """How many figures of a group are what, the ones that are worse by name."""
    words: Sequence[Word] = ("worse", "better", "higher", "lower", "unclear", "equal", "not measured")
    parts = []
    for word in words:
        names = group.named(word)
        if names:
            listed = f" ({', '.join(names)})" if word in ("worse", "better") else ""
            parts.append(f"{len(names)} {word}{listed}")
    return ", ".join(parts) or "no figures"
