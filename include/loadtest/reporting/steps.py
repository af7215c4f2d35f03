"""How a stepped or spiked load went: each step, where it broke, and when it had recovered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.reporting.markdown import figure, plain, section, table

LOOKED_FOR = ("saturation_users", "breaking_point_users")
"""Metrics whose value null means, where `looked_up_to` is known, "not reached" and not "not measured"."""
_WATCHED = {"steps": "the load", "spike": "the spike"}
"""Shapes with steps to show, and what a recovery is counted from."""

Row = Mapping[str, Any]


def steps_section(report: Row) -> str:
    """The section of a report of `build_report`; empty for a steady load."""
    profile = (report["manifest"] or {}).get("profile") or {}
    shape = profile.get("shape") or {}
    if shape.get("kind") not in _WATCHED:
        return ""
    rows = [
        (
            plain(str(stage["stage"])),
            plain(str(stage["phase"])),
            "–" if stage["users"] is None else f"{stage['users']}",
            f"{stage['seconds']:.0f} s",
            f"{stage['n']:,}",
            _p95(stage),
            figure(stage["error_rate"], "ratio"),
            figure(stage["ungraceful_error_rate"], "ratio"),
            figure(stage["throughput_rpm"], "req/min"),
        )
        for stage in report["stages"]
    ]
    sentences = [
        breaking_point_sentence(report["metrics"], report["stages"], profile),
        saturation_sentence(report["metrics"], profile),
        recovery_sentence(report["metrics"], report["slos"], shape),
    ]
    header = ("step", "phase", "users", "time", "n", "P95", "errors", "ungraceful", "rate")
    return section("Steps", " ".join(sentence for sentence in sentences if sentence), table(header, rows))


def _p95(stage: Row) -> str:
    return ("≥ " if stage.get("lower_bound") else "") + figure(stage["latency_p95_ms"], "ms")


def breaking_point_sentence(metrics: Sequence[Row], stages: Sequence[Row], profile: Row) -> str:
    """Where the load broke and by which figures; empty where nothing looked for it."""
    row = _row(metrics, "breaking_point_users")
    if row is None:
        return ""
    if row["value"] is None:
        return _not_reached("Breaking point", row, profile)
    users = row["value"]
    stage = next((stage for stage in stages if stage["users"] == users and stage["phase"] != "recovery"), None)
    if stage is None:
        return f"**Breaks at {users:g} users.**"
    limits = (profile.get("shape") or {}).get("breaking_point") or {}
    p95 = _p95(stage) + _limit("<", limits.get("p95_limit_ms"), "ms")
    errors = figure(stage["ungraceful_error_rate"], "ratio") + _limit("<=", limits.get("error_rate_limit"), "ratio")
    return f"**Breaks at {users:g} users**: P95 {p95}, ungraceful errors {errors}."


def _limit(comparator: str, limit: float | None, unit: str) -> str:
    return "" if limit is None else f" (limit {comparator} {figure(limit, unit)})"


def saturation_sentence(metrics: Sequence[Row], profile: Row) -> str:
    """From how many users on more users bring too little more throughput; empty where nothing looked for it."""
    row = _row(metrics, "saturation_users")
    if row is None:
        return ""
    if row["value"] is None:
        return _not_reached("Saturation", row, profile)
    return f"Saturated from {row['value']:g} users."


def _not_reached(what: str, row: Row, profile: Row) -> str:
    looked_up_to = row.get("looked_up_to")
    if looked_up_to is None:
        return f"{what}: not measured."
    unknown = " Of more users too little is known." if looked_up_to < profile.get("users", 0) else ""
    return f"{what} not reached up to {looked_up_to:g} users.{unknown}"


def recovery_sentence(metrics: Sequence[Row], slos: Sequence[Row], shape: Row) -> str:
    """When the target was as before; empty where no recovery was watched."""
    row = _row(metrics, "recovery_time_s")
    if row is None:
        return ""
    after = f"the end of {_WATCHED.get(shape.get('kind', ''), 'the load')}"
    slo = next((slo for slo in slos if slo["metric"] == "recovery_time_s"), None)
    limit = "" if slo is None else _limit(slo["comparator"], slo["limit"], slo["unit"])
    if row["value"] is None:
        return f"Recovery: not measured{limit}."
    if row.get("lower_bound"):
        return f"**No recovery was proved**: it took at least {figure(row['value'], 's')} from {after}{limit}."
    return f"Recovered {figure(row['value'], 's')} after {after}{limit}."


def _row(metrics: Sequence[Row], metric: str) -> Row | None:
    return next((row for row in metrics if row["metric"] == metric and row["scope"] == "all"), None)
