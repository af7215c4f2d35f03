"""The slowest requests are those of all parts, though few parts are read."""

import random

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.reporting import slowest
from include.loadtest.reporting.sample_counts import count_samples
from include.loadtest.reporting.slowest import MOST, slowest_requests
from include.loadtest.run import NO_USER, trace_id
from tests.loadtest.reporting.conftest import damage_column, made_sample, write_part_of

pytestmark = pytest.mark.unit


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


def test_they_are_the_slowest_of_all_and_few_parts_are_read(run_of: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 60 parts at most 20 have one; failed requests count, what was never sent does not."""
    chance = random.Random(4)
    rows = [
        made_sample(
            number / 10,
            round(chance.lognormvariate(11, 1.5)),
            outcome=chance.choice(("ok", "ok", "http_error", "timeout", "dropped")),
            user=number % 50 + 1,
            iteration=number // 50,
        )
        for number in range(3000)
    ]
    for first in range(0, 3000, 50):
        write_part_of(run_of, rows[first : first + 50])
    read: list[int] = []
    with_sound = slowest.with_sound
    monkeypatch.setattr(slowest, "with_sound", lambda paths, *more: read.append(len(paths)) or with_sound(paths, *more))
    counts = count_samples(run_of)
    assert counts is not None
    found, damaged = slowest_requests(counts, "smoke-1", has_traces=True)
    expected = sorted((row for row in rows if row.outcome != "dropped"), key=lambda row: -row.latency_us)[:MOST]
    assert [one["latency_ms"] for one in found] == [row.latency_us / 1000 for row in expected]
    assert [one["trace_id"] for one in found] == [trace_id("smoke-1", row.user, row.iteration) for row in expected]
    assert [one["is_bound"] for one in found] == [row.outcome == "timeout" for row in expected]
    assert (read, damaged) == ([MOST], frozenset())


def test_each_says_when_what_and_how_it_ended(run_of: Bundle) -> None:
    """Its start is the moment at which it was sent; an arrival that nobody served has no trace."""
    sent = made_sample(2.0, 900, scenario="a", endpoint="chat", phase="spike", user=7, iteration=3, status=503)
    late = sent._replace(outcome="http_error", start=sent.intended_start + 1_000_000_000)
    write_part_of(run_of, [late, made_sample(1.0, 500, outcome="censored", user=NO_USER, status=None)])
    counts = count_samples(run_of)
    assert counts is not None
    (first, second), _ = slowest_requests(counts, "smoke-1", has_traces=True)
    assert first == {
        "start": "2026-11-26T20:00:03.000000Z",
        "scenario": "a",
        "endpoint": "chat",
        "latency_ms": 0.9,
        "is_bound": False,
        "outcome": "http_error",
        "status": 503,
        "phase": "spike",
        "user": 7,
        "iteration": 3,
        "trace_id": trace_id("smoke-1", 7, 3),
    }
    assert (second["is_bound"], second["status"], second["trace_id"]) == (True, None, None)


def test_a_load_that_sent_other_trace_ids_has_none(run_of: Bundle) -> None:
    """An id that no tracing has sends people on a search."""
    write_part_of(run_of, [made_sample(1.0, 500)])
    counts = count_samples(run_of)
    assert counts is not None
    (found,), _ = slowest_requests(counts, "smoke-1", has_traces=False)
    assert found["trace_id"] is None


@pytest.mark.parametrize("column", ["endpoint", "start", "status", "user"])
def test_parts_damaged_in_a_column_that_was_not_counted_cost_only_themselves(run_of: Bundle, column: str) -> None:
    """They are named, and the slowest of all other parts are found, though more than MOST parts are damaged."""
    for part in range(MOST + 5):
        write_part_of(run_of, [made_sample(part, 9_000_000 + part, user=7, status=200)] * 50)
        damage_column(run_of.samples_dir / f"w0-{part:06d}.parquet", column)
    for part in range(30):
        write_part_of(run_of, [made_sample(60 + part, 1000 + part), made_sample(60 + part, 10)])
    counts = count_samples(run_of)
    assert counts is not None
    assert (counts.rows, counts.unreadable) == (50 * (MOST + 5) + 60, ())
    found, damaged = slowest_requests(counts, "smoke-1", has_traces=True)
    assert [one["latency_ms"] for one in found] == [(1029 - place) / 1000 for place in range(MOST)]
    assert damaged == {f"samples/w0-{part:06d}.parquet" for part in range(MOST + 5)}
