"""The Markdown summary: verdict first, then what it means and why, then the figures behind it."""

from collections.abc import Mapping, Sequence
from typing import Any

from include.loadtest.profile.vocabulary import GROWTH_METRICS, SERVER_METRICS
from include.loadtest.reporting.advised import recommendations_section
from include.loadtest.reporting.alerts import alerts_section
from include.loadtest.reporting.carried import capacity_section
from include.loadtest.reporting.change import change_section
from include.loadtest.reporting.conditions import changes_section, environment_section, gaps_section, sizes_section
from include.loadtest.reporting.deliveries import deliveries_section
from include.loadtest.reporting.diagnosis import diagnosis_section
from include.loadtest.reporting.key_phase import key_phase
from include.loadtest.reporting.llm import llm_section
from include.loadtest.reporting.markdown import (
    bullets,
    cell,
    code,
    figure,
    interval,
    moment,
    page_link,
    plain,
    plain_words,
    section,
    table,
)
from include.loadtest.reporting.steps import LOOKED_FOR, steps_section
from include.loadtest.reporting.waiting import waiting_section
from include.loadtest.verdict import verdict_mark

_MARKS = {"met": "✅ met", "near": "🟡 near the limit", "missed": "❌ missed", "not_judged": "⚪ not judged"}
_STATES = {"met": "✅", "missed": "❌", "unknown": "⚪ Not known:"}
SHARED_HOST = "⚪ shown, not judged: the target shares its host with the generator"
NOT_EXPOSED = "⚪ not exposed"
MAX_ERRORS_SHOWN = 10

Row = Mapping[str, Any]
K6_FIRST_ANSWER = "First token: not measured by this engine (k6 gives an answer only when all of it is there)."


