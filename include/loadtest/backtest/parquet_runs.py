"""A run that another tool recorded, one row a request, as rows of metrics.json."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.loadtest.errors import ConfigError
from include.loadtest.metrics.phases import Stretch
from include.loadtest.metrics.reading import reading
from include.loadtest.metrics.rows import cell_rows, stall_row
from include.loadtest.metrics.samples import sample_figures
from include.loadtest.metrics.stalls import longest_stalls
from include.loadtest.parts import connection, some_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

PHASE = "hold"
_VIEW = (
    "CREATE TABLE samples AS SELECT make_timestamp_ns(intended_ns) AS intended_start, latency_us, "
    "NULL::BIGINT AS ttfb_us, endpoint AS scenario, endpoint, phase, phase AS stage, outcome, "
    "NULL::VARCHAR AS error, NULL::INTEGER AS status, NULL::INTEGER AS user FROM read_parquet(?)"
)


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    """Percentiles of all endpoints in the hold, and its longest stall, by the product's own metrics engine.

    Columns: `intended_ns`, `latency_us`, `endpoint`, `phase`, `outcome`. Raises ConfigError where they are not there.
    """
    import duckdb

    try:
        with connection() as opened:
            opened.execute(_VIEW, [str(path)])
            opened.execute(f"CREATE VIEW {some_of('samples')} AS FROM samples")
            return _rows(opened)
    except duckdb.Error as error:
        raise ConfigError(f"{path}: not a recorded run: {str(error).splitlines()[0]}") from error


def _rows(opened: "DuckDBPyConnection") -> list[dict[str, Any]]:
    start_us, end_us = opened.execute(
        "SELECT min(epoch_ns(intended_start)) // 1000, max(epoch_ns(intended_start) // 1000 + latency_us) + 1 "
        "FROM samples WHERE phase = ?",
        [PHASE],
    ).fetchone() or (None, None)
    if start_us is None:
        return []
    parts = [Stretch(PHASE, start_us, end_us)]
    with reading(opened, parts, [], is_closed=False) as read:
        figures, stalls = sample_figures(read, []), longest_stalls(read)
    rows = [row for scope in figures.scopes for row in cell_rows(figures, (PHASE, scope), 0)]
    return [*rows, stall_row(PHASE, stalls.get(PHASE))]
