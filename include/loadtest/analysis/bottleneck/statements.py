"""Statements that take long by themselves, and those that get slower as their data grow."""

from collections.abc import Mapping
from dataclasses import dataclass

from include.loadtest.analysis.bottleneck import limits
from include.loadtest.analysis.bottleneck.case import Case
from include.loadtest.analysis.bottleneck.counters import grown
from include.loadtest.analysis.bottleneck.model import Candidate, Evidence, Span, counted
from include.loadtest.analysis.bottleneck.series import Series, sustained
from include.loadtest.verdict import shown

_MOST = 3
"""Statements that are named: the first of them may be slow for waiting only."""
_SLOW_STEP = "Look at the statement's plan (EXPLAIN): an index for its filter, fewer rows, or fewer calls."
_GROWING_STEP = (
    "Bound what the statement reads (an index, a page, a partition, an archive), so that it does not grow with the "
    "table."
)


@dataclass(frozen=True)
class Statement:
    """One statement in a span: calls a minute, mean time and how many run at a time; `before_ms`: its mean before.

    Rates are those of `read`, the time that its readings cover: a database that falls silent runs on.
    """

    queryid: str
    text: str | None
    calls_per_min: float
    mean_ms: float
    at_a_time: float
    before_ms: float | None
    series: Series
    read: Span
    first_ms: float | None = None
    last_ms: float | None = None

    @property
    def slowed(self) -> float:
        """How much slower than before; 1 where that is not known."""
        return 1.0 if self.before_ms is None else self.mean_ms / max(self.before_ms, 1e-3)


def statements(case: Case, span: Span) -> list[Statement]:
    """All statements with calls in a span, those that take most time first."""
    exec_ms, calls = (case.readings.family("postgres", f"statement_{name}") for name in ("exec_ms", "calls"))
    texts = _texts(case)
    found = []
    for queryid, series in exec_ms.items():
        if queryid not in calls:
            continue
        count, total = grown(calls[queryid], span), grown(series, span)
        if count.amount <= 0:
            continue
        before = _mean_ms(series, calls[queryid], case.before)
        thirds = _thirds(case.load)
        found.append(
            Statement(
                queryid,
                texts.get(queryid),
                60 * count.per_s,
                total.amount / count.amount,
                total.per_s / 1000,
                before,
                series,
                total.span,
                _mean_ms(series, calls[queryid], thirds[0]),
                _mean_ms(series, calls[queryid], thirds[1]),
            )
        )
    return sorted(found, key=lambda one: -one.at_a_time)


def _texts(case: Case) -> Mapping[str, str]:
    return {
        str(one["queryid"]): str(one["text"])
        for one in case.observations
        if one.get("kind") == "statement" and one.get("queryid") is not None and one.get("text")
    }


def _mean_ms(exec_ms: Series, calls: Series, span: Span | None) -> float | None:
    if span is None:
        return None
    count = grown(calls, span).amount
    return grown(exec_ms, span).amount / count if count > 0 else None


def _thirds(load: Span) -> tuple[Span, Span]:
    third_s = load.seconds / 3
    return Span(load.start_s, load.start_s + third_s), Span(load.end_s - third_s, load.end_s)


def slow(case: Case) -> list[Candidate]:
    """The slow statements, those that take most time first; one that got slow by growth is another matter."""
    growing = growing_data(case)
    if growing:
        return growing
    scan = _scan(case, case.window)
    found = [
        candidate
        for one in statements(case, case.window)
        if (candidate := _slow(case, one, scan if scan is not None and _reads(one, scan.table) else None)) is not None
    ]
    if found:
        return found[:_MOST]
    return _altogether(case) or _running(case) or _silent(case)


