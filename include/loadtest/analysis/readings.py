"""What capacity and recommendations read of a bundle: readings by kind, and when answers ended."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.loadtest.analysis.parts import columns_of

Kind = tuple[str, str]
"""Source and metric of a reading."""
Series = Sequence[tuple[int, float]]
"""Time in µs since 1970 and value, in order of time."""

_START = ("app", "process_start_time_seconds")
_SAMPLE_COLUMNS = ("intended_start", "latency_us", "outcome", "endpoint")


@dataclass(frozen=True)
class Readings:
    """Series by kind. A kind that several instances gave is left out: each has a level of its own."""

    series: Mapping[Kind, Series]

    def between(self, kind: Kind, start_us: int, end_us: int) -> Series:
        """The readings of a kind from `start_us` to before `end_us`."""
        return [(us, value) for us, value in self.series.get(kind, ()) if start_us <= us < end_us]

    def has(self, kind: Kind) -> bool:
        """Whether there is any reading of the kind."""
        return bool(self.series.get(kind))


def read_readings(directory: Path, is_wanted: Callable[[Kind], bool]) -> Readings:
    """The readings of the wanted kinds; not those of an application of several processes, of which one answers."""
    by_kind: dict[Kind, dict[str, list[tuple[int, float]]]] = {}
    for us, source, instance, metric, value in _rows(directory, ("ts", "source", "instance", "metric", "value")):
        kind = (source, metric)
        if (kind == _START or is_wanted(kind)) and value is not None and math.isfinite(value):
            by_kind.setdefault(kind, {}).setdefault(instance or "", []).append((us, value))
    series = {kind: sorted(next(iter(own.values()))) for kind, own in by_kind.items() if len(own) == 1}
    if len({round(value) for _, value in series.get(_START, ())}) > 1:
        series = {kind: own for kind, own in series.items() if kind[0] != _START[0]}
    return Readings(series)


@dataclass(frozen=True)
class Answers:
    """When ok answers ended, in µs since 1970, sorted."""

    ends_us: Sequence[int]

    def count(self, start_us: int, end_us: int) -> int:
        """Ok answers that ended after `start_us`, up to `end_us`."""
        return bisect_right(self.ends_us, end_us) - bisect_right(self.ends_us, start_us)


def read_answers(directory: Path) -> dict[str, Answers]:
    """The ok answers of a bundle's samples by endpoint."""
    ends_us: dict[str, list[int]] = {}
    for start_us, latency_us, outcome, endpoint in _rows(directory, _SAMPLE_COLUMNS):
        if outcome == "ok" and latency_us is not None:
            ends_us.setdefault(endpoint, []).append(start_us + latency_us)
    return {endpoint: Answers(sorted(own)) for endpoint, own in ends_us.items()}


def all_answers(by_endpoint: Mapping[str, Answers]) -> Answers:
    """Those of all endpoints."""
    return Answers(sorted(end_us for own in by_endpoint.values() for end_us in own.ends_us))


def _rows(directory: Path, columns: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    """Rows of all readable parts, the first column as µs since 1970; rows without a time are left out."""
    for part in columns_of(directory, columns):
        yield from ((ns // 1000, *rest) for ns, *rest in zip(*part, strict=True) if ns is not None)
