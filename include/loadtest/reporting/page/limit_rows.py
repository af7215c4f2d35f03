"""The limits of a run and its key figures, as the page shows them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.loadtest.profile.vocabulary import SCOPE_ALL
from include.loadtest.reporting.key_phase import key_phase
from include.loadtest.reporting.margin import margin_pct
from include.loadtest.reporting.markdown import cell, figure, interval
from include.loadtest.reporting.summary import observed_text, outcome_text

Row = Mapping[str, Any]
Key = tuple[str, str, str]

_WORST_FIRST = ("missed", "near", "not_judged", "met")
_OPTIONAL = len(_WORST_FIRST)
"""Where a limit stands that was not judged and need not be."""
_TILES = (
    ("latency_p95_ms", "P95 of all requests"),
    ("latency_p99_ms", "P99 of all requests"),
    ("error_rate", "Errors"),
    ("throughput_rpm", "Throughput"),
    ("cache_hit_rate", "Cache hits"),
    ("ttft_p95_ms", "First token, P95"),
)
_DRAWN = {"latency_p95_ms": "p95_ms", "latency_p99_ms": "p99_ms"}


@dataclass(frozen=True)
class LimitRow:
    """One limit: texts with units as they are shown. `filled_pct`: 0 to 100, how much of the room is used."""

    metric: str
    scope: str
    phase: str
    level: str
    observed: str
    interval: str
    n: str
    limit: str
    margin: str
    outcome: str
    outcome_key: str
    filled_pct: float | None


@dataclass(frozen=True)
class Tile:
    """A key figure with what it is held against. `outcome_key`: met, near, missed, not_judged or empty."""

    title: str
    value: str
    note: str
    outcome: str
    outcome_key: str
    line: tuple[float | None, ...]


def limit_rows(report: Row) -> list[LimitRow]:
    """A row a limit, the worst first, critical before warning."""
    measured, shares_host = _measured(report), _shares_host(report)
    ordered = sorted(report["slos"], key=lambda slo: (_place(slo), slo["level"] != "critical"))
    return [_limit_row(slo, measured.get(_key(slo)), shares_host=shares_host) for slo in ordered]


def _place(slo: Row) -> int:
    is_optional = slo["outcome"] == "not_judged" and not slo["required"]
    return _OPTIONAL if is_optional else _WORST_FIRST.index(slo["outcome"])


def _limit_row(slo: Row, row: Row | None, *, shares_host: bool) -> LimitRow:
    observed = observed_text(slo, row)
    return LimitRow(
        metric=slo["metric"],
        scope=slo["scope"],
        phase=slo["phase"],
        level=slo["level"],
        observed=observed,
        interval=interval(slo),
        n=f"{slo['n']:,}",
        limit=_limit_text(slo),
        margin=margin_text(slo, observed),
        outcome=outcome_text(slo, row, shares_host=shares_host),
        outcome_key=slo["outcome"],
        filled_pct=_filled_pct(slo),
    )


def margin_text(slo: Row, observed: str) -> str:
    """How far from the limit, in % of it; a bound (≥, ≤) in front of `observed` makes the margin one too."""
    room_pct = margin_pct(slo)
    if room_pct is None:
        return "–"
    is_within = room_pct >= 0
    is_worse_side = observed.startswith("≥") == slo["comparator"].startswith("<")
    sign = ""
    if observed.startswith(("≥", "≤")):
        sign = "at most " if is_worse_side == is_within else "at least "
    return f"{sign}{_rounded(abs(room_pct))} % {'within' if is_within else 'beyond'}"


def _rounded(pct: float) -> str:
    """A whole one from ten on; nearer to the limit two digits count."""
    return f"{pct:,.0f}" if pct >= 10 else f"{pct:.2g}"


def _filled_pct(slo: Row) -> float | None:
    room_pct = margin_pct(slo)
    return None if room_pct is None else min(max(100 - room_pct, 0.0), 100.0)


def tiles(report: Row, charts: Row | None) -> list[Tile]:
    """The key figures that the run has rows for: of all requests in the phase that `key_phase` says."""
    return list(_tiles(report, charts, key_phase(report["metrics"])))


def _tiles(report: Row, charts: Row | None, phase: str) -> Iterator[Tile]:
    measured, shares_host = _measured(report), _shares_host(report)
    for metric, title in _TILES:
        row = measured.get((metric, SCOPE_ALL, phase))
        if row is None or (row["value"] is None and metric == "ttft_p95_ms"):
            continue
        own = [slo for slo in report["slos"] if _key(slo) == _key(row)]
        slo = min(own, key=lambda one: one["level"] != "critical", default=None)
        of = f"n={row['n']:,}"
        yield Tile(
            title=title,
            value=cell(row),
            note=of if slo is None else f"limit {_limit_text(slo)} · {of}",
            outcome="" if slo is None else outcome_text(slo, row, shares_host=shares_host),
            outcome_key="" if slo is None else slo["outcome"],
            line=_line(metric, charts),
        )


def _line(metric: str, charts: Row | None) -> tuple[float | None, ...]:
    """The figure over time, for a small picture; empty where it is not drawn."""
    if charts is None:
        return ()
    if metric in _DRAWN:
        return tuple(charts["latency"][_DRAWN[metric]])
    return tuple(charts["rate"]["ok_rpm"]) if metric == "throughput_rpm" else ()


def _limit_text(slo: Row) -> str:
    return f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}"


def _measured(report: Row) -> dict[Key, Row]:
    return {_key(row): row for row in report["metrics"]}


def _shares_host(report: Row) -> bool:
    return bool(((report["manifest"] or {}).get("target") or {}).get("shares_host"))


def _key(row: Row) -> Key:
    return row["metric"], row["scope"], row["phase"]