def _slow(case: Case, one: Statement, scan: "Scan | None") -> Candidate | None:
    """One that takes 0.1 s or more, and much of all time, or reads a whole table, or takes longer than before."""
    weight = case.share_of_waiting(one.at_a_time, one.read)
    is_relevant = weight >= limits.RELEVANT_SHARE
    is_plain = one.mean_ms >= limits.SLOW_STATEMENT_MS and one.calls_per_min >= limits.SLOW_STATEMENTS_PER_MIN
    has_slowed = one.before_ms is not None and one.slowed >= 2 * limits.SHIFT_FACTOR
    if one.mean_ms < limits.STATEMENT_MS or not (is_relevant or is_plain or has_slowed or scan is not None):
        return None
    text = f"a statement took {shown(one.mean_ms)} ms on average ({counted(one.calls_per_min)} calls a minute)"
    evidence = [_statement_evidence(case, one, text), *([] if scan is None else [scan.evidence])]
    return Candidate(
        "slow_queries",
        "strong" if is_plain or has_slowed or scan is not None else "moderate",
        f"{text}, {100 * weight:.0f} % of the time that requests took",
        _SLOW_STEP,
        tuple(evidence),
        weight,
        plain=is_plain or scan is not None or weight >= 2 * limits.RELEVANT_SHARE,
        since_s=case.window.start_s if case.shift is not None and one.slowed >= limits.SHIFT_FACTOR else None,
        statement=one.text,
    )


def _statement_evidence(case: Case, one: Statement, text: str) -> Evidence:
    compared = None if one.before_ms is None else one.before_ms
    comparison = "" if compared is None else "before latencies rose"
    series = one.series
    return Evidence(
        series.source, series.instance, series.metric, one.mean_ms, "ms", case.window, text, compared, comparison
    )


def _altogether(case: Case) -> list[Candidate]:
    """Where statements are not told apart: their mean over all calls."""
    if case.readings.family("postgres", "statement_exec_ms"):
        return []
    exec_ms, calls = (case.readings.get("postgres", f"statement_{name}") for name in ("exec_ms", "calls"))
    if exec_ms is None or calls is None:
        return []
    mean_ms, total = _mean_ms(exec_ms, calls, case.window), grown(exec_ms, case.window)
    weight = case.share_of_waiting(total.per_s / 1000, total.span)
    if mean_ms is None or mean_ms < limits.STATEMENT_MS / 10 or weight < 2 * limits.RELEVANT_SHARE:
        return []
    text = f"statements took {shown(mean_ms)} ms on average, {100 * weight:.0f} % of the time that requests took"
    evidence = (case.evidence(exec_ms, case.window, mean_ms, text, unit="ms"),)
    return [Candidate("slow_queries", "moderate", text, _SLOW_STEP, evidence, weight)]


def _running(case: Case) -> list[Candidate]:
    """Statements that have been running for more than a second, reading after reading."""
    series = case.readings.get("postgres", "slow_queries_running")
    run = sustained(series, case.load, 1.0)
    if series is None or run is None:
        return []
    weight = case.share_of_waiting(run.mean, run.span)
    text = f"{counted(run.mean)} statements had been running for more than a second at a time"
    evidence = (case.evidence(series, run, run.mean, text),)
    return [Candidate("slow_queries", "moderate", text, _SLOW_STEP, evidence, weight, since_s=run.since_s)]


def _silent(case: Case) -> list[Candidate]:
    """The server let the collector's own question wait until it gave up, while others answered theirs."""
    silence = case.unanswered("postgres", "redis")
    if silence is None:
        return []
    text = f"PostgreSQL gave the monitoring no answer for {silence.span.seconds:.0f} s either"
    evidence = (Evidence("postgres", "", "silence", silence.span.seconds, "s", silence.span, text),)
    step = "Look at the database server: is it stopped, out of memory, or waiting for its disk? Its log says more."
    return [Candidate("slow_queries", "moderate", text, step, evidence, None, since_s=case.since(silence))]


@dataclass(frozen=True)
class Scan:
    """Whole reads of a table: rows a scan, at the beginning and at the end of a span."""

    table: str
    rows_a_scan: float
    first: float | None
    last: float | None
    evidence: Evidence

    @property
    def grown(self) -> float:
        """By which share a scan reads more at the end than at the beginning."""
        return self.last / self.first - 1 if self.first and self.last else 0.0


