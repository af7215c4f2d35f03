"""How long the target takes to recover after its peak load: `recovery_time_s`.

Watched are windows of `window_s`, one after the other from the end of the peak, through the ramp down and the recovery;
a request belongs to the window of its intended start, and only full windows count. A window is good when it has rows
and their P95 (the smallest latency with at least 95 % of the rows at or below it) is below `p95_limit_ms`. There a
request that failed, timed out or was dropped counts as infinitely slow. One that was censored took at least as long as
is recorded: at the limit or above it is slow, below the limit nobody knows. So a window is good if it is good with all
unknown requests slow, bad if it is bad with all of them fast (or without any row), and otherwise unknown itself.

The target has recovered with the first `windows` good windows in a row. The time runs to the START of the first of
them, with the resolution of a window: it estimates when the target had recovered, and knowing it takes
`windows` x `window_s` more. Where no such row of windows was seen, or an unknown window might have begun an earlier
one, the time is a lower bound: to the first window from which on no bad one was seen before the row would be complete.
If the last window is bad, that is all the time that was watched; good windows right before the end of the watch might
have become a recovery, so they are not counted as time without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.loadtest.metrics.phases import Stretch
from include.loadtest.metrics.rows import recovery_row
from include.loadtest.metrics.statistics import rank_of
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import PERCENTILES

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PEAKS = {"steps": "hold", "spike": "spike"}
_SHARE = PERCENTILES["latency_p95_ms"][0]
_TOLERANCE_US = 1000  # times computed as floating point


@dataclass(frozen=True)
class Watch:
    """The full windows after the peak: `count` of them, each `window_us` long, from `start_us` (since 1970, UTC)."""

    start_us: int
    window_us: int
    count: int


@dataclass(frozen=True)
class Window:
    """Requests of a window: all, the ok ones below the limit, and the censored ones that may have been."""

    rows: int = 0
    fast: int = 0
    unknown: int = 0

    @property
    def good(self) -> bool | None:
        """Whether the P95 is below the limit; None where the censored requests decide."""
        if not self.rows:
            return False
        needed = rank_of(_SHARE, self.rows)
        if self.fast >= needed:
            return True
        return None if self.fast + self.unknown >= needed else False


def planned_watch(profile: Profile, parts: Sequence[Stretch]) -> Watch | None:
    """What was watched after the peak of a profile with a recovery; None where the peak never ended."""
    if profile.recovery is None:
        return None
    peak_ends = [part.end_us for part in parts if part.phase == _PEAKS[profile.shape.kind]]
    if not peak_ends:
        return None
    start_us = end_us = max(peak_ends)
    for part in parts:
        if start_us - _TOLERANCE_US <= part.start_us <= end_us + _TOLERANCE_US:
            end_us = max(end_us, part.end_us)
    window_us = profile.recovery.window_s * 1_000_000
    return Watch(start_us, window_us, (end_us - start_us + _TOLERANCE_US) // window_us)


def watched_windows(opened: "DuckDBPyConnection", watch: Watch, p95_limit_ms: float) -> list[Window]:
    """The windows of a watch, in order, from one pass over the rows of the view `samples` that lie in it."""
    rows = opened.execute(
        "SELECT (epoch_ns(intended_start) // 1000 - $start) // $window AS number, count(*), "
        "count(*) FILTER (outcome = 'ok' AND latency_us < $limit), "
        "count(*) FILTER (outcome = 'censored' AND latency_us < $limit) FROM samples "
        "WHERE intended_start >= make_timestamptz($start) AND intended_start < make_timestamptz($end) GROUP BY number",
        {
            "start": watch.start_us,
            "end": watch.start_us + watch.count * watch.window_us,
            "window": watch.window_us,
            "limit": p95_limit_ms * 1000,
        },
    ).fetchall()
    found = {number: Window(*counts) for number, *counts in rows}
    return [found.get(number, Window()) for number in range(watch.count)]


def recovery_rows(profile: Profile, windows: Sequence[Window]) -> list[dict[str, Any]]:
    """The row of `recovery_time_s`; none for a profile without a recovery.

    Its value is null where fewer windows were watched than a recovery needs, or where none of them has a row.
    """
    if profile.recovery is None:
        return []
    needed = profile.recovery.windows
    if len(windows) < needed or not any(window.rows for window in windows):
        return [recovery_row(None, len(windows), lower_bound=False)]
    good = [window.good for window in windows]
    proved = _first_row(good, needed)
    # After the last window everything is possible.
    possible = _first_row([one is not False for one in good] + [True] * needed, needed) or 0
    time_s = float(possible * profile.recovery.window_s)
    return [recovery_row(time_s, len(windows), lower_bound=possible != proved)]


def _first_row(good: Sequence[bool | None], needed: int) -> int | None:
    """Where the first `needed` true values in a row begin."""
    starts = range(len(good) - needed + 1)
    return next((start for start in starts if all(good[start : start + needed])), None)
