"""A run's samples, counted in one reading of its parts: by window of time, by scenario, and by part.

Memory does not grow with the samples: what is kept are counts by buckets at most 1 % wide, windows are bounded, and of
each part there are its ends and its longest latency. So a percentile from these counts is exact or at most 1 % above,
and who needs single rows reads only the few parts that have them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.parts import with_parts
from include.loadtest.profile.vocabulary import LOWER_BOUND_OUTCOMES, PERCENTILES

if TYPE_CHECKING:
    import numpy as np
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Words = NDArray[np.object_]

PLOT_WINDOWS = 120
BUCKETS = 2_400
"""Of 1 % each, from 1 µs to more than six hours; what is longer is in the last one."""
BUCKET_RATIO = 1.01
_WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
_LEAST_WINDOWS = 8
_WANTED_ROWS = 2 * PERCENTILES["latency_p95_ms"][1]
_COLUMNS = (
    "intended_start TIMESTAMPTZ_NS, latency_us BIGINT, scenario VARCHAR, phase VARCHAR, outcome VARCHAR, "
    "filename VARCHAR"
)
_SCAN = """
WITH rows AS (
    SELECT epoch_ns(intended_start) // 1000 AS start_us, latency_us, scenario, phase, outcome, filename FROM samples
), placed AS (
    SELECT *, CASE WHEN outcome = 'dropped' THEN -1 ELSE latency_us END AS sent_us,
    least(greatest((start_us - $start_us) // $width_us, -1), $windows)::INTEGER AS own_window,
    least(greatest((start_us + latency_us - $start_us) // $width_us, -1), $windows)::INTEGER AS ended,
    least(floor(ln(greatest(latency_us, 1)) / ln($ratio)), $last_bucket)::INTEGER AS bucket FROM rows
)
SELECT own_window, ended, bucket, outcome, phase, scenario, filename, count(*) AS n, max(latency_us) AS largest,
min(latency_us) AS least, min(start_us) AS first_us, max(start_us) AS last_us, max(start_us + latency_us) AS end_us,
max(sent_us) AS longest_sent, grouping(filename) AS is_no_part,
grouping(scenario) AS is_no_scenario
FROM placed
GROUP BY GROUPING SETS ((own_window, ended, bucket, outcome), (phase, scenario, bucket, outcome), (filename))
"""


@dataclass(frozen=True)
class Span:
    """A phase as it ran, in microseconds since 1970 (UTC)."""

    phase: str
    start_us: int
    end_us: int


@dataclass(frozen=True)
class Part:
    """A part with rows: first and last intended start; the longest latency of a request that was sent, -1 without."""

    path: Path
    first_us: int
    last_us: int
    longest_us: int


@dataclass(frozen=True)
class Cells:
    """Columns of equal length: `n` rows of one bucket. `window`: that of the intended start, `ended`: that of the end.

    Counts by scenario have no window (0), and those by window neither phase nor scenario (None).
    """

    window: "Numbers"
    ended: "Numbers"
    bucket: "Numbers"
    outcome: "Words"
    phase: "Words"
    scenario: "Words"
    n: "Numbers"
    largest: "Numbers"
    least: "Numbers"

    def chosen(self, mask: "NDArray[np.bool_]") -> "Cells":
        """The cells of which the mask says so."""
        return Cells(*(getattr(self, name)[mask] for name in self.__dataclass_fields__))

    def of(self, outcomes: Sequence[str]) -> "NDArray[np.bool_]":
        """Which cells have one of these outcomes."""
        import numpy as np

        return np.isin(self.outcome.astype(str), outcomes)

    def is_bound(self) -> "NDArray[np.bool_]":
        """Which cells have latencies that are lower bounds only."""
        return self.of(LOWER_BOUND_OUTCOMES)


@dataclass(frozen=True)
class Frame:
    """Windows of equal width from `start_us` on."""

    start_us: int
    width_us: int
    windows: int


@dataclass(frozen=True)
class SampleCounts:
    """What one reading of the samples gave; `end_us`: the last end of a request or phase.

    `unreadable`: parts that are damaged in a column that was counted, or are not there, as `parts.part_name` has them.
    """

    frame: Frame
    end_us: int
    rows: int
    spans: tuple[Span, ...]
    by_window: Cells
    by_scenario: Cells
    parts: tuple[Part, ...]
    unreadable: tuple[str, ...]


def count_samples(bundle: Bundle, most_windows: int = PLOT_WINDOWS) -> SampleCounts | None:
    """The counts of a bundle; None where it has no sample that can be read.

    Windows begin with the first phase (or intended start). How wide they are follows from the manifest's phases; where
    these are not there, or the samples say otherwise, the parts are read a second time.
    """
    spans = spans_of(bundle.read(run.MANIFEST) if bundle.has(run.MANIFEST) else {})
    found, unreadable = with_parts(
        bundle.samples_dir, "samples", _COLUMNS, lambda opened: _counted(opened, spans, most_windows)
    )
    if found is None:
        return None
    frame, end_us, (by_window, by_scenario, parts) = found
    rows = int(by_window.n.sum())
    return SampleCounts(frame, end_us, rows, spans, by_window, by_scenario, tuple(parts), tuple(unreadable))


def spans_of(manifest: dict[str, Any]) -> tuple[Span, ...]:
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


_Read = tuple[Cells, Cells, list[Part]]


def _counted(opened: "DuckDBPyConnection", spans: Sequence[Span], most_windows: int) -> tuple[Frame, int, _Read] | None:
    planned = _frame(spans, most_windows)
    read, start_us, end_us, rows = _scanned(opened, planned)
    if not rows:
        return None
    start_us = min([start_us, *(span.start_us for span in spans)])
    end_us = max([end_us, start_us + 1, *(span.end_us for span in spans)])
    frame = frame_of(start_us, end_us, rows, most_windows)
    if (frame.start_us, frame.width_us) != (planned.start_us, planned.width_us) or frame.windows > planned.windows:
        read, *_ = _scanned(opened, frame)
    return frame, end_us, read


def _frame(spans: Sequence[Span], most_windows: int) -> Frame:
    """As the phases have it, for a load with rows enough: the last request ends soon after the last phase."""
    if not spans:
        return Frame(0, 3_600_000_000, 1)
    start_us, end_us = min(span.start_us for span in spans), max(span.end_us for span in spans)
    planned = frame_of(start_us, end_us, 10**9, most_windows)
    return Frame(start_us, planned.width_us, most_windows)


def frame_of(start_us: int, end_us: int, rows: int, most_windows: int) -> Frame:
    """The narrowest windows with enough rows on average; never too many windows, nor so few that all is one."""
    length_s = (end_us - start_us) / 1e6
    widest = math.ceil(length_s / most_windows)  # of a clock that was set, say: whatever it is, memory is bounded
    fitting = [width for width in _WIDTHS_S if length_s / width <= most_windows] or [widest]
    filled = [width for width in fitting if rows * width / length_s >= _WANTED_ROWS]
    width = (filled or fitting)[0]
    roomy = [one for one in fitting if length_s / one >= _LEAST_WINDOWS] or fitting[:1]
    width_us = min(width, roomy[-1]) * 1_000_000
    return Frame(start_us, width_us, -(-(end_us - start_us) // width_us))


def _scanned(opened: "DuckDBPyConnection", frame: Frame) -> tuple[_Read, int, int, int]:
    """Counts by windows of the frame, and the samples' first start, last end and number."""
    settings: dict[str, float] = {"ratio": BUCKET_RATIO, "last_bucket": BUCKETS - 1, "windows": frame.windows}
    settings |= {"start_us": frame.start_us, "width_us": frame.width_us}
    found: dict[str, Any] = opened.execute(_SCAN, settings).fetchnumpy()
    is_part, is_scenario = found["is_no_part"] == 0, found["is_no_scenario"] == 0
    parts = [
        Part(Path(str(name)), int(first), int(last), int(longest))
        for name, first, last, longest in zip(
            *(found[name][is_part] for name in ("filename", "first_us", "last_us", "longest_sent")), strict=True
        )
    ]
    cells = _cells(found)
    read = (cells.chosen(~is_part & ~is_scenario), cells.chosen(is_scenario), parts)
    if not parts:
        return read, 0, 0, 0
    return read, min(part.first_us for part in parts), int(found["end_us"].max()), int(found["n"][is_part].sum())


def _cells(found: dict[str, Any]) -> Cells:
    import numpy as np

    def numbers(name: str) -> "Numbers":
        return np.ma.filled(found[name], 0).astype(np.int64)

    def words(name: str) -> "Words":
        return np.asarray(np.ma.filled(np.ma.asarray(found[name], dtype=object), None), dtype=object)

    return Cells(
        window=numbers("own_window"),
        ended=numbers("ended"),
        bucket=numbers("bucket"),
        outcome=words("outcome"),
        phase=words("phase"),
        scenario=words("scenario"),
        n=numbers("n"),
        largest=numbers("largest"),
        least=numbers("least"),
    )
