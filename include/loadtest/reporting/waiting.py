"""What the percentiles of a closed load hide: times when nothing finished, and starts that were held back. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.markdown import bullets, cell, figure, moment, section

NOTABLE_RATIO = 1.1
"""From where on a corrected percentile is shown: so many times the plain one."""
_CORRECTED = (
    ("P95", "latency_p95_ms", "latency_p95_corrected_ms"),
    ("P99", "latency_p99_ms", "latency_p99_corrected_ms"),
)

Row = Mapping[str, Any]


def waiting_section(report: Row) -> str:
    """The stall of the hold that is over the profile's limit, and corrected percentiles that tell another story."""
    profile = (report["manifest"] or {}).get("profile") or {}
    hold = {row["metric"]: row for row in report["metrics"] if (row["scope"], row["phase"]) == ("all", "hold")}
    lines = [*_stall(hold.get("longest_stall_s"), profile.get("stall_limit_s")), *_corrected(hold)]
    return section("What the percentiles hide", bullets(lines))


def _stall(row: Row | None, limit_s: float | None) -> Iterator[str]:
    if row is None or row["value"] is None or limit_s is None or row["value"] <= limit_s:
        return
    yield (
        f"**Stall**: from {moment(row['from'])} nothing finished for {figure(row['value'], 's')} while "
        f"{row['waiting']} requests waited (limit {figure(limit_s, 's')})"
    )


def _corrected(hold: Mapping[str, Row]) -> Iterator[str]:
    pairs = [(title, hold.get(plain), hold.get(corrected)) for title, plain, corrected in _CORRECTED]
    if not _is_notable(pairs):
        return
    for title, plain, corrected in pairs:
        if plain is not None and corrected is not None and corrected["value"] is not None:
            yield (
                f"{title} {cell(plain)}, corrected {cell(corrected)}: with the starts that users held back while they "
                "waited"
            )


def _is_notable(pairs: Sequence[tuple[str, Row | None, Row | None]]) -> bool:
    """Whether the corrected P95 differs, the first of the pairs."""
    _, plain, corrected = pairs[0]
    if plain is None or corrected is None or plain["value"] is None or corrected["value"] is None:
        return False
    return bool(corrected["value"] > NOTABLE_RATIO * plain["value"])
