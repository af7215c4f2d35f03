"""What a picture shows of a run, as figures: windows, single requests, gaps, bounds."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.reporting import sample_counts, timeline
from include.loadtest.reporting.sample_counts import Span
from include.loadtest.reporting.timeline import MIN_ROWS, read_timeline
from include.loadtest.run import utc_text
from tests.loadtest.reporting.conftest import START_US, write_samples

pytestmark = pytest.mark.unit


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


def phase(name: str, start_s: float, end_s: float | None, stage: str = "") -> dict:
    start = datetime.fromtimestamp(START_US / 1e6, UTC)
    ends = [None if at is None else utc_text(start + timedelta(seconds=at)) for at in (start_s, end_s)]
    return {"name": name, "stage": stage or name, "start": ends[0], "end": ends[1]}


def test_percentiles_of_a_window_are_those_of_its_rows_within_a_bucket(run_of) -> None:
    """Never below the exact one, at most 1 % above, also from several parts; the slowest is exact."""
    chance = random.Random(8)
    rows = [(chance.uniform(0, 100), round(chance.lognormvariate(11, 1)), "ok") for _ in range(8000)]
    write_samples(run_of, rows[:3000])
    write_samples(run_of, rows[3000:])
    found = read_timeline(run_of)
    assert found is not None
    assert (found.width_s, len(found.singles)) == (1, 0)
    starts = min(round(at * 1e6) for at, _, _ in rows)
    for number, window in enumerate(found.windows[:100]):
        own = sorted(us for at, us, _ in rows if (round(at * 1e6) - starts) // 1_000_000 == number)
        assert window.rows == len(own)
        if len(own) < MIN_ROWS:
            assert window.p95_ms is None
            continue
        for value_ms, share in ((window.p50_ms, 50), (window.p95_ms, 95), (window.max_ms, 100)):
            exact_ms = own[-(-share * len(own) // 100) - 1] / 1000
            assert value_ms is not None
            assert exact_ms <= value_ms <= exact_ms * 1.01
        assert window.max_ms == own[-1] / 1000


def test_a_window_with_too_few_rows_has_no_percentile_but_each_row(run_of) -> None:
    """Nineteen rows are shown one by one, twenty are a percentile; also when two parts make them twenty."""
    write_samples(run_of, [(0.01 * number, 1000, "ok") for number in range(19)])
    write_samples(run_of, [(70.0, 5000, "ok"), (100.0, 1000, "timeout")])
    found = read_timeline(run_of)
    assert [one.latency_ms for one in found.singles] == [1.0] * 19 + [5.0, 1.0]
    assert [one.is_bound for one in found.singles][-2:] == [False, True]
    assert {window.p95_ms for window in found.windows} == {None}
    write_samples(run_of, [(0.5, 2000, "ok")])
    found = read_timeline(run_of)
    assert found.windows[0].p95_ms == 1.0
    assert [one.latency_ms for one in found.singles] == [5.0, 1.0]


def test_where_nothing_was_started_there_is_a_gap_and_no_answer(run_of) -> None:
    """A stall of 20 s: no percentile and no rate but zero."""
    rows = [(number * 0.05, 10_000, "ok") for number in range(2000) if not 40 <= number * 0.05 < 60]
    write_samples(run_of, rows)
    found = read_timeline(run_of)
    stalled = [window for window in found.windows if 41e6 <= window.start_us - found.start_us < 59e6]
    assert stalled
    assert {(window.rows, window.p95_ms, window.ok_rpm, window.failed) for window in stalled} == {(0, None, 0, 0)}


def test_a_lower_bound_at_or_below_a_percentile_marks_it(run_of) -> None:
    """A timeout above the P50 leaves that exact; failures are no latencies and count where they ended."""
    rows = [(number * 0.1, 10_000, "ok") for number in range(100)]
    rows += [(2.5, 30_000_000, "timeout")] * 8 + [(2.5, 1, "http_error")] * 50 + [(9.0, 100_000, "censored")]
    write_samples(run_of, rows)
    found = read_timeline(run_of)
    assert found.width_s == 2
    first = found.windows[1]
    assert (first.rows, first.p50_is_bound, first.p95_is_bound, first.p95_ms) == (28, False, True, 30_000.0)
    assert (first.failed, sum(window.failed for window in found.windows)) == (50, 58)
    assert sum(window.ok for window in found.windows) == 100


def test_p99_and_the_slowest_are_bounds_where_one_is_at_or_below_them(run_of) -> None:
    """One timeout of 200 requests leaves P95 and P99 exact; more leave P95 exact only; of the slowest one is enough."""
    write_samples(run_of, [(number * 0.005, 10_000, "ok") for number in range(199)] + [(0.5, 30_000_000, "timeout")])
    slow = [(8.5, 30_000_000, "timeout")] * 5
    write_samples(run_of, [(8 + number * 0.005, 10_000, "ok") for number in range(195)] + slow)
    write_samples(run_of, [(16 + number * 0.005, 10_000, "ok") for number in range(200)])
    found = [window for window in read_timeline(run_of).windows if window.rows]
    bounds = [(one.p95_is_bound, one.p99_is_bound, one.max_is_bound) for one in found]
    assert bounds == [(False, False, True), (False, True, True), (False, False, False)]
    assert [found[1].p99_ms, found[1].max_ms] == [30_000.0, 30_000.0]


def test_answers_a_minute_are_of_the_time_that_a_window_covers(run_of) -> None:
    """A last window of half a second says nothing of a minute."""
    write_samples(run_of, [(number * 0.025, 0, "ok") for number in range(421)])
    found = read_timeline(run_of)
    assert found.width_s == 1
    assert [round(window.ok_rpm or 0) for window in found.windows[:10]] == [2400] * 10
    write_samples(run_of, [(10.6, 0, "ok")])
    assert read_timeline(run_of).windows[-1].ok_rpm == pytest.approx(22 / 0.6 * 60)
    (run_of.samples_dir / "w0-000001.parquet").unlink()
    write_samples(run_of, [(11.1, 0, "ok")])
    assert read_timeline(run_of).windows[-1].ok_rpm is None


def test_phases_that_follow_each_other_are_joined_and_empty_ones_left_out(run_of) -> None:
    """A stage has no name of its own on the picture; a generator that died leaves a phase without an end."""
    write_samples(run_of, [(1.0, 1000, "ok")])
    phases = [phase("ramp_up", 0, 5, "step_1"), phase("ramp_up", 5, 9, "step_2"), phase("ramp_down", 9, 9)]
    run_of.update_manifest(phases=[*phases, phase("hold", 9, 20), phase("recovery", 20, None)])
    found = read_timeline(run_of)
    assert found.spans == (
        Span("ramp_up", START_US, START_US + 9_000_000),
        Span("hold", START_US + 9_000_000, START_US + 20_000_000),
    )
    assert (found.start_us, found.end_us) == (START_US, START_US + 20_000_000)


def test_windows_are_bounded_however_long_the_run(run_of) -> None:
    """A run of a day has no more windows than one of two minutes."""
    write_samples(run_of, [(number * 8.64, 1000, "ok") for number in range(10_000)])
    found = read_timeline(run_of)
    assert 8 <= len(found.windows) <= 120
    assert sum(window.rows for window in found.windows) == 10_000


def test_a_sample_of_a_clock_that_was_set_costs_no_memory(run_of) -> None:
    """One row of half a century ago makes windows of months, not half a million of hours."""
    write_samples(run_of, [(-56 * 365.25 * 86_400, 1000, "ok"), (0.0, 1000, "ok")])
    found = read_timeline(run_of)
    assert len(found.windows) <= 120


def test_single_requests_are_read_from_columns_that_were_counted() -> None:
    """So a part that was sound then is sound now."""
    assert set(timeline._COLUMNS.split(", ")) <= set(sample_counts._COLUMNS.split(", "))


def test_without_a_readable_sample_there_is_nothing_to_show(run_of) -> None:
    """No samples, no rows, half a file; beside a sound part it is named."""
    assert read_timeline(run_of) is None
    run_of.samples_dir.mkdir(parents=True)
    (run_of.samples_dir / "w1-000000.parquet").write_bytes(b"PAR1 half")
    assert read_timeline(run_of) is None
    write_samples(run_of, [(1.0, 1000, "ok")])
    assert read_timeline(run_of).unreadable_parts == 1
