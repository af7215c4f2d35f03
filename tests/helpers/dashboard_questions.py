"""The questions that a dashboard asks of Prometheus, as Grafana would ask them, and what they are answered."""

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.helpers.dashboard_checks import panels_of

READINGS = Path(__file__).parents[1] / "data" / "readings.csv"
"""Source, metric and unit of each reading of a run against the demo target; `make prove ONLY=dashboards` compares."""
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")
_LABELS = re.compile(r"\{\{(\w+)\}\}|__field\.labels\.(\w+)")


@dataclass(frozen=True)
class Question:
    """`labels`: which series of the answer must have, as a legend or a link names them."""

    place: str
    expr: str
    is_instant: bool
    labels: frozenset[str] = frozenset()


def questions(board: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[Question]:
    """Of panels, events and variables; `values`: what variables stand for, without their `$`."""
    for panel in panels_of(dict(board)):
        defaults = panel["fieldConfig"]["defaults"]
        for target in panel["targets"]:
            text = target.get("legendFormat", "") + json.dumps(defaults.get("links", []))
            place = f"{board['uid']}: {panel['title']} {target['refId']}"
            yield Question(place, _filled(target["expr"], values), bool(target.get("instant")), _labels(text))
    for event in board["annotations"]["list"]:
        text = event["titleFormat"] + event["textFormat"]
        place = f"{board['uid']}: event {event['name']}"
        yield Question(place, _filled(event["expr"], values), False, _labels(text) - {"run_id"})
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            match = _LABEL_VALUES.fullmatch(variable["query"])
            assert match, variable["query"]
            place = f"{board['uid']}: variable {variable['name']}"
            yield Question(place, _filled(match[1], values), True, frozenset({match[2]}))


def _labels(text: str) -> frozenset[str]:
    return frozenset(next(filter(None, found)) for found in _LABELS.findall(text))


def _filled(expr: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda match: values[match[1]], expr)


def answer(client: httpx.Client, question: Question, span_s: int) -> list[dict[str, str]]:
    """Labels of the series that have a finite value, now or within the last `span_s` seconds."""
    now = time.time()
    if question.is_instant:
        reply = client.post("/api/v1/query", data={"query": question.expr})
    else:
        times = {"start": str(now - span_s), "end": str(now), "step": "1"}
        reply = client.post("/api/v1/query_range", data={"query": question.expr, **times})
    content = reply.json()
    if content["status"] != "success":
        raise AssertionError(f"{question.place}: {content['error']}: {question.expr}")
    series = content["data"]["result"]
    return [one["metric"] for one in series if any(map(_is_number, one.get("values") or [one["value"]]))]


def _is_number(point: list[Any]) -> bool:
    return str(point[1]) not in ("NaN", "+Inf", "-Inf")
