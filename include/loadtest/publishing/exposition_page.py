"""Figures as a page of Prometheus' text format, version 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from include.loadtest.errors import printable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LONGEST_LABEL = 200


@dataclass(frozen=True)
class Line:
    """One series: `suffix` is that of a histogram's part."""

    labels: Mapping[str, str]
    value: float
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """All series of one name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    lines: Sequence[Line]


def page(families: Iterable[Family]) -> str:
    """The families that have a series, with their help; no series stands twice."""
    return "".join(_family(family) for family in families if family.lines)


def bucket_lines(labels: Mapping[str, str], bounds: Sequence[float], counts: Sequence[int], total: float) -> list[Line]:
    """The lines of one histogram; `counts` by bucket, not cumulated, the last beyond all bounds."""
    lines, below = [], 0
    for bound, count in zip((*map(_number, bounds), "+Inf"), counts, strict=True):
        below += count
        lines.append(Line({**labels, "le": bound}, below, "_bucket"))
    return [*lines, Line(labels, total, "_sum"), Line(labels, below, "_count")]


def _family(family: Family) -> str:
    head = f"# HELP {family.name} {family.help}\n# TYPE {family.name} {family.kind}\n"
    series = {f"{family.name}{line.suffix}{_labels(line.labels)}": line.value for line in family.lines}
    return head + "".join(f"{name} {_number(value)}\n" for name, value in series.items())


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return printable(value, LONGEST_LABEL).replace("\\", r"\\").replace('"', r"\"")


def _number(value: float) -> str:
    """Exact, without a needless `.0`."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))
