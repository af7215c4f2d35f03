"""The Markdown summary: verdict first, then why, then the figures behind it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from include.loadtest.verdict import shown

_UNITS = {"ratio": "%", "req/min": "req/min"}
_MARKS = {"met": "✅ met", "near": "🟡 near the limit", "missed": "❌ missed", "not_judged": "⚪ not judged"}
_TITLES = {"PASS": "✅ PASS", "WARN": "🟡 WARN"}
MAX_ERRORS_SHOWN = 10


def summary_markdown(report: Mapping[str, Any]) -> str:
    """The summary of a report of `build_report`."""
    manifest = report["manifest"] or {}
    sections = [
        _head(report, manifest),
        _reasons(report["reasons"]),
        _slos(report["slos"]),
        _scenarios(report["metrics"]),
        _resources(report["metrics"]),
        _errors(report["errors"]),
        _comparison(report["comparison"]),
        _gaps(report, manifest),
        _environment(manifest),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(report: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    profile = manifest.get("profile") or {}
    target = manifest.get("target") or {}
    load = manifest.get("load") or {}
    verdict = report["verdict"]
    return "\n".join(
        [
            f"# {_TITLES.get(verdict, '❌ ' + verdict)}: {profile.get('title', report['run_id'])}",
            "",
            f"**{report['sentence']}**",
            "",
            f"Run `{report['run_id']}` · target `{plain(str(target.get('name')))}` · {profile.get('users')} users, "
            f"{profile.get('duration_s')} s hold · engine {profile.get('engine')} · "
            f"load {load.get('started') or 'not sent'} to {load.get('ended') or '–'}",
            *(f"\n> {plain(note)}" for note in profile.get("notes") or ()),
        ]
    )


def _reasons(reasons: Sequence[Mapping[str, Any]]) -> str:
    if not reasons:
        return ""
    lines = [f"- **{reason['code']}**: {plain(reason['text'])}. _{reason['action']}_" for reason in reasons]
    return "\n".join(["## Why", "", *lines])


def _slos(slos: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (
            slo["metric"],
            slo["scope"],
            slo["level"],
            figure(slo["observed"], slo["unit"]),
            interval(slo),
            f"{slo['n']:,}",
            f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}",
            _MARKS[slo["outcome"]] + (" (close)" if slo["close"] else ""),
        )
        for slo in slos
    ]
    header = ("limit on", "of", "level", "observed", "95 % interval", "n", "limit", "outcome")
    return table("Limits", header, rows)


def _scenarios(metrics: Sequence[Mapping[str, Any]]) -> str:
    hold = {(row["scope"], row["metric"]): row for row in metrics if row["phase"] == "hold"}
    scopes = sorted({scope for scope, _ in hold if scope == "all" or scope.startswith("scenario:")})
    columns = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "ttft_p95_ms", "error_rate", "throughput_rpm")
    rows = []
    for scope in scopes:
        n = hold[scope, "error_rate"]["n"] if (scope, "error_rate") in hold else 0
        rows.append((scope, f"{n:,}", *(_cell(hold.get((scope, column))) for column in columns)))
    return table("Requests in the hold", ("of", "n", "P50", "P95", "P99", "first token P95", "errors", "rate"), rows)


def _resources(metrics: Sequence[Mapping[str, Any]]) -> str:
    names = ("cache_hit_rate", "host_cpu_pct", "host_memory_pct", "postgres_connections", "redis_memory_bytes")
    rows = [
        (row["metric"], _cell(row), f"{row['n']}")
        for row in metrics
        if row["metric"] in names and row["phase"] == "hold"
    ]
    return table("Target and its host in the hold", ("figure", "value", "n"), rows)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None or row["value"] is None:
        return "not measured"
    return ("≥ " if row.get("lower_bound") else "") + figure(row["value"], row["unit"])


def _errors(errors: Mapping[str, Any] | None) -> str:
    if not errors or not errors["errors"]:
        return ""
    rows = [
        (f"{error['count']:,}", error["outcome"], error["endpoint"], plain(str(error["fingerprint"])))
        for error in errors["errors"][:MAX_ERRORS_SHOWN]
    ]
    return table("Errors", ("count", "outcome", "endpoint", "error"), rows)


def _comparison(comparison: Mapping[str, Any] | None) -> str:
    if not comparison:
        return ""
    previous = comparison.get("previous_run_id")
    if not previous:
        return (
            f"## Compared with earlier runs\n\n{plain(str(comparison.get('text', 'There is no comparable run yet.')))}"
        )
    rows = [
        (
            row["metric"],
            figure(row["previous"], row["unit"]),
            figure(row["current"], row["unit"]),
            _change(row["change"]),
        )
        for row in comparison["differences"]
        if row["scope"] == "all"
    ]
    title = f"Compared with `{previous}` (shown, not judged)"
    return table(title, ("figure", "then", "now", "change"), rows)


def _change(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * ratio:+.1f} %"


def _gaps(report: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    lines = [f"- not measured: {name}" for name in report["not_measured"]]
    lines += [f"- not configured: {name}" for name in report["not_configured"]]
    lines += [f"- {stage}: {plain(str(fault.get('text')))}" for stage, fault in (manifest.get("faults") or {}).items()]
    return "\n".join(["## Gaps", "", *lines]) if lines else ""


def _environment(manifest: Mapping[str, Any]) -> str:
    environment = manifest.get("environment") or {}
    rows = [(plain(str(name)), plain(str(value))) for name, value in environment.items()]
    return table("Environment", ("what", "value"), rows)


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown section with a table; empty without rows."""
    body = ["| " + " | ".join(row) + " |" for row in rows]
    if not body:
        return ""
    return "\n".join([f"## {title}", "", "| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *body])


def figure(value: float | None, unit: str) -> str:
    """A value with its unit; ratios as per cent, bytes as MiB."""
    if value is None:
        return "not measured"
    if unit == "ratio":
        return f"{100 * value:.4g} %"
    if unit == "bytes":
        return f"{value / 2**20:,.1f} MiB"
    return f"{shown(value)} {_UNITS.get(unit, unit)}"


def interval(row: Mapping[str, Any]) -> str:
    """The 95 % interval of a figure; an open end where the data allow no bound."""
    low, high = row["ci_low"], row["ci_high"]
    if low is None and high is None:
        return "–"
    ends = [figure(end, row["unit"]) if end is not None else "…" for end in (low, high)]
    return " – ".join(ends)


def plain(text: str) -> str:
    """Text from anywhere, harmless in Markdown: one line, no markup, no table break, at most 300 characters."""
    printable = "".join(char if char.isprintable() else " " for char in text[:300])
    escaped = printable.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("`", "'")
    return (
        escaped.replace("[", "\\[").replace("*", "\\*").replace("_", "\\_").replace("!", "\\!").replace("@", "@\u200b")
    )
