"""A run's load over time, for a picture: latencies, ended requests and failures by windows of equal width.

Memory does not grow with the run: the samples are read part by part, and a window keeps counts by buckets at most 1 %
wide. A percentile is the largest row of its bucket, so it is exact or at most 1 % above; metrics.json has the exact
ones of a phase. Latencies belong to the window of their intended start, as everywhere; answers and failures to the
window in which they ended.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, LOWER_BOUND_OUTCOMES, PERCENTILES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

MIN_ROWS = PERCENTILES["latency_p95_ms"][1]
"""Fewer rows give a window no percentile: they are shown one by one."""
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_MOST_WINDOWS = 120
_LEAST_WINDOWS = 8
_WANTED_ROWS = 2 * MIN_ROWS
_BUCKETS = 2_400
"""Of 1 % each, from 1 µs to more than six hours; what is longer is in the last one."""
_COLUMNS = ["intended_start", "latency_us", "outcome"]


@dataclass(frozen=True)
class Window:
    """One window; latencies in ms, None with fewer than MIN_ROWS rows. `ok_rpm`: None for a window cut too short.

    `p50_is_bound`, `p95_is_bound`: a row at or below it is known only to have taken at least that long.
    """

    start_us: int
    rows: int
    p50_ms: float | None
    p95_ms: float | None
    max_ms: float | None
    p50_is_bound: bool
    p95_is_bound: bool
    ok: int
    ok_rpm: float | None
    failed: int


@dataclass(frozen=True)
class Single:
    """One request of a window with too few rows; `is_bound`: it took at least that long."""

    start_us: int
    latency_ms: float
    is_bound: bool


@dataclass(frozen=True)
class Span:
    """A phase as it ran, in microseconds since 1970 (UTC)."""

    phase: str
    start_us: int
    end_us: int


@dataclass(frozen=True)
class Timeline:
    """A run from its first intended start (or phase) to its last end, in microseconds since 1970 (UTC)."""

    start_us: int
    end_us: int
    width_s: int
    windows: tuple[Window, ...]
    singles: tuple[Single, ...]
    spans: tuple[Span, ...]
    unreadable_parts: int


@dataclass
class _Extent:
    """What the first pass learns."""

    start_us: int
    end_us: int
    rows: int = 0
    unreadable: int = 0


@dataclass
class _Counts:
    """What the second pass counts, by window (and bucket)."""

    rows: "Numbers"
    largest: "Numbers"
    least_bound: "Numbers"
    ok: "Numbers"
    failed: "Numbers"
    few: dict[int, list[Single]] = field(default_factory=dict)


def read_timeline(bundle: Bundle) -> Timeline | None:
    """The timeline of a bundle; None where it has no sample that can be read."""
    manifest = bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {}
    spans = _spans(manifest)
    paths = sorted(bundle.samples_dir.glob("*.parquet"))
    extent = _extent(paths)
    if not extent.rows:
        return None
    start_us = min([extent.start_us, *(span.start_us for span in spans)])
    end_us = max([extent.end_us, start_us + 1, *(span.end_us for span in spans)])
    width_s = _width_s((end_us - start_us) / 1e6, extent.rows)
    counts = _counted(paths, start_us, width_s * 1_000_000, -(-(end_us - start_us) // (width_s * 1_000_000)))
    singles = [one for window in counts.few.values() for one in window]
    return Timeline(
        start_us,
        end_us,
        width_s,
        tuple(_windows(counts, start_us, end_us, width_s * 1_000_000)),
        tuple(sorted(singles, key=lambda one: one.start_us)),
        spans,
        extent.unreadable,
    )


def _spans(manifest: Mapping[str, Any]) -> tuple[Span, ...]:
    """The phases with a length, in order; stages that follow each other in one phase are one span."""
    found: list[Span] = []
    for entry in manifest.get("phases") or ():
        if not (entry.get("start") and entry.get("end")):
            continue
        start_us, end_us = (round(datetime.fromisoformat(entry[end]).timestamp() * 1e6) for end in ("start", "end"))
        if found and found[-1].phase == entry["name"] and start_us <= found[-1].end_us:
            found[-1] = Span(found[-1].phase, found[-1].start_us, max(found[-1].end_us, end_us))
        elif end_us > start_us:
            found.append(Span(entry["name"], start_us, end_us))
    return tuple(found)


def _width_s(length_s: float, rows: int) -> int:
    """The narrowest width with enough rows a window on average; never too many windows, nor so few that all is one."""
    widest = math.ceil(length_s / _MOST_WINDOWS)  # of a clock that was set, say: whatever it is, memory is bounded
    fitting = [width for width in _WIDTHS_S if length_s / width <= _MOST_WINDOWS] or [widest]
    filled = [width for width in fitting if rows * width / length_s >= _WANTED_ROWS]
    width = (filled or fitting)[0]
    roomy = [one for one in fitting if length_s / one >= _LEAST_WINDOWS] or fitting[:1]
    return min(width, roomy[-1])


def _parts(paths: Sequence[Path]) -> "Iterator[tuple[Numbers, Numbers, NDArray[np.object_]] | None]":
    """Intended starts and latencies in µs, and outcomes, of each part; None for a part that cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in paths:
        try:
            part = pq.read_table(path, columns=_COLUMNS)
        except (OSError, pa.ArrowException):
            yield None
            continue
        starts = part["intended_start"].cast(pa.int64()).to_numpy() // 1000
        yield starts, part["latency_us"].to_numpy(), part["outcome"].to_numpy()


