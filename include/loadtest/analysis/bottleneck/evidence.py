"""Reads what the diagnosis needs from a bundle; the only part of it that reads anything."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.analysis.bottleneck.case import Case, Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.requests import Requests
from include.loadtest.analysis.bottleneck.series import Readings, readings_of
from include.loadtest.bundle import Bundle
from include.loadtest.observations import read_observations
from include.loadtest.profile import Profile
from include.loadtest.profile.shape import Steady

MAX_ROWS = 400_000
"""Requests that are looked at; of a longer run every k-th one."""
_NOT_LOAD = frozenset({"ramp_down", "recovery"})
_LEAST_LOAD_S = 5.0
_COLUMNS = ("intended_start", "latency_us", "ttfb_us", "scenario", "endpoint", "outcome", "status")


def read_case(bundle: Bundle, profile: Profile, reference: Mapping[str, float] | None) -> Case | None:
    """The run as the detectors see it; None where no load was sent."""
    manifest = _document(bundle, run.MANIFEST)
    whole, load = _spans(manifest, profile)
    if whole is None or load is None:
        return None
    return Case(
        profile=profile,
        readings=read_readings(bundle.resources_dir),
        requests=read_requests(bundle.samples_dir),
        load=load,
        whole=whole,
        manifest=manifest,
        verdict=_document(bundle, run.VERDICT),
        reference=dict(reference or {}),
        observations=tuple(read_observations(bundle)),
        silences=tuple(_silences(manifest, whole)),
        stall_s=_stall_s(_document(bundle, run.METRICS)),
        errors=_document(bundle, run.ERRORS).get("errors") or (),
    )


def _document(bundle: Bundle, name: str) -> dict[str, Any]:
    return bundle.read(name) if bundle.has(name) else {}


def _seconds(text: str | None) -> float | None:
    return None if not text else datetime.fromisoformat(text).timestamp()


def _spans(manifest: Mapping[str, Any], profile: Profile) -> tuple[Span | None, Span | None]:
    """All of the load, and the part that is looked at: the hold of a steady load, else all steps, without recovery."""
    load = manifest.get("load") or {}
    phases = [
        (entry["name"], _seconds(entry["start"]), _seconds(entry.get("end") or load.get("ended")))
        for entry in manifest.get("phases") or ()
        if entry.get("start")
    ]
    known = [(name, start, end) for name, start, end in phases if start is not None and end is not None and end > start]
    if not known:
        started, ended = _seconds(load.get("started")), _seconds(load.get("ended"))
        if started is None or ended is None or ended <= started:
            return None, None
        return Span(started, ended), Span(started, ended)
    whole = Span(min(start for _, start, _ in known), max(end for _, _, end in known))
    is_steady = isinstance(profile.shape, Steady)
    wanted = [entry for entry in known if (entry[0] == "hold" if is_steady else entry[0] not in _NOT_LOAD)]
    if sum(end - start for _, start, end in wanted) < _LEAST_LOAD_S:
        return whole, whole
    return whole, Span(min(start for _, start, _ in wanted), max(end for _, _, end in wanted))


def _silences(manifest: Mapping[str, Any], whole: Span) -> Iterator[Silence]:
    for gap in manifest.get("gaps") or ():
        start, end = _seconds(gap.get("start")), _seconds(gap.get("end"))
        if start is None:
            continue
        span = Span(max(start, whole.start_s), min(end or whole.end_s, whole.end_s))
        if span.seconds > 0:
            yield Silence(str(gap["source"]), span, str(gap.get("reason") or ""))


def _stall_s(metrics: Mapping[str, Any]) -> float | None:
    rows = metrics.get("metrics") or ()
    found = (row["value"] for row in rows if row["metric"] == "longest_stall_s" and row["phase"] == "hold")
    return next(found, None)


def read_readings(folder: Path) -> Readings:
    """All readings of the parts that can be read."""
    rows: list[tuple[float, str, str, str, float, str]] = []
    for columns in _parts(folder, ("ts", "source", "instance", "metric", "value", "unit")):
        rows += [
            (at_ns / 1e9, source, instance or "", metric, value, unit or "")
            for at_ns, source, instance, metric, value, unit in zip(*columns, strict=True)
            if at_ns is not None and value is not None and abs(value) < float("inf")
        ]
    return readings_of(rows)


def read_requests(folder: Path) -> Requests:
    """All requests of the parts that can be read, every k-th row of a long run."""
    import numpy as np

    each = max(1, -(-_rows(folder) // MAX_ROWS))
    columns: list[list[Any]] = [[] for _ in _COLUMNS]
    for part in _parts(folder, _COLUMNS):
        for column, values in zip(columns, part, strict=True):
            column.extend(values[::each])
    start, latency, ttfb, scenario, endpoint, outcome, status = columns
    return Requests(
        np.array(start, dtype=np.float64) / 1e9,
        np.array(latency, dtype=np.float64) / 1e6,
        np.array(scenario, dtype=np.str_),
        np.array(endpoint, dtype=np.str_),
        np.array(outcome, dtype=np.str_),
        np.array([value or 0 for value in status], dtype=np.int64),
        np.array([value is not None for value in ttfb], dtype=np.bool_),
        each,
    )


def _rows(folder: Path) -> int:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    total = 0
    for path in folder.glob("*.parquet"):
        try:
            total += pq.read_metadata(path).num_rows
        except (OSError, ArrowException):
            continue
    return total


def _parts(folder: Path, names: Sequence[str]) -> Iterator[list[list[Any]]]:
    """The columns of each part as lists, times in ns; a part that cannot be read is left out."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pq.read_table(path, columns=list(names))
            columns = [table.column(name) for name in names]
        except (OSError, pa.ArrowException, KeyError):
            continue
        yield [
            (column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist()
            for column in columns
        ]
