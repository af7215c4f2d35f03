"""errors.json: what went wrong, how often, one example each."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.parts import SAMPLE_COLUMNS, with_parts

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MAX_FINGERPRINTS = 200


def write_errors(bundle: Bundle) -> dict[str, Any]:
    """Count the error fingerprints of all samples, write errors.json and return its content.

    `{"schema": 1, "errors": [{"fingerprint", "count", "outcome", "scenario", "endpoint", "status", "first_seen"}],
    "other": {"fingerprints": n, "count": m}, "unreadable_parts": [name, …]}`: the MAX_FINGERPRINTS most frequent, most
    frequent first, with exact counts and the earliest request as the example; `other` sums the rest. A failed request
    without a fingerprint stands under its outcome.
    """
    (errors, other), unreadable = with_parts(bundle.samples_dir, "samples", SAMPLE_COLUMNS, _count)
    document = {"schema": 1, "errors": errors, "other": other, "unreadable_parts": unreadable}
    bundle.write(run.ERRORS, document)
    return document


def _count(opened: "DuckDBPyConnection") -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Counting first, examples second: a count is all that a million different fingerprints need each."""
    opened.execute(
        "CREATE TABLE failed AS "
        "SELECT intended_start, scenario, endpoint, outcome, status, coalesce(error, outcome) AS fingerprint "
        "FROM samples WHERE error IS NOT NULL OR outcome NOT IN ('ok', 'censored')"
    )
    opened.execute("CREATE TABLE counted AS SELECT fingerprint, count(*) AS n FROM failed GROUP BY fingerprint")
    opened.execute(
        "CREATE TABLE most AS SELECT fingerprint, n FROM counted ORDER BY n DESC, fingerprint LIMIT ?",
        [MAX_FINGERPRINTS],
    )
    rows = opened.execute(
        "SELECT fingerprint, any_value(n), "
        "arg_min(struct_pack(o := outcome, s := scenario, e := endpoint, c := status), "
        "(intended_start, scenario, endpoint, outcome, coalesce(status, 0))), "
        "min(epoch_ns(intended_start) // 1000) "
        "FROM failed JOIN most USING (fingerprint) GROUP BY fingerprint ORDER BY 2 DESC, 1"
    ).fetchall()
    totals = opened.execute("SELECT count(*), coalesce(sum(n), 0)::BIGINT FROM counted").fetchone() or (0, 0)
    shown = sum(row[1] for row in rows)
    return [_entry(*row) for row in rows], {"fingerprints": totals[0] - len(rows), "count": totals[1] - shown}


def _entry(fingerprint: str, count: int, example: dict[str, Any], first_us: int) -> dict[str, Any]:
    return {
        "fingerprint": fingerprint,
        "count": count,
        "outcome": example["o"],
        "scenario": example["s"],
        "endpoint": example["e"],
        "status": example["c"],
        "first_seen": run.utc_text(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first_us)),
    }
