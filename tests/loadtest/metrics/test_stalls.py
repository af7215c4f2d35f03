"""Stalls against a plain sweep over the same requests."""

import itertools
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.phases import epoch_us
from include.loadtest.recorder import Sample

pytestmark = pytest.mark.unit
ANSWERS = ("ok", "http_error", "wrong_answer", "rejected", "connection_error")


def longest_us(rows: Sequence[Sample], start_us: int, end_us: int) -> int | None:
    """From one event to the next: a stall goes on while somebody waits and ends with an answer."""
    spans = [
        (row.intended_start // 1000, row.intended_start // 1000 + row.latency_us, row.outcome in ANSWERS)
        for row in rows
    ]
    moments = sorted({start_us, end_us, *(moment for span in spans for moment in span[:2])})
    answers = {end for _, end, is_answer in spans if is_answer}
    best, current = None, 0
    for before, after in itertools.pairwise(moments):
        if before < start_us or after > end_us:
            continue
        waits = any(begin <= before and after <= end for begin, end, _ in spans)
        current = (0 if before in answers else current) + after - before if waits else 0
        if waits:
            best = max(best or 0, current)
    return best


REQUESTS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 140_000_000), st.integers(60_000_000, 60_200_000)),
        st.one_of(st.integers(0, 200), st.integers(0, 50_000), st.integers(0, 40_000_000)),
        st.sampled_from([*ANSWERS, "timeout", "censored", "dropped"]),
    ),
    max_size=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(requests=REQUESTS)
def test_the_longest_stall_equals_a_sweep_over_all_requests(
    *, requests: list[tuple[int, int, str]], maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Whatever overlaps, ends unanswered or reaches over a phase's end: the same length in each phase."""
    rows = [sample(offset_us / 1e6, latency_us, outcome=outcome) for offset_us, latency_us, outcome in requests]
    maker.samples(rows)
    document = compute_metrics(maker.bundle, profile, spans)
    for span in spans:
        start_us, end_us = epoch_us(span.start), epoch_us(span.end)
        expected = longest_us(rows, start_us, end_us)
        row = row_of(document, "longest_stall_s", phase=span.name)
        assert row["value"] == (None if expected is None else expected / 1e6)
        ends = [row.intended_start // 1000 + row.latency_us for row in rows if row.outcome in ANSWERS]
        assert row["n"] == sum(start_us <= end < end_us for end in ends)


def test_a_stall_says_when_it_began_and_how_many_waited(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Four users wait from the last answer before the freeze to the first one after it."""
    quick = [sample(5 + user / 10 + step, 20_000, user=user) for step in range(40) for user in range(4)]
    frozen = [sample(45 + user / 10, 10_000_000 - user * 90_000, user=user) for user in range(4)]
    maker.samples([*quick, *frozen])
    row = row_of(compute_metrics(maker.bundle, profile, spans), "longest_stall_s")
    assert (row["value"], row["waiting"], row["n"]) == (10.0, 4, 164)
    assert datetime.fromisoformat(row["from"]) == datetime.fromisoformat("2026-03-01T09:00:45Z")


def test_time_in_which_everybody_thinks_is_no_stall(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Two users who think for 30 s between answers of 50 ms wait for 50 ms."""
    maker.samples([sample(6 + 30 * step + user, 50_000, user=user) for step in range(4) for user in range(2)])
    assert row_of(compute_metrics(maker.bundle, profile, spans), "longest_stall_s")["value"] == 0.05


def test_a_phase_that_nobody_asked_in_has_no_stall(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Null, not 0."""
    maker.samples([sample(60)])
    row = row_of(compute_metrics(maker.bundle, profile, spans), "longest_stall_s", phase="ramp_up")
    assert (row["value"], row["n"], row["from"], row["waiting"]) == (None, 0, None, None)
