"""What the validity of a test is judged by, read from its bundle: a part that cannot be read is left out."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from include.loadtest.auto_stop import FIGURE_UNITS
from include.loadtest.bundle import Bundle
from include.loadtest.profile.vocabulary import READINGS_OF

USER_REQUESTS, PROCESS_START = "user_requests_total", "process_start_time_seconds"
Part = TypeVar("Part")
FIRST = "w0"
"""The generator of a load that has only one."""
_ACCOUNT = f"generator-{FIRST}.json"
_WANTED = (
    {*FIGURE_UNITS, "users", "clock_step_ms", USER_REQUESTS, PROCESS_START}
    | {metric for kinds in READINGS_OF.values() for _, metric in kinds}
)  # fmt: skip


@dataclass(frozen=True)
class Span:
    """A stage as it ran; seconds since 1970."""

    phase: str
    stage: str
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Reading:
    """One value; time in seconds since 1970."""

    at_s: float
    source: str
    instance: str
    metric: str
    value: float


RequestsInWork = Callable[[float, float], int]
"""How many of the run's own requests were in work at any moment between two times, seconds since 1970."""


@dataclass(frozen=True)
class Evidence:
    """The stages as they ran, readings in order of time, and a count of the run's own requests.

    `rows`: how many samples the parts of each generator hold; `account`: what the generator of a load that has only one
    said of itself.
    """

    spans: tuple[Span, ...]
    readings: tuple[Reading, ...]
    requests_in_work: RequestsInWork
    rows: Mapping[str, int] = field(default_factory=dict)
    account: Mapping[str, Any] = field(default_factory=dict)

    def of_phase(self, phase: str) -> list[Span]:
        """The stages of a phase."""
        return [span for span in self.spans if span.phase == phase]


def read_evidence(bundle: Bundle, manifest: Mapping[str, Any]) -> Evidence:
    """All of it; empty where the bundle has nothing."""
    readings = [reading for part in _parts(bundle.resources_dir, _readings) for reading in part]
    return Evidence(
        spans=tuple(_spans(manifest)),
        readings=tuple(sorted(readings, key=lambda reading: reading.at_s)),
        requests_in_work=partial(_requests_in_work, bundle.samples_dir),
        rows=_rows(bundle.samples_dir),
        account=_account(bundle),
    )


def _spans(manifest: Mapping[str, Any]) -> Iterator[Span]:
    for entry in manifest.get("phases") or ():
        if entry.get("start") and entry.get("end"):
            start, end = (datetime.fromisoformat(entry[name]).timestamp() for name in ("start", "end"))
            yield Span(entry["name"], entry["stage"], start, end)


def _parts(folder: Path, read: Callable[[Path], Part]) -> Iterator[Part]:
    from pyarrow import ArrowException

    for path in sorted(folder.glob("*.parquet")):
        try:
            yield read(path)
        except (OSError, ArrowException, KeyError):
            continue


def _account(bundle: Bundle) -> Mapping[str, Any]:
    try:
        return bundle.read(_ACCOUNT)
    except (OSError, ValueError):
        return {}  # it was killed, or its load was another's to send


def _rows(samples_dir: Path) -> Mapping[str, int]:
    """By the generator whose name begins a part's; from the ends of the files, so that no row is read for it."""
    rows: Counter[str] = Counter()
    for worker, count in _parts(samples_dir, _counted):
        rows[worker] += count
    return rows


def _counted(path: Path) -> tuple[str, int]:
    import pyarrow.parquet as pq

    return path.name.partition("-")[0], pq.read_metadata(path).num_rows


def _readings(path: Path) -> list[Reading]:
    columns = _columns(path, ["ts", "source", "instance", "metric", "value"])
    return [
        Reading(ts / 1e9, source, instance or "", metric, value)
        for ts, source, instance, metric, value in zip(*columns, strict=True)
        if metric in _WANTED and ts is not None and value is not None
    ]


def _requests_in_work(samples_dir: Path, from_s: float, to_s: float) -> int:
    """Counted part by part, so that memory does not grow with the run; those that were never sent are left out."""
    return sum(_parts(samples_dir, partial(_in_work, from_s=from_s, to_s=to_s)))


def _in_work(path: Path, *, from_s: float, to_s: float) -> int:
    import numpy as np

    intended_ns, start_ns, latency_us, outcome = (
        np.array(column) for column in _columns(path, ["intended_start", "start", "latency_us", "outcome"])
    )
    ends_s = intended_ns / 1e9 + latency_us / 1e6
    return int(np.count_nonzero((start_ns / 1e9 <= to_s) & (ends_s > from_s) & (outcome != "dropped")))


def _columns(path: Path, names: Sequence[str]) -> list[list[Any]]:
    """The columns as lists, times as nanoseconds."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path, columns=list(names))
    columns = [table.column(name) for name in names]
    return [
        (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist() for column in columns
    ]
