"""Lines of readings: counters as what they gained, thinned without losing a peak, nothing where nothing is known."""

from typing import Any

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.collectors.reader import UNITS
from include.loadtest.recorder import RESOURCE_SCHEMA, Reading, write_part
from include.loadtest.reporting.resource_series import LINES, MOST_POINTS, resource_series

pytestmark = pytest.mark.unit
START_S = 1_795_723_200


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


def write(bundle: Bundle, source: str, metric: str, values: list[float], instance: str = "vm") -> None:
    bundle.resources_dir.mkdir(parents=True, exist_ok=True)
    rows = [
        Reading((START_S + 5 * place) * 1_000_000_000, source, instance, metric, value, "x")
        for place, value in enumerate(values)
    ]
    number = len(list(bundle.resources_dir.iterdir()))
    write_part(rows, RESOURCE_SCHEMA, bundle.resources_dir / f"{source}-1-{number:06d}.parquet")


def lines_of(bundle: Bundle, seconds: float = 1e6) -> tuple[dict[str, dict[str, Any]], dict[str, Any] | None]:
    lines, users = resource_series(bundle, START_S, START_S + seconds)
    return {f"{line['key']}/{line['instance']}": line for line in lines}, users


def test_a_level_is_drawn_as_it_was_read_and_what_was_not_read_is_absent(run_of: Bundle) -> None:
    """The first kind that was read speaks; a value that is no number is none; another metric is no line."""
    write(run_of, "host", "cpu_pct", [10.0, float("nan"), 30.123456])
    write(run_of, "prometheus", "cpu_pct", [99.0])
    write(run_of, "host", "swap_used_bytes", [1.0])
    lines, users = lines_of(run_of)
    assert lines == {
        "host_cpu_pct/vm": {
            "key": "host_cpu_pct", "group": "cpu", "title": "CPU of the target's host", "unit": "%", "source": "host",
            "instance": "vm", "t": [START_S, START_S + 10], "value": [10.0, 30.123], "low": None, "high": None,
        }
    }  # fmt: skip
    assert users is None


def test_a_long_line_keeps_its_peaks(run_of: Bundle) -> None:
    """One reading of 10,000 that is high is the highest of its point, and one that is low the lowest."""
    values = [50.0] * 10_000
    values[4321], values[7777] = 99.0, 1.0
    write(run_of, "host", "cpu_pct", values)
    line = lines_of(run_of)[0]["host_cpu_pct/vm"]
    assert len(line["t"]) == len(line["value"]) == len(line["low"]) == len(line["high"]) == MOST_POINTS
    assert (max(line["high"]), min(line["low"])) == (99.0, 1.0)
    assert sorted(line["t"]) == line["t"]
    peak = line["high"].index(99.0)
    assert abs(line["t"][peak] - (START_S + 5 * 4321)) <= 5 * 10_000 / MOST_POINTS
    assert 50 < line["value"][peak] < 52


def test_counters_are_shown_as_what_they_gained(run_of: Bundle) -> None:
    """A rate, a share and a mean; a counter that fell has no value for that interval, nor has one without lookups."""
    write(run_of, "postgres", "xact_commit", [100, 150, 20, 70])
    write(run_of, "postgres", "slow_queries", [0, 1, 1, 2])
    write(run_of, "redis", "keyspace_hits", [0, 30, 30, 30])
    write(run_of, "redis", "keyspace_misses", [5, 15, 15, 25])
    write(run_of, "app", "llm_wait_seconds_sum", [1.0, 3.0, 3.0])
    write(run_of, "app", "llm_wait_seconds_count", [1, 5, 5])
    lines, _ = lines_of(run_of)
    assert lines["transactions_per_s/vm"]["value"] == [10.0, 10.0]
    assert lines["transactions_per_s/vm"]["t"] == [START_S + 5, START_S + 15]
    assert lines["slow_queries_per_min/vm"]["value"] == [12.0, 0.0, 12.0]
    assert lines["cache_hit_rate/vm"]["value"] == [0.75, 0.0]
    assert lines["llm_wait_mean_ms/vm"]["value"] == [500.0]


def test_of_counters_that_are_read_alone_nothing_is_made_that_needs_both(run_of: Bundle) -> None:
    """Hits without misses are no rate of hits."""
    write(run_of, "redis", "keyspace_hits", [0, 30, 60])
    assert lines_of(run_of)[0] == {}


def test_a_restart_costs_one_interval_and_processes_in_turn_the_line(run_of: Bundle) -> None:
    """Each process counts for itself: from one to the other nothing was gained that anybody knows."""
    write(run_of, "app", "llm_calls", [0, 10, 50, 60], "one")
    write(run_of, "app", "process_start_time_seconds", [1, 1, 2, 2], "one")
    write(run_of, "app", "llm_calls", [0, 100, 5, 110, 120], "two")
    write(run_of, "app", "process_start_time_seconds", [1, 2, 1, 2, 2], "two")
    lines, _ = lines_of(run_of)
    assert list(lines) == ["llm_calls_per_min/one"]
    assert lines["llm_calls_per_min/one"]["value"] == [120.0, 120.0]


def test_users_are_those_of_all_generators(run_of: Bundle) -> None:
    """Each counts from its first reading on; a point for many readings is the most users of them."""
    write(run_of, "generator", "users", [1, 5, 5], "w0")
    write(run_of, "generator", "users", [2], "w1")
    assert lines_of(run_of)[1] == {"t": [START_S, START_S + 5, START_S + 10], "value": [3.0, 7.0, 7.0]}
    write(run_of, "generator", "users", [10.0] * 1500 + [40.0] + [10.0] * 1500, "w2")
    users = lines_of(run_of)[1]
    assert users is not None
    assert len(users["t"]) == MOST_POINTS
    assert max(users["value"]) == 40.0


def test_the_users_of_a_generator_that_ended_end_with_it(run_of: Bundle) -> None:
    """Three intervals after its last reading; one that was silent for longer, and came back, had them all the time."""
    write(run_of, "generator", "users", [10.0] * 10, "w0")
    write(run_of, "generator", "users", [5.0] * 3, "w1")
    users = lines_of(run_of)[1]
    assert users is not None
    assert users["value"] == [15.0] * 6 + [10.0] * 4
    write_reading = [Reading((START_S + 45) * 1_000_000_000, "generator", "w1", "users", 5.0, "x")]
    write_part(write_reading, RESOURCE_SCHEMA, run_of.resources_dir / "late-1-000000.parquet")
    users = lines_of(run_of)[1]
    assert users is not None
    assert users["value"] == [15.0] * 10


def test_readings_far_from_the_load_are_not_drawn(run_of: Bundle) -> None:
    """Collectors may begin before it and end after it."""
    write(run_of, "host", "cpu_pct", [1.0] * 100)
    line = lines_of(run_of, seconds=20.0)[0]["host_cpu_pct/vm"]
    assert line["t"][-1] == START_S + 25


def test_lines_are_of_readings_that_collectors_write() -> None:
    """A reading that was renamed must not leave its line empty for ever; keys are unique."""
    written = {*UNITS, "loop_lag_ms"}  # the generator's own
    names = {metric for line in LINES for _, metric in line.kinds} | {line.beside for line in LINES if line.beside}
    assert {name for name in names if name not in written and not name.endswith("_bytes")} == set()
    assert len({line.key for line in LINES}) == len(LINES)
