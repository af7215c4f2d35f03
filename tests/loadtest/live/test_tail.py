"""A bundle that is being written is read part by part, each once, and in the end it gives what is in it."""

import random
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part

pytestmark = pytest.mark.unit
NOW = 1_700_000_000
S = 1_000_000_000


def sample(end_s: float, latency_ms: float, outcome: str = "ok", scenario: str = "simple_query") -> Sample:
    start = round(end_s * S) - round(latency_ms * 1e6)
    fields = (scenario, "chat", 0, "hold", "hold", outcome, None, 200, 10, None, "w0", 1)
    return Sample(start, start, round(latency_ms * 1000), None, *fields)


@pytest.fixture
def live(tmp_path: Path) -> LiveRun:
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.samples_dir.mkdir(parents=True)
    bundle.resources_dir.mkdir()
    return LiveRun(bundle, load_thresholds())


def test_each_part_is_read_once_when_it_is_there(live: LiveRun) -> None:
    """An unfinished part has another name; two workers' parts add up."""
    rows = [sample(NOW - 5, 100) for _ in range(10)]
    write_part(rows, SAMPLE_SCHEMA, live.bundle.samples_dir / "w0-000000.parquet")
    (live.bundle.samples_dir / ".w0-000001.parquet.tmp").write_bytes(b"half")
    live.poll(NOW)
    live.poll(NOW)
    assert live.requests.totals["simple_query", "ok"] == 10
    write_part(rows, SAMPLE_SCHEMA, live.bundle.samples_dir / "w1-000000.parquet")
    live.poll(NOW)
    assert live.requests.totals["simple_query", "ok"] == 20
    assert live.figures(NOW) == {"error_rate": 0.0, "latency_p95_ms": 100.0}


def test_counts_are_those_of_the_rows(live: LiveRun) -> None:
    """By scenario and outcome, and each latency within 1 % in the seconds' sum."""
    draws, outcomes = random.Random(3), ("ok", "http_error", "timeout", "censored")
    rows = [
        sample(NOW - draws.uniform(0, 30), draws.uniform(1, 9000), draws.choice(outcomes), draws.choice("ab"))
        for _ in range(3000)
    ]
    write_part(rows, SAMPLE_SCHEMA, live.bundle.samples_dir / "w0-000000.parquet")
    live.poll(NOW)
    for scenario in "ab":
        own = [row for row in rows if row.scenario == scenario]
        for outcome in outcomes:
            count = sum(row.outcome == outcome for row in own)
            assert live.requests.totals[scenario, outcome] == count
        seconds = sum(row.latency_us for row in own if row.outcome != "http_error") / 1e6
        assert live.requests.durations[scenario].sum_s == pytest.approx(seconds)
    latencies = sorted(row.latency_us / 1000 for row in rows if row.outcome != "http_error")
    exact = latencies[-(-95 * len(latencies) // 100) - 1]
    assert exact <= live.figures(NOW)["latency_p95_ms"] <= 1.01 * exact


def test_readings_become_figures_and_not_a_number_is_left_out(live: LiveRun) -> None:
    """NaN is no reading."""
    values = (91.0, float("nan"), 93.0)
    rows = [Reading((NOW - 3 + index) * S, "host", "h", "memory_pct", value, "%") for index, value in enumerate(values)]
    write_part(rows, RESOURCE_SCHEMA, live.bundle.resources_dir / "host-1-000000.parquet")
    live.poll(NOW)
    assert live.figures(NOW) == {"host_memory_pct": 92.0}


def test_a_part_that_cannot_be_read_is_passed_over(live: LiveRun, caplog: pytest.LogCaptureFixture) -> None:
    """Told once, counted, and the next part is read."""
    (live.bundle.samples_dir / "w0-000000.parquet").write_bytes(b"no parquet")
    write_part([sample(NOW - 1, 5)], SAMPLE_SCHEMA, live.bundle.samples_dir / "w0-000001.parquet")
    live.poll(NOW)
    live.poll(NOW)
    assert (live.unreadable, live.requests.totals["simple_query", "ok"]) == (1, 1)
    assert caplog.text.count("w0-000000.parquet cannot be read") == 1


def test_a_bundle_without_parts_has_no_figures(tmp_path: Path) -> None:
    """Before the first part, and before the folders."""
    live = LiveRun(Bundle(tmp_path / "none"), load_thresholds())
    live.poll(NOW)
    assert live.figures(NOW) == {}
