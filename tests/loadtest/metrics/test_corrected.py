"""Corrected percentiles against HdrHistogram's rule in plain Python over the same rows."""

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from include.loadtest.metrics.blocks import BLOCK_ROWS, Block, Cell, Kept
from include.loadtest.metrics.corrected import Cycles, fills
from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.statistics import percentile_interval_ranks
from include.loadtest.profile.shape import Arrival
from include.loadtest.recorder import Sample

pytestmark = pytest.mark.unit


def mean_cycle_us(rows: Sequence[Sample]) -> Fraction:
    cycles = []
    for user in {row.user for row in rows}:
        starts = [row.intended_start for row in rows if row.user == user]
        if len(starts) > 1:
            cycles.append(Fraction(max(starts) - min(starts), (len(starts) - 1) * 1000))
    return Fraction(sum(cycles), len(cycles))


def filled_in(rows: Sequence[Sample]) -> list[int]:
    """All latencies, and for each what HdrHistogram fills in."""
    cycle_us = round(mean_cycle_us(rows))
    found = []
    for latency_us in (row.latency_us for row in rows if row.outcome in ("ok", "timeout", "censored", "dropped")):
        found.append(latency_us)
        missing_us = latency_us - cycle_us
        while missing_us >= cycle_us:
            found.append(missing_us)
            missing_us -= cycle_us
    return sorted(found)


def users_at_work(sample: Any, latencies_us: Sequence[int], users: int = 3, outcome: str = "ok") -> list[Sample]:
    """Users who start, wait and think for a second, in turns; every slowest request ends as `outcome`."""
    clocks_s = [6.0] * users
    rows = []
    for number, latency_us in enumerate(latencies_us):
        user = number % users
        own = outcome if latency_us == max(latencies_us) else "ok"
        rows.append(sample(clocks_s[user], latency_us, user=user + 1, outcome=own))
        clocks_s[user] += 1 + latency_us / 1e6
    return rows


def check(document: dict[str, Any], rows: Sequence[Sample], row_of: Any) -> None:
    values = filled_in(rows)
    for metric, share in (("latency_p95_corrected_ms", 0.95), ("latency_p99_corrected_ms", 0.99)):
        row = row_of(document, metric)
        assert row["n"] == len(values)
        assert row["max"] == max(values) / 1000
        enough = len(rows) >= (20 if share == 0.95 else 100)
        rank = ceil(round(share * 100) * len(values) / 100)
        assert row["value"] == (values[rank - 1] / 1000 if enough else None)
        low, high = percentile_interval_ranks(share, len(rows))
        for end, place in (("ci_low", low), ("ci_high", high)):
            assert row[end] == (
                None if place is None else values[ceil(place * len(values) / len(rows) - 1e-9) - 1] / 1000
            )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(latencies=st.lists(st.one_of(st.integers(0, 3_000_000), st.integers(0, 30_000_000)), min_size=6, max_size=130))
def test_corrected_percentiles_are_exact(
    *, latencies: list[int], maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Whatever the latencies: the rank's own value among measured and filled-in ones, and intervals of as many rows."""
    rows = users_at_work(sample, latencies)
    assume(abs(mean_cycle_us(rows) % 1 - Fraction(1, 2)) > Fraction(1, 1000))  # a tie may be rounded either way
    maker.samples(rows)
    check(compute_metrics(maker.bundle, profile, spans), rows, row_of)


def test_a_stall_that_a_percentile_hides_shows_in_the_corrected_one(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Three users wait once 10 s among 300 quick answers: the P95 does not move, the corrected one does."""
    latencies = [20_000] * 300
    latencies[150:153] = [10_000_000] * 3
    maker.samples(users_at_work(sample, latencies))
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "latency_p95_ms")["value"] == 20
    assert 4000 < row_of(document, "latency_p95_corrected_ms")["value"] < 6000
    assert row_of(document, "latency_p95_corrected_ms")["lower_bound"] is False


def test_what_a_timeout_kept_back_is_a_lower_bound_too(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """The starts that a timeout kept back would have waited at least so long."""
    latencies = [20_000] * 300
    latencies[150:153] = [10_000_000] * 3
    rows = users_at_work(sample, latencies, outcome="timeout")
    maker.samples(rows)
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "latency_p95_ms")["lower_bound"] is False
    assert row_of(document, "latency_p95_corrected_ms")["lower_bound"] is True


def test_without_a_second_start_there_is_no_cycle_and_no_figure(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Users who started once say nothing about how often they start."""
    maker.samples([sample(60 + user, 5_000_000, user=user) for user in range(1, 31)])
    row = row_of(compute_metrics(maker.bundle, profile, spans), "latency_p95_corrected_ms")
    assert (row["value"], row["n"]) == (None, 0)


def test_arrivals_on_a_schedule_need_no_correction(
    maker: Any, profile: Any, spans: Any, sample: Any, row_of: Any
) -> None:
    """Their intended starts do not wait for anybody: the corrected rows are there and null."""
    maker.samples(users_at_work(sample, [20_000] * 100 + [9_000_000] * 9))
    is_open = profile.model_copy(update={"arrival": Arrival(rate_rpm=60, max_users=10)})
    document = compute_metrics(maker.bundle, is_open, spans)
    assert row_of(document, "latency_p95_ms")["value"] == 9000
    assert row_of(document, "latency_p95_corrected_ms")["value"] is None


def test_what_is_filled_in_goes_by_in_blocks() -> None:
    """One latency may stand for millions of starts: memory does not grow with them, and none is left out."""
    latencies_us = np.array([2_500_000, 5, 1_000_003, 40])
    block = Kept(np.array([0, 0, 1, 1]), np.zeros(4, np.int64), latencies_us, np.full(4, -1))
    found = list(fills([block], np.array([2, 10])))
    assert max(len(waited_us) for _, _, waited_us in found) <= BLOCK_ROWS
    assert len(found) > 2
    cells, waited = (np.concatenate([one[place] for one in found]) for place in (1, 2))
    expected = [range(2_499_998, 1, -2), range(3, 1, -2), range(999_993, 9, -10), range(30, 9, -10)]
    assert waited.tolist() == [value for own in expected for value in own]
    assert np.bincount(cells).tolist() == [len(expected[0]) + 1, len(expected[2]) + 3]


def test_who_has_no_number_is_nobody() -> None:
    """The first user's cycle is its own; a row without a user belongs to none."""
    cells = [Cell("hold", "hold", "simple_query", "chat", "ok", is_quick=False)]
    none, starts_ns = np.zeros(4, np.int64), np.array([0, 1_000_000_000, 300_000_000, 9_000_000_000])
    cycles = Cycles(["hold"])
    cycles.add(Block(none, starts_ns // 1000, none, none, starts_ns, np.array([0, 0, -1, -1])), cells)
    assert cycles.means_us() == {"hold": 1_000_000}
