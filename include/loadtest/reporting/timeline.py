"""A run's load over time, for a picture: latencies, ended requests and failures by windows of equal width.

A percentile is the largest row of its bucket, so it is exact or at most 1 % above (see `sample_counts`); metrics.json
has the exact ones of a phase. Latencies belong to the window of their intended start, as everywhere; answers and
failures to the window in which they ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.loadtest.bundle import Bundle
from include.loadtest.parts import with_files
from include.loadtest.profile.vocabulary import LATENCY_OUTCOMES, LOWER_BOUND_OUTCOMES, PERCENTILES
from include.loadtest.reporting.sample_counts import BUCKETS, Cells, SampleCounts, Span, count_samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

MIN_ROWS = PERCENTILES["latency_p95_ms"][1]
"""Fewer rows give a window no percentile: they are shown one by one."""
_MIN_P99_ROWS = PERCENTILES["latency_p99_ms"][1]
_COLUMNS = "intended_start TIMESTAMPTZ_NS, latency_us BIGINT, outcome VARCHAR"


@dataclass(frozen=True)
class Window:
    """One window; latencies in ms, None with fewer than MIN_ROWS rows. `ok_rpm`: None for a window cut too short.

    `p99_ms` needs more rows, see `vocabulary.PERCENTILES`. A figure `is_bound` where a row at or below it is known only
    to have taken at least that long: what it stands for may be higher.
    """

    start_us: int
    rows: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    p50_is_bound: bool
    p95_is_bound: bool
    p99_is_bound: bool
    max_is_bound: bool
    ok: int
    ok_rpm: float | None
    failed: int
    failed_rpm: float | None


@dataclass(frozen=True)
class Single:
    """One request of a window with too few rows; `is_bound`: it took at least that long."""

    start_us: int
    latency_ms: float
    is_bound: bool


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


@dataclass(frozen=True)
class _Table:
    """Rows and the largest latency by window and bucket; by window the least lower bound, answers and failures."""

    rows: "Numbers"
    largest: "Numbers"
    least_bound: "Numbers"
    ok: "Numbers"
    failed: "Numbers"


def read_timeline(bundle: Bundle) -> Timeline | None:
    """The timeline of a bundle; None where it has no sample that can be read."""
    counts = count_samples(bundle)
    return None if counts is None else timeline_of(counts)


def timeline_of(counts: SampleCounts) -> Timeline:
    """The timeline of samples that are counted; only requests of windows with too few of them are read again."""
    table = _table(counts.by_window, counts.frame.windows)
    return Timeline(
        counts.frame.start_us,
        counts.end_us,
        counts.frame.width_us // 1_000_000,
        tuple(_windows(counts, table)),
        _singles(counts, table),
        counts.spans,
        len(counts.unreadable),
    )


def _table(cells: Cells, windows: int) -> _Table:
    import numpy as np

    table, line = np.zeros((windows, BUCKETS), np.int64), np.zeros(windows, np.int64)
    made = _Table(table, table.copy(), np.full(windows, np.iinfo(np.int64).max), line, line.copy())
    last = windows - 1
    ended, is_ok = np.clip(cells.ended, 0, last), cells.of(["ok"])
    is_failed = ~cells.of(["ok", "censored"])
    np.add.at(made.ok, ended[is_ok], cells.n[is_ok])
    np.add.at(made.failed, ended[is_failed], cells.n[is_failed])
    kept = cells.chosen(cells.of(LATENCY_OUTCOMES))
    place = (np.clip(kept.window, 0, last), kept.bucket)
    np.add.at(made.rows, place, kept.n)
    np.maximum.at(made.largest, place, kept.largest)
    is_bound = kept.is_bound()
    np.minimum.at(made.least_bound, place[0][is_bound], kept.least[is_bound])
    return made


def _windows(counts: SampleCounts, table: _Table) -> Iterator[Window]:
    width_us = counts.frame.width_us
    for number, row in enumerate(table.rows):
        rows, own_us = int(row.sum()), counts.frame.start_us + number * width_us
        p50_us, p95_us, max_us = (
            _percentile_us(table, number, share) if rows >= MIN_ROWS else None for share in (0.5, 0.95, 1.0)
        )
        p99_us = _percentile_us(table, number, 0.99) if rows >= _MIN_P99_ROWS else None
        least_bound_us = int(table.least_bound[number])
        covered_us = min(width_us, counts.end_us - own_us)
        a_minute = 60e6 / covered_us if 2 * covered_us >= width_us else None
        ok, failed = int(table.ok[number]), int(table.failed[number])
        yield Window(
            start_us=own_us,
            rows=rows,
            p50_ms=_ms(p50_us),
            p95_ms=_ms(p95_us),
            p99_ms=_ms(p99_us),
            max_ms=_ms(max_us),
            p50_is_bound=p50_us is not None and least_bound_us <= p50_us,
            p95_is_bound=p95_us is not None and least_bound_us <= p95_us,
            p99_is_bound=p99_us is not None and least_bound_us <= p99_us,
            max_is_bound=max_us is not None and least_bound_us <= max_us,
            ok=ok,
            ok_rpm=None if a_minute is None else ok * a_minute,
            failed=failed,
            failed_rpm=None if a_minute is None else failed * a_minute,
        )


def _percentile_us(table: _Table, number: int, share: float) -> int:
    """The largest row of the bucket that holds the place of the percentile."""
    summed = table.rows[number].cumsum()
    place = -(-round(share * 100) * int(summed[-1]) // 100)
    return int(table.largest[number][summed.searchsorted(place)])


def _singles(counts: SampleCounts, table: _Table) -> tuple[Single, ...]:
    """Each request of the windows that have too few, from the parts that have some; fewer than MIN_ROWS a window.

    No part is damaged here that was not when it was counted: no further column is read.
    """
    a_window = table.rows.sum(axis=1)
    few = [number for number, rows in enumerate(a_window) if 0 < rows < MIN_ROWS]
    if not few:
        return ()
    start_us, width_us = counts.frame.start_us, counts.frame.width_us
    bounds = [(start_us + number * width_us, start_us + (number + 1) * width_us) for number in few]
    paths = [
        part.path for part in counts.parts if any(low <= part.last_us and part.first_us < high for low, high in bounds)
    ]
    rows = with_files(
        paths,
        "samples",
        _COLUMNS,
        lambda opened: opened.execute(
            "SELECT epoch_ns(intended_start) // 1000 AS us, latency_us, outcome FROM samples "
            "WHERE list_contains($outcomes, outcome) AND list_contains($few, (us - $start_us) // $width_us) "
            "ORDER BY us, latency_us",
            {"outcomes": list(LATENCY_OUTCOMES), "few": few, "start_us": start_us, "width_us": width_us},
        ).fetchall(),
    )
    return tuple(Single(us, latency_us / 1000, outcome in LOWER_BOUND_OUTCOMES) for us, latency_us, outcome in rows)


def _ms(value_us: int | None) -> float | None:
    return None if value_us is None else value_us / 1000