def _extent(paths: Sequence[Path]) -> _Extent:
    extent: _Extent | None = None
    unreadable = 0
    for part in _parts(paths):
        if part is None:
            unreadable += 1
        elif len(part[0]):
            start_us, end_us = int(part[0].min()), int((part[0] + part[1]).max())
            extent = extent or _Extent(start_us, end_us)
            extent.start_us, extent.end_us = min(extent.start_us, start_us), max(extent.end_us, end_us)
            extent.rows += len(part[0])
    extent = extent or _Extent(0, 0)
    extent.unreadable = unreadable
    return extent


def _counted(paths: Sequence[Path], start_us: int, width_us: int, windows: int) -> _Counts:
    import numpy as np

    empty, most = np.zeros(windows, np.int64), np.iinfo(np.int64).max
    table = np.zeros((windows, _BUCKETS), np.int64)
    counts = _Counts(table, table.copy(), np.full(windows, most), empty, empty.copy())
    for part in _parts(paths):
        if part is not None:
            _count(counts, part, start_us, width_us)
    return counts


def _count(counts: _Counts, part: "tuple[Numbers, Numbers, NDArray[np.object_]]", start_us: int, width_us: int) -> None:
    import numpy as np

    starts, latencies, outcomes = part
    last = len(counts.ok) - 1
    ended = np.minimum((starts + latencies - start_us) // width_us, last)
    is_failed = ~np.isin(outcomes, ("ok", "censored"))
    np.add.at(counts.ok, ended[outcomes == "ok"], 1)
    np.add.at(counts.failed, ended[is_failed], 1)
    kept = np.isin(outcomes, LATENCY_OUTCOMES)
    starts, latencies, outcomes = starts[kept], latencies[kept], outcomes[kept]
    window = np.minimum((starts - start_us) // width_us, last)
    bucket = np.minimum(np.log(np.maximum(latencies, 1)) / np.log(1.01), _BUCKETS - 1).astype(np.int64)
    np.add.at(counts.rows, (window, bucket), 1)
    np.maximum.at(counts.largest, (window, bucket), latencies)
    is_bound = np.isin(outcomes, LOWER_BOUND_OUTCOMES)
    np.minimum.at(counts.least_bound, window[is_bound], latencies[is_bound])
    few = counts.rows.sum(axis=1) < MIN_ROWS
    for place in np.flatnonzero(few[window]):
        single = Single(int(starts[place]), int(latencies[place]) / 1000, bool(is_bound[place]))
        counts.few.setdefault(int(window[place]), []).append(single)
    for number in [number for number in counts.few if not few[number]]:
        del counts.few[number]


def _windows(counts: _Counts, start_us: int, end_us: int, width_us: int) -> Iterator[Window]:
    for number, row in enumerate(counts.rows):
        rows, own_us = int(row.sum()), start_us + number * width_us
        p50_us, p95_us, max_us = (
            _percentile_us(counts, number, share) if rows >= MIN_ROWS else None for share in (0.5, 0.95, 1.0)
        )
        least_bound_us = int(counts.least_bound[number])
        covered_us = min(width_us, end_us - own_us)
        yield Window(
            own_us,
            rows,
            _ms(p50_us),
            _ms(p95_us),
            _ms(max_us),
            p50_us is not None and least_bound_us <= p50_us,
            p95_us is not None and least_bound_us <= p95_us,
            int(counts.ok[number]),
            int(counts.ok[number]) * 60e6 / covered_us if 2 * covered_us >= width_us else None,
            int(counts.failed[number]),
        )


def _percentile_us(counts: _Counts, number: int, share: float) -> int:
    """The largest row of the bucket that holds the place of the percentile."""
    summed = counts.rows[number].cumsum()
    place = -(-round(share * 100) * int(summed[-1]) // 100)
    return int(counts.largest[number][summed.searchsorted(place)])


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000
