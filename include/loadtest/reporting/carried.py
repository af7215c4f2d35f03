"""What a stepped load says of the capacity: breaking point, highest throughput, users within limits, growth. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from include.loadtest.reporting.markdown import figure, plain, plain_words, section, table

Row = Mapping[str, Any]


def capacity_section(report: Row) -> str:
    """The section of a run's report; empty for a load without steps, or without a diagnosis."""
    found = (report.get("diagnosis") or {}).get("capacity")
    return "" if found is None else section("Capacity", plain_words(found["sentence"]), *_tables(found))


def outlook_sentences(stepped: Sequence[Row]) -> list[str]:
    """Highest throughput and growth of each stepped load of a review."""
    return [text for row in stepped for text in _outlook(row)]


def _outlook(row: Row) -> Iterator[str]:
    found = row["analysis"]
    if found is not None:
        yield f"Highest throughput {found['maximum']['text']} ({row['profile']})."
        if found["plan"] is not None:
            yield found["plan"]["sentence"]


def outlook_section(stepped: Sequence[Row]) -> str:
    """The tables of each stepped load of a review."""
    parts = [
        part for row in stepped if row["analysis"] for part in (f"{plain(row['profile'])}:", *_tables(row["analysis"]))
    ]
    return section("What ends first, and when", *parts)


def _tables(found: Row) -> Iterator[str]:
    yield table(
        ("what", "there are", "in use in the highest step", "an answer needs", "ends at"),
        (_resource(row) for row in found["resources"]),
    )
    yield table(("limit", "of", "within", "beyond", "between them"), (_limit(row) for row in found["limits"]))
    if found["usl"] is not None:
        peak = found["usl"]
        yield (
            f"The universal scalability law puts the peak at {peak['rpm']:,.0f} req/min with {peak['users']:.0f} users "
            f"(95 % {peak['rpm_low']:,.0f} to {peak['rpm_high']:,.0f} req/min, {peak['users_low']:.0f} to "
            f"{peak['users_high']:.0f} users)."
        )


def _resource(row: Row) -> tuple[str, ...]:
    unit, servers, share = row["unit"], row["servers"], row["busy_share_at_top"]
    return (
        plain(row["title"]),
        "not known" if servers is None else f"{servers:g} {unit}",
        f"{row['busy_at_top']:.3g} {unit}" + ("" if share is None else f" ({100 * share:.0f} %)"),
        _span(row["demand_ms"], row["demand_low_ms"], row["demand_high_ms"], "ms", ".3g"),
        _end(row),
    )


def _end(row: Row) -> str:
    if row["beyond_reach"]:
        return "beyond what may be said"
    return _span(row["max_rpm"], row["max_low_rpm"], row["max_high_rpm"], "req/min", ",.0f")


def _span(value: float | None, low: float | None, high: float | None, unit: str, form: str) -> str:
    if value is None:
        return "not known"
    ends = f" ({low:{form}} to {high:{form}})" if low is not None and high is not None else ""
    return f"{value:{form}}{ends} {unit}"


def _limit(row: Row) -> tuple[str, ...]:
    within, beyond, between = row["within_users"], row["beyond_users"], row["interpolated_users"]
    return (
        f"{row['metric']} {figure(row['limit'], row['unit'])}",
        plain(row["of"]),
        "not known" if within is None else f"{within} users",
        "not reached" if beyond is None else f"{beyond} users",
        "–" if between is None else f"about {between:.0f} users",
    )
