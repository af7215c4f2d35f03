"""Counts of one reading are those of the rows, by window, scenario and part; the manifest only saves a second one."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.reporting import sample_counts
from include.loadtest.reporting.sample_counts import BUCKET_RATIO, SampleCounts, count_samples, frame_of
from include.loadtest.run import utc_text
from tests.loadtest.reporting.conftest import START_US, made_sample, write_part_of

pytestmark = pytest.mark.unit
OUTCOMES = ("ok", "ok", "ok", "timeout", "http_error", "dropped", "censored")


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A growing list, one entry a reading of the samples."""
    made: list[int] = []
    scanned = sample_counts._scanned

    def counting(*given: Any) -> Any:
        made.append(len(made))
        return scanned(*given)

    monkeypatch.setattr(sample_counts, "_scanned", counting)
    return made


def write_phases(bundle: Bundle, *ends_s: float) -> None:
    moments = [utc_text(datetime.fromtimestamp(START_US / 1e6, UTC) + timedelta(seconds=at_s)) for at_s in (0, *ends_s)]
    names = ("ramp_up", "hold", "ramp_down")
    phases = [
        {"name": name, "stage": name, "start": moments[place], "end": moments[place + 1]}
        for place, name in enumerate(names[: len(ends_s)])
    ]
    bundle.update_manifest(phases=phases)


def made_rows(count: int, seconds: float) -> list[Any]:
    chance = random.Random(3)
    return [
        made_sample(
            chance.uniform(0, seconds),
            round(chance.lognormvariate(12, 2)),
            outcome=chance.choice(OUTCOMES),
            scenario=chance.choice(("a", "b")),
            phase=chance.choice(("ramp_up", "hold")),
        )
        for _ in range(count)
    ]


def by_hand(rows: list[Any], counts: SampleCounts, scenarios: bool) -> Counter[tuple[Any, ...]]:
    frame = counts.frame
    if scenarios:
        return Counter((row.phase, row.scenario, row.outcome) for row in rows)
    starts = [(row, row.intended_start // 1000 - frame.start_us) for row in rows]
    return Counter((at // frame.width_us, (at + row.latency_us) // frame.width_us, row.outcome) for row, at in starts)


def test_counts_are_those_of_the_rows_in_one_reading(run_of: Bundle, scans: list[int]) -> None:
    """By windows of start and end, by phase and scenario; every bucket is at most 1 % wide and holds its extremes."""
    rows = [row for row in made_rows(20_000, 590) if row.intended_start // 1000 + row.latency_us < START_US + 6e8]
    write_part_of(run_of, rows[:9000])
    write_part_of(run_of, rows[9000:])
    write_phases(run_of, 100, 600)
    counts = count_samples(run_of)
    assert counts is not None
    assert (counts.rows, len(scans), counts.frame.start_us) == (len(rows), 1, START_US)
    for cells, scenarios in ((counts.by_window, False), (counts.by_scenario, True)):
        names = ("phase", "scenario", "outcome") if scenarios else ("window", "ended", "outcome")
        found: Counter[tuple[Any, ...]] = Counter()
        for *key, n in zip(*(getattr(cells, name) for name in names), cells.n, strict=True):
            found[tuple(key)] += int(n)
        assert found == by_hand(rows, counts, scenarios)
        assert (cells.largest <= cells.least * BUCKET_RATIO + 1).all()


def test_a_manifest_that_says_otherwise_costs_a_second_reading_and_nothing_else(
    run_of: Bundle, scans: list[int]
) -> None:
    """No phases, phases that are much too short, or that begin after the first request."""
    rows = made_rows(3000, 400)
    write_part_of(run_of, rows)
    expected = count_samples(run_of)
    assert expected is not None
    for ends_s in ((1, 2), (10, 40), (200, 390)):
        write_phases(run_of, *ends_s)
        scans.clear()
        counts = count_samples(run_of)
        assert counts is not None
        assert len(scans) == 2
        assert counts.rows == len(rows)
        found: Counter[tuple[Any, ...]] = Counter()
        cells = counts.by_window
        for window, ended, outcome, n in zip(cells.window, cells.ended, cells.outcome, cells.n, strict=True):
            found[window, ended, outcome] += int(n)
        assert found == by_hand(rows, counts, scenarios=False)


def test_of_a_part_its_ends_and_its_longest_sent_request_are_known(run_of: Bundle) -> None:
    """A dropped arrival was never sent, however long it waited."""
    sent = [made_sample(1.0, 500), made_sample(9.0, 700, outcome="http_error")]
    write_part_of(run_of, [*sent, made_sample(4.0, 90_000, outcome="dropped")])
    write_part_of(run_of, [made_sample(3.0, 10, outcome="dropped")])
    counts = count_samples(run_of)
    assert counts is not None
    found = sorted((part.first_us - START_US, part.last_us - START_US, part.longest_us) for part in counts.parts)
    assert found == [(1_000_000, 9_000_000, 700), (3_000_000, 3_000_000, -1)]
    assert {part.path.parent for part in counts.parts} == {run_of.samples_dir}


@pytest.mark.parametrize(
    ("length_s", "rows", "most", "width_s"),
    [(60, 10**6, 120, 1), (60, 60, 120, 5), (300, 10**6, 120, 5), (300, 10**6, 300, 1), (14_400, 10**7, 120, 120),
     (14_400, 10**7, 300, 60), (10**9, 10**7, 120, 8_333_334)],
)  # fmt: skip
def test_windows_are_as_narrow_as_their_rows_and_number_allow(
    length_s: int, rows: int, most: int, width_s: int
) -> None:
    """Never more than wanted, and few only where the rows are few; a clock that was set makes them very wide."""
    frame = frame_of(0, length_s * 1_000_000, rows, most)
    assert frame.width_us == width_s * 1_000_000
    assert frame.windows <= most
