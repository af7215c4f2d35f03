"""Slow statements, and statements that get slower as their data grow."""

import pytest

from include.loadtest.analysis.bottleneck import statements
from include.loadtest.analysis.bottleneck.case import Silence
from include.loadtest.analysis.bottleneck.model import Span
from include.loadtest.analysis.bottleneck.series import Readings
from tests.helpers.made_cases import LOAD, START_S, Value, after, counted, made_case, made_requests, moment

pytestmark = pytest.mark.unit
EXEC = ("postgres", 'statement_exec_ms{queryid="7"}')
TEXT = {"kind": "statement", "ts": moment(0), "queryid": "7", "text": "SELECT id FROM laws WHERE body ~ $1"}
SCANS: dict[tuple[str, str], Value] = {
    ("postgres", 'table_seq_scans{table="public.laws"}'): counted(1.0),
    ("postgres", 'table_seq_rows_read{table="public.laws"}'): counted(12_000.0),
}
SLOW = made_requests(lambda at_s, name, ms: ms + (700 if name == "legal_search" and at_s >= 30 else 0))


def test_a_statement_s_mean_is_a_difference_over_the_span() -> None:
    """Not what it took since the server's start."""
    (found,) = statements.statements(made_case({EXEC: counted(after(30, 500.0, 1.0))}), Span(START_S + 35, LOAD.end_s))
    assert found.mean_ms == pytest.approx(500, rel=0.05)
    assert found.at_a_time == pytest.approx(0.5, rel=0.1)


def test_a_database_that_falls_silent_is_not_diluted() -> None:
    """What it did while it was read counts for the time of its readings, not for all of the span."""
    case = made_case({EXEC: counted(500.0)})
    half = {
        kind: tuple(one.within(Span(0, START_S + 30)) for one in series) if kind[0] == "postgres" else series
        for kind, series in case.readings.by_kind.items()
    }
    object.__setattr__(case, "readings", Readings(half))
    (found,) = statements.statements(case, LOAD)
    assert (found.at_a_time, found.calls_per_min) == (pytest.approx(0.5), pytest.approx(60))


def test_a_statement_that_got_slow_is_named_with_its_text_and_its_scan() -> None:
    """Since latencies rose, against what it took before."""
    case = made_case({EXEC: counted(after(30, 700.0, 1.0)), **SCANS}, requests=SLOW, observations=[TEXT])
    (found,) = statements.slow(case)
    assert (found.cause, found.strength, found.plain) == ("slow_queries", "strong", True)
    assert found.statement == TEXT["text"]
    assert found.since_s == pytest.approx(START_S + 30, abs=3)
    assert "public.laws was read whole" in found.evidence[1].text


def test_a_slow_statement_from_the_beginning_needs_no_time_before() -> None:
    """It reads all of a table, or takes most of the requests' time."""
    assert statements.slow(made_case({EXEC: counted(250.0), **SCANS}, observations=[TEXT]))[0].plain
    requests = made_requests(lambda _, name, ms: ms + (700 if name == "legal_search" else 0))
    assert statements.slow(made_case({EXEC: counted(700.0)}, requests=requests))[0].since_s is None


def test_quick_and_rare_statements_are_no_bottleneck() -> None:
    """Nor is the scan of a table that the statement does not read."""
    assert statements.slow(made_case()) == []
    other = {**TEXT, "text": "SELECT 1 FROM somewhere_else"}
    assert statements.slow(made_case({EXEC: counted(120.0), **SCANS}, observations=[other])) == []


def test_without_single_statements_their_mean_serves() -> None:
    """Moderately sure; so do statements that keep running, and a server that does not even answer the monitoring."""
    single = [EXEC, ("postgres", 'statement_calls{queryid="7"}')]
    requests = made_requests(lambda _, __, ms: ms + 100)
    mean = made_case({("postgres", "statement_exec_ms"): counted(700.0)}, without=single, requests=requests)
    assert [one.strength for one in statements.slow(mean)] == ["moderate"]
    running = made_case({("postgres", "slow_queries_running"): 2.0})
    assert "2 statements had been running" in statements.slow(running)[0].facts
    silent = Silence("postgres", Span(START_S + 20, START_S + 40), "no answer within 4 s")
    assert "no answer for 20 s" in statements.slow(made_case(silences=[silent]))[0].facts
    for reason in ("connection refused", "password authentication failed", "server closed the connection"):
        assert statements.slow(made_case(silences=[Silence("postgres", silent.span, reason)])) == []


def test_growing_reads_are_growing_data() -> None:
    """The statement got slower while each scan of its table read more; the table's name is in its text."""
    figures: dict[tuple[str, str], Value] = {
        EXEC: counted(lambda at_s: max(1.0, 6 * at_s)),
        ("postgres", 'table_seq_scans{table="public.laws"}'): counted(1.0),
        ("postgres", 'table_seq_rows_read{table="public.laws"}'): counted(lambda at_s: max(100.0, 2500 * at_s)),
    }
    (found,) = statements.slow(made_case(figures, observations=[TEXT]))
    assert (found.cause, found.strength, found.plain) == ("growing_data", "strong", True)
    assert "a read of all of public.laws grew from" in found.facts
    assert statements.growing_data(made_case({**figures, **SCANS}, observations=[TEXT])) == []


def test_more_rows_a_call_are_growing_data_too() -> None:
    """A statement that gives ever more rows, by an index."""
    figures: dict[tuple[str, str], Value] = {
        EXEC: counted(lambda at_s: max(1.0, 6 * at_s)),
        ("postgres", 'statement_rows{queryid="7"}'): counted(lambda at_s: max(10.0, 100 * at_s)),
    }
    assert "rows, then" in statements.growing_data(made_case(figures))[0].facts