def summary_markdown(report: Row) -> str:
    """The summary of a report of `build_report`."""
    manifest = report["manifest"] or {}
    sections = [
        _head(report, manifest),
        meaning_section(report["meaning"]),
        _reasons(report["reasons"], manifest.get("dag_run")),
        _slos(report, manifest),
        plot_section(report.get("plot")),
        diagnosis_section(report["diagnosis"], manifest.get("dag_run")),
        recommendations_section(report),
        steps_section(report),
        capacity_section(report),
        scenarios_section(report["metrics"], (manifest.get("profile") or {}).get("engine")),
        waiting_section(report),
        alerts_section(report),
        llm_section(report),
        resources_section(report["metrics"]),
        baseline_section(report["baseline"]),
        _errors(report["errors"]),
        change_section(report["comparison"]),
        comparison_section(report["comparison"]),
        deliveries_section(report),
        gaps_section(report),
        changes_section(manifest),
        sizes_section(manifest),
        environment_section(manifest),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(report: Row, manifest: Row) -> str:
    profile = manifest.get("profile") or {}
    target = manifest.get("target") or {}
    load = manifest.get("load") or {}
    return "\n".join(
        [
            f"# {verdict_title(report['verdict'])}: {plain(str(profile.get('title', report['run_id'])))}",
            "",
            f"**{report['sentence']}**",
            "",
            f"Run `{report['run_id']}` · target {code(str(target.get('name')))} · {profile.get('users')} users, "
            f"{profile.get('duration_s')} s {timed(profile)} · engine {profile.get('engine')} · "
            f"load {moment(load.get('started')) if load.get('started') else 'not sent'} to {moment(load.get('ended'))}",
            *(f"\n> {plain(note)}" for note in profile.get("notes") or ()),
        ]
    )


def timed(profile: Row) -> str:
    """What a profile's duration spans: the hold, or all phases of a spike; checks end when they are done."""
    if profile.get("checks"):
        return "at most, one requirement after the other"
    return "in all" if (profile.get("shape") or {}).get("kind") == "spike" else "hold"


def verdict_title(verdict: str) -> str:
    """A verdict with its mark."""
    return f"{verdict_mark(verdict)} {verdict}"


def meaning_section(statement: Row | None, title: str = "What this means") -> str:
    """The words of a `Statement.document()`, what limits them, and the figures that decided; empty for None."""
    if statement is None:
        return ""
    return section(
        title,
        f"{_STATES[statement['state']]} **{plain_words(statement['text'])}**",
        bullets(plain_words(line) for line in statement["qualifications"]),
        "Decided by:" if statement["figures"] else "",
        bullets(plain(line) for line in statement["figures"]),
    )


def _reasons(reasons: Sequence[Row], dag_run: str | None) -> str:
    lines = (
        f"**{reason['code']}**: {plain(reason['text'])}. _{reason['action']}_ {page_link(dag_run, reason['page'])}"
        for reason in reasons
    )
    return section("Why", bullets(lines))


def _slos(report: Row, manifest: Row) -> str:
    measured = {(row["metric"], row["scope"], row["phase"]): row for row in report["metrics"]}
    shares_host = bool((manifest.get("target") or {}).get("shares_host"))
    rows = [
        (
            slo["metric"],
            slo["scope"],
            slo["phase"],
            slo["level"],
            observed_text(slo, measured.get((slo["metric"], slo["scope"], slo["phase"]))),
            interval(slo),
            f"{slo['n']:,}",
            f"{slo['comparator']} {figure(slo['limit'], slo['unit'])}",
            outcome_text(slo, measured.get((slo["metric"], slo["scope"], slo["phase"])), shares_host=shares_host),
        )
        for slo in report["slos"]
    ]
    header = ("limit on", "of", "phase", "level", "observed", "95 % interval", "n", "limit", "outcome")
    return section("Limits", table(header, rows), throughput_target(measured, manifest), hits_text(report["metrics"]))


def plot_section(name: str | None) -> str:
    """The picture that lies beside the summary; empty without one."""
    return section("Over time", f"![Latency, answers and failures over time]({name})") if name else ""


def hits_text(metrics: Sequence[Row]) -> str:
    """What the searches of requirements found: a search without a hit has little to do."""
    searches = [(row["metric"].removesuffix("_s"), row["hits"]) for row in metrics if row.get("hits")]
    shown = (f"{name} {sum(hits):,} hits in {len(hits)} searches, {hits.count(0)} empty" for name, hits in searches)
    return f"Searches: {'; '.join(shown)}." if searches else ""


def throughput_target(measured: Mapping[tuple[str, str, str], Row], manifest: Row) -> str:
    """What the requirements aim at beyond the least throughput: shown, not judged."""
    target_rpm = (manifest.get("profile") or {}).get("throughput_target_rpm")
    if target_rpm is None:
        return ""
    observed = cell(measured.get(("throughput_rpm", "all", "hold")))
    return f"Throughput: {observed} of a target of {figure(target_rpm, 'req/min')} (shown, not judged)."


def observed_text(slo: Row, row: Row | None) -> str:
    """The figure that was judged: ≥ for a lower bound; without a point value, ≤ the slowest or ≥ the proved one."""
    text = figure(slo["observed"], slo["unit"])
    if slo["observed"] is None and slo["outcome"] == "missed":
        return "failed"
    if slo["observed"] is None or row is None:
        return text
    if row.get("lower_bound"):
        return f"≥ {text}"
    if row["value"] is not None:
        return text
    return f"≥ {text}" if slo["outcome"] == "missed" else f"≤ {text}"


def outcome_text(slo: Row, row: Row | None, *, shares_host: bool) -> str:
    """How a limit was judged, with its mark. `row`: the figure in metrics.json."""
    if row is not None and row.get("not_exposed") is not None:
        return NOT_EXPOSED
    if slo["outcome"] == "not_judged" and shares_host and slo["metric"].startswith("host_"):
        return SHARED_HOST
    return _MARKS[slo["outcome"]] + (" (close)" if slo["close"] else "")


def scenarios_section(metrics: Sequence[Row], engine: str | None) -> str:
    """Latencies, errors and rate of each scenario in the phase of the key figures."""
    phase = key_phase(metrics)
    own = {(row["scope"], row["metric"]): row for row in metrics if row["phase"] == phase}
    scopes = sorted({scope for scope, _ in own if scope == "all" or scope.startswith("scenario:")})
    columns = ("latency_p50_ms", "latency_p95_ms", "latency_p99_ms", "ttft_p95_ms", "error_rate", "throughput_rpm")
    rows = []
    for scope in scopes:
        n = own[scope, "error_rate"]["n"] if (scope, "error_rate") in own else 0
        cells = {column: cell(own.get((scope, column))) for column in columns}
        cells["ttft_p95_ms"] += _answers_of(own.get((scope, "ttft_p95_ms")))
        rows.append((scope, f"{n:,}", *cells.values()))
    header = ("of", "n", "P50", "P95", "P99", "first token P95", "errors", "rate")
    note = K6_FIRST_ANSWER if rows and engine == "k6" else ""
    return section(f"Requests in the {phase}", table(header, rows), note)


def _answers_of(row: Row | None) -> str:
    """Only streamed answers have a first token, so their number is another than that of all requests."""
    return f" (n={row['n']:,})" if row is not None and row["n"] else ""


def resources_section(metrics: Sequence[Row]) -> str:
    """The target's own figures, and its host's, in the phase of the key figures."""
    phase = key_phase(metrics)
    rows = [
        (row["metric"], cell(row), interval(row), f"{row['n']}")
        for row in metrics
        if row["metric"] in {*SERVER_METRICS, *GROWTH_METRICS} and row["phase"] == phase
    ]
    return section(f"Target and its host in the {phase}", table(("figure", "value", "95 % interval", "n"), rows))


def baseline_section(baseline: Row | None) -> str:
    """The measured single-user baseline beside the document's sample values."""
    if baseline is None:
        return ""
    measured, example = baseline["measured"], baseline["example"]
    resources = (measured["resource_baseline"], example["resource_baseline"])
    rows = [
        _baseline_row("P95", (measured, example), "single_user_p95", "ms"),
        _baseline_row("throughput of a user", (measured, example), "optimal_throughput", "req/min"),
        _baseline_row("errors", (measured, example), "baseline_error_rate", "ratio"),
        _baseline_row("CPU of a user", resources, "cpu_baseline", "%"),
        _baseline_row("memory of a user", resources, "memory_baseline", "%"),
    ]
    header = ("figure", "measured", "the document's example")
    return section("Single-user baseline", table(header, rows))


def _baseline_row(title: str, documents: tuple[Row, Row], key: str, unit: str) -> tuple[str, ...]:
    return (title, *(figure(document[key], unit) for document in documents))


def _errors(errors: Row | None) -> str:
    rows = [
        (f"{error['count']:,}", error["outcome"], error["endpoint"], plain(str(error["fingerprint"])))
        for error in (errors or {}).get("errors", [])[:MAX_ERRORS_SHOWN]
    ]
    return section("Errors", table(("count", "outcome", "endpoint", "error"), rows))


def comparison_section(comparison: Row | None) -> str:
    """The figures beside those of the last comparable run; empty where the run was not compared."""
    if not comparison:
        return ""
    previous = comparison.get("previous_run_id")
    if not previous:
        text = plain(str(comparison.get("text", "There is no comparable run yet.")))
        return section("Compared with earlier runs", text)
    rows = [
        (row["metric"], _then_or_now(row, "previous"), _then_or_now(row, "current"), _change(row["change"]))
        for row in comparison["differences"]
        if row["scope"] == "all"
    ]
    title = f"Compared with {code(str(previous))} (shown, not judged)"
    return section(title, table(("figure", "then", "now", "change"), rows))


def _then_or_now(row: Row, which: str) -> str:
    value = row[which]
    return "none found" if value is None and row["metric"] in LOOKED_FOR else figure(value, row["unit"])


def _change(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * ratio:+.1f} %"