def _scan(case: Case, span: Span) -> Scan | None:
    """The table of which most rows are read by scans of all of it."""
    scans = case.readings.family("postgres", "table_seq_scans")
    reads = case.readings.family("postgres", "table_seq_rows_read")
    found = []
    for table, series in reads.items():
        count = grown(scans[table], span).amount if table in scans else 0.0
        rows = grown(series, span).amount
        if count < 1 or rows / count < limits.LEAST_ROWS_READ:
            continue
        first, last = (_ratio(series, scans[table], part) for part in _thirds(case.load))
        text = f"table {table} was read whole {counted(count)} times, {counted(rows / count)} rows each time"
        evidence = Evidence(
            series.source, series.instance, series.metric, rows / count, "rows", span, text, first, "first third"
        )
        found.append((rows, Scan(table, rows / count, first, last, evidence)))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _ratio(reads: Series, scans: Series, span: Span) -> float | None:
    count = grown(scans, span).amount
    return grown(reads, span).amount / count if count > 0 else None


def growing_data(case: Case) -> list[Candidate]:
    """A statement that got slower within the load while what it reads, or the table that it reads whole, grew."""
    last = _thirds(case.load)[1]
    for one in statements(case, last):
        if one.first_ms is None or one.last_ms is None or one.last_ms < (1 + limits.GROWN_SHARE) * one.first_ms:
            continue
        weight = case.share_of_waiting(one.at_a_time, one.read)
        is_plain = one.last_ms >= limits.SHIFT_FACTOR * one.first_ms and one.last_ms >= limits.STATEMENT_MS
        if not is_plain and (one.last_ms < limits.STATEMENT_MS / 2 or weight < limits.RELEVANT_SHARE / 2):
            continue
        grown = _grown_table(case, one)
        if grown is None:
            continue
        text = f"a statement took {shown(one.first_ms)} ms at first, {shown(one.last_ms)} ms at the end of the load"
        series = one.series
        spent = Evidence(
            series.source, series.instance, series.metric, one.last_ms, "ms", last, text, one.first_ms, "first third"
        )
        return [
            Candidate(
                "growing_data",
                "strong",
                f"{text}, while {grown.text}",
                _GROWING_STEP,
                (spent, grown),
                weight,
                plain=is_plain,
                statement=one.text,
            )
        ]
    return []


def _grown_table(case: Case, one: Statement) -> Evidence | None:
    """What grew: the rows of a whole read of a table, or the rows that the statement gives."""
    scan = _scan(case, _thirds(case.load)[1])
    if scan is not None and scan.grown >= limits.GROWN_SHARE and _reads(one, scan.table) and scan.first and scan.last:
        text = f"a read of all of {scan.table} grew from {counted(scan.first)} to {counted(scan.last)} rows"
        found = scan.evidence
        return Evidence(
            found.source, found.instance, found.metric, scan.last, "rows", found.span, text, scan.first, "first third"
        )
    rows = case.readings.family("postgres", "statement_rows").get(one.queryid)
    calls = case.readings.family("postgres", "statement_calls").get(one.queryid)
    if rows is None or calls is None:
        return None
    thirds = _thirds(case.load)
    first, last = (_ratio(rows, calls, part) for part in thirds)
    if not first or not last or last < (1 + limits.GROWN_SHARE) * first or last < limits.LEAST_ROWS_READ / 10:
        return None
    text = f"it gave {shown(first)} rows, then {shown(last)}"
    return Evidence(rows.source, rows.instance, rows.metric, last, "rows", thirds[1], text, first, "first third")


def _reads(one: Statement, table: str) -> bool:
    """Whether the statement names the table; not known without its text."""
    return one.text is None or table.rpartition(".")[2].strip('"').casefold() in one.text.casefold()
