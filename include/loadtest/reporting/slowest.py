"""The slowest requests of a load, each with the trace that its user's iteration has in the target's own tracing."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from include.loadtest.parts import part_name, with_sound
from include.loadtest.profile.vocabulary import LOWER_BOUND_OUTCOMES
from include.loadtest.reporting.sample_counts import SampleCounts
from include.loadtest.run import NO_USER, trace_id, utc_text

MOST = 20
_COLUMNS = (
    "start TIMESTAMPTZ_NS, latency_us BIGINT, scenario VARCHAR, endpoint VARCHAR, outcome VARCHAR, status INTEGER, "
    'phase VARCHAR, "user" INTEGER, iteration BIGINT'
)
_NAMES = ("start_us", "scenario", "endpoint", "latency_us", "outcome", "status", "phase", "user", "iteration")
_SLOWEST = f"""
SELECT epoch_ns(start) // 1000 AS us, scenario, endpoint, latency_us, outcome, status, phase, "user", iteration
FROM samples WHERE outcome <> 'dropped' ORDER BY latency_us DESC, us, "user", iteration LIMIT {MOST}
"""  # noqa: S608 - a number of this module


def slowest_requests(
    counts: SampleCounts, run_id: str, *, has_traces: bool
) -> tuple[list[dict[str, Any]], frozenset[str]]:
    """The MOST slowest requests of all phases, the slowest first; requests that were never sent are none.

    Also the parts that are damaged in a column that the counts did not need, as `parts.part_name` has them: their
    requests are left out. `has_traces`: the load sent the ids that `run.trace_id` computes; else there are none.

    Failed ones count too: an error that takes a minute is slow. `is_bound`: it took at least `latency_ms`. `start` is
    the moment at which it was sent, as the target's log has it; the latency counts from when the user wanted it.

    Read are only the MOST parts with the longest latencies: all others have none that is longer than the shortest one
    of these.
    """
    rows, damaged = _rows([part.path for part in sorted(counts.parts, key=lambda one: (-one.longest_us, one.first_us))])
    entries = [_entry(run_id, dict(zip(_NAMES, row, strict=True)), has_traces=has_traces) for row in rows]
    return entries, frozenset(map(part_name, damaged))


def _rows(paths: Sequence[Path]) -> tuple[list[tuple[Any, ...]], set[Path]]:
    """The rows of the first MOST parts that are sound, and those before them that are not."""
    damaged: set[Path] = set()
    while True:
        chosen = [path for path in paths if path not in damaged][:MOST]
        rows, bad = with_sound(chosen, "samples", _COLUMNS, lambda opened: opened.execute(_SLOWEST).fetchall())
        if not bad:
            return rows, damaged
        damaged |= set(bad)


def _entry(run_id: str, row: dict[str, Any], *, has_traces: bool) -> dict[str, Any]:
    start_us, latency_us, user = row.pop("start_us"), row.pop("latency_us"), row["user"]
    return {
        "start": utc_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=start_us)),
        "latency_ms": latency_us / 1000,
        "is_bound": row["outcome"] in LOWER_BOUND_OUTCOMES,
        **row,
        "trace_id": trace_id(run_id, user, row["iteration"]) if has_traces and user != NO_USER else None,
    }
