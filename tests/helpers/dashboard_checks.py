"""What is wrong with a Grafana dashboard's JSON: against the Foundation SDK's model, and by rules of this product."""

import enum
import json
import re
import typing
from collections import Counter
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Dashboard

from include.loadtest.publishing.alert_rules import SCRAPE_S

WIDTH = 24
MIN_SCRAPES = 4
BUILT_IN = {"__all", "__rate_interval", "__range", "__interval", "__field", "__value"}
OF_EVENTS = {"titleFormat", "textFormat", "step", "useValueForTime"}
"""Of Grafana's Prometheus source; the SDK's model of an annotation has no place for them."""
UNITS = {value for name, value in vars(units).items() if isinstance(value, str) and not name.startswith("_")}
_VARIABLE = re.compile(r"\$(?:\{(\w+)|(\w+))|\[\[(\w+)")
_WINDOW = re.compile(r"\b(rate|increase|irate|delta)\([^[]*\[([^\]]+)\]")
_ZERO = re.compile(r"\bor\s+(on\s*\([^)]*\)\s*)?(vector|scalar)?\s*\(?\s*0|vector\(0\)")

register_default_plugins()


def panels_of(board: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels but the headings of rows."""
    return [panel for panel in board.get("panels", []) if panel.get("type") != "row"]


def faults(board: dict[str, Any]) -> list[str]:
    """One line a fault; none: the dashboard is sound."""
    return [*_model_faults(board), *_grid_faults(board), *_variable_faults(board), *_meaning_faults(board)]


def _model_faults(board: dict[str, Any]) -> Iterator[str]:
    """What the SDK does not read, or reads as something else; words that are none of an enumeration's."""
    try:
        model = Dashboard.from_json(json.loads(json.dumps(board)))
        again = json.loads(json.dumps(model, cls=JSONEncoder))
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises for what it cannot read
        yield f"the SDK cannot read it: {type(error).__name__}: {error}"
        return
    yield from _differences(board, again, "")
    yield from _foreign_words(model, "")


def _differences(own: Any, again: Any, at: str) -> Iterator[str]:
    if isinstance(own, dict) and isinstance(again, dict):
        for key in own.keys() | again.keys():
            if key in OF_EVENTS and at.startswith("/annotations/list/"):
                continue
            if key not in again or key not in own:
                yield f"{at}/{key}: {'unknown to the SDK' if key in own else 'missing'}"
            else:
                yield from _differences(own[key], again[key], f"{at}/{key}")
    elif isinstance(own, list) and isinstance(again, list) and len(own) == len(again):
        for place, (one, other) in enumerate(zip(own, again, strict=True)):
            yield from _differences(one, other, f"{at}/{place}")
    elif own != again or type(own) is not type(again):
        yield f"{at}: {own!r} is read as {again!r}"


def _foreign_words(model: Any, at: str) -> Iterator[str]:
    """Values of a field that is an enumeration and of a type that is not what the model says."""
    if isinstance(model, list | tuple):
        for place, one in enumerate(model):
            yield from _foreign_words(one, f"{at}/{place}")
    if not type(model).__module__.startswith("grafana_foundation_sdk.models") or isinstance(model, enum.Enum):
        return
    for name, wanted in typing.get_type_hints(type(model)).items():
        value = getattr(model, name, None)
        kinds = [kind for kind in (wanted, *typing.get_args(wanted)) if isinstance(kind, type)]
        for kind in kinds:
            if issubclass(kind, enum.Enum) and value is not None and value not in list(kind):
                yield f"{at}/{name}: {value!r} is none of {', '.join(map(str, kind))}"
        if int in kinds and value is not None and not isinstance(value, int):
            yield f"{at}/{name}: {value!r} is no whole number"
        yield from _foreign_words(value, f"{at}/{name}")


def _grid_faults(board: dict[str, Any]) -> Iterator[str]:
    """Ids, places, titles."""
    every = board.get("panels", [])
    for key in ("id", "title"):
        for value, times in Counter(panel.get(key) for panel in every).items():
            if times > 1 or not value:
                yield f"panels: {key} {value!r} stands {times} times"
    places = [(panel.get("id"), panel["gridPos"]) for panel in every if "gridPos" in panel]
    for number, (own, a) in enumerate(places):
        if not all(isinstance(a[key], int) for key in "xywh") or a["x"] < 0 or a["x"] + a["w"] > WIDTH:
            yield f"panel {own}: its place is not within the grid"
            continue
        for other, b in places[:number]:
            if all(isinstance(b[key], int) for key in "xywh") and _overlap(a, b):
                yield f"panels {own} and {other} overlap"


def _overlap(a: dict[str, int], b: dict[str, int]) -> bool:
    in_x = a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
    return in_x and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def _variable_faults(board: dict[str, Any]) -> Iterator[str]:
    known = {variable["name"] for variable in board.get("templating", {}).get("list", [])}
    used = {next(filter(None, found)) for found in _VARIABLE.findall(json.dumps(board))}
    yield from (f"variable ${name} is not defined" for name in sorted(used - known - BUILT_IN))
    seen: set[str] = set()
    for variable in board.get("templating", {}).get("list", []):
        for name in {next(filter(None, found)) for found in _VARIABLE.findall(str(variable.get("query")))} - seen:
            yield f"variable ${variable['name']} asks for ${name}, which comes after it"
        seen.add(variable["name"])


def _meaning_faults(board: dict[str, Any]) -> Iterator[str]:
    for panel in panels_of(board):
        yield from (f"panel {panel.get('id')}: {fault}" for fault in _panel_faults(panel))
    for event in board.get("annotations", {}).get("list", []):
        yield from (f"event {event.get('name')}: {fault}" for fault in _query_faults(event.get("expr", "")))


def _panel_faults(panel: dict[str, Any]) -> Iterator[str]:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    unit, targets = defaults.get("unit"), panel.get("targets") or []
    if not unit or (unit not in UNITS and not unit.startswith("suffix: ")):
        yield f"unit {unit!r} is none of Grafana's"
    if len(panel.get("description") or "") < 30:
        yield "no description that says what it means and what to do"
    if "noValue" in defaults or defaults.get("custom", {}).get("spanNulls"):
        yield "what is absent is shown as something"
    if not targets or len({target.get("refId") for target in targets}) != len(targets):
        yield "no query, or two of one name"
    for target in targets:
        yield from _query_faults(target.get("expr", ""))
        yield from _target_faults(panel, target)


def _target_faults(panel: dict[str, Any], target: dict[str, Any]) -> Iterator[str]:
    expr = target.get("expr", "")
    if "$__rate_interval" in expr and seconds(target.get("interval") or "") < SCRAPE_S:
        yield "no least step: the rate interval is that of whatever Grafana assumes"
    if target.get("datasource") != {"type": "prometheus", "uid": "${datasource}"}:
        yield "a query asks another source than the one that is chosen"
    if panel.get("type") in ("stat", "table") and not target.get("instant"):
        yield "a figure of now is asked over time: the last value of a load that is over would be shown"
    if "histogram_quantile" in expr and "estimate" not in (panel.get("description") or "").lower():
        yield "a percentile from buckets is not said to be an estimate"
    if "generator" in expr and "generator" not in panel.get("title", ""):
        yield "the generator's readings stand under a title that does not name it"


def _query_faults(expr: str) -> Iterator[str]:
    if not expr:
        yield "an empty query"
    if _ZERO.search(expr):
        yield "a 0 is made where there is no data"
    for function, window in _WINDOW.findall(expr):
        if window not in ("$__rate_interval", "$__range") and seconds(window) < MIN_SCRAPES * SCRAPE_S:
            yield f"{function} over {window} is of fewer than {MIN_SCRAPES} scrapes"


def seconds(window: str) -> float:
    """A window such as `90s` in seconds; 0 where it is none."""
    match = re.fullmatch(r"(\d+)([smhd])", window)
    return int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]] if match else 0
