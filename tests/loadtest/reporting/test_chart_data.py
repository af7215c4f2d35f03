"""What a page draws, as one document: bounded, of JSON only, null for what is not known."""

import json

import pytest

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.recorder import RESOURCE_SCHEMA, Reading, write_part
from include.loadtest.reporting.chart_data import MOST_SINGLES, MOST_WINDOWS, chart_data
from tests.loadtest.reporting.conftest import HOSTILE, START_US, damage_column, made_sample, manifest_of, write_samples

pytestmark = pytest.mark.unit
START_S = START_US / 1e6
KEYS = {
    *("schema", "start_s", "width_s", "rows", "unreadable_parts", "t", "latency", "rate", "failed", "n", "singles"),
    *("users", "spans", "stalls", "alerts", "resources", "scenarios", "slowest"),
}


@pytest.fixture
def run_of(tmp_path) -> Bundle:
    return Bundle(tmp_path / "smoke-1")


def test_a_run_without_samples_has_nothing_to_draw(run_of: Bundle) -> None:
    """No folder, and a folder with half a file."""
    assert chart_data(run_of) is None
    run_of.samples_dir.mkdir(parents=True)
    (run_of.samples_dir / "w0-000000.parquet").write_bytes(b"PAR1 half")
    assert chart_data(run_of) is None


def test_the_document_has_a_value_for_each_window(run_of: Bundle) -> None:
    """Also where only samples are there: no readings, no manifest, no metrics; it is JSON without NaN."""
    write_samples(run_of, [(number / 50, 10_000 + number, "ok") for number in range(6000)])
    write_samples(run_of, [(60.5, 8_000_000, "http_error")] * 30 + [(100, 9_000_000, "timeout")] * 5)
    (run_of.samples_dir / "w1-000000.parquet").write_bytes(b"PAR1 half")
    found = chart_data(run_of)
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert set(found) == KEYS
    columns = [found["failed"], found["n"], *found["latency"].values(), *found["rate"].values()]
    assert {len(column) for column in columns} == {len(found["t"])}
    assert (found["start_s"], found["width_s"], found["rows"], found["unreadable_parts"]) == (START_S, 1, 6035, 1)
    assert (found["latency"]["p95_ms"][0], found["latency"]["p99_ms"][0]) == (pytest.approx(10.047, rel=0.01), None)
    assert found["latency"]["p95_is_bound"].index(True) == found["latency"]["max_ms"].index(9000.0) == 100
    assert found["latency"]["max_is_bound"].index(True) == 100
    assert (found["failed"][68], found["rate"]["failed_rpm"][68]) == (30, 1800.0)
    assert (found["users"], found["resources"], found["stalls"], found["alerts"], found["spans"]) == (
        None,
        [],
        [],
        [],
        [],
    )
    assert [one["outcome"] for one in found["slowest"]] == [*["timeout"] * 5, *["http_error"] * 15]
    assert [one["n"] for one in found["scenarios"]] == [6005]


@pytest.mark.parametrize(("column", "rows"), [("endpoint", 100), ("latency_us", 50)])
def test_a_part_damaged_in_any_column_costs_no_page(run_of: Bundle, column: str, rows: int) -> None:
    """It is counted once as unreadable, beside one that is not there."""
    for first in range(3):
        write_samples(run_of, [(first + number / 50, 10_000 + first, "ok") for number in range(50)])
    damage_column(run_of.samples_dir / "w0-000002.parquet", column)
    (run_of.samples_dir / "w0-000000.parquet").unlink()
    found = chart_data(run_of)
    assert found is not None
    assert (found["rows"], found["unreadable_parts"]) == (rows, 2)
    assert {one["latency_ms"] for one in found["slowest"]} == {10.001}


def test_traces_are_named_only_where_the_load_says_how(run_of: Bundle) -> None:
    """An earlier release sent random ids, and its manifest does not say this."""
    write_samples(run_of, [(number / 50, 10_000, "ok") for number in range(60)])
    assert {one["trace_id"] for one in (chart_data(run_of) or {})["slowest"]} == {None}
    run_of.update_manifest(**{run.TRACE_IDS: run.TRACE_IDS_OF_ITERATIONS})
    expected = run.trace_id("smoke-1", made_sample(0, 0).user, made_sample(0, 0).iteration)
    assert {one["trace_id"] for one in (chart_data(run_of) or {})["slowest"]} == {expected}


def test_it_is_bounded_however_long_the_run(run_of: Bundle) -> None:
    """A day of few requests: windows, and requests shown one by one, the slowest of them."""
    rows = [(number * 16.0, 1000 + number, "ok") for number in range(5400)]
    write_samples(run_of, rows)
    found = chart_data(run_of)
    assert found is not None
    assert len(found["t"]) <= MOST_WINDOWS
    assert sum(found["n"]) == 5400
    assert len(found["singles"]) <= MOST_SINGLES
    assert found["slowest"][0]["latency_ms"] == 6.399


def test_stalls_over_the_profiles_limit_and_alerts_have_their_place(run_of: Bundle) -> None:
    """A shorter stall is no mark, nor is one without a place; an alert that was on at the end has no end."""
    write_samples(run_of, [(number / 50, 10_000, "ok") for number in range(600)])
    manifest = manifest_of("smoke")
    run_of.update_manifest(**manifest)
    limit_s = manifest["profile"]["stall_limit_s"]
    stall = {"metric": "longest_stall_s", "scope": "all", "unit": "s", "n": 1, "direction": "lower"}
    rows = [
        stall | {"phase": "hold", "value": limit_s + 1, "from": "2026-11-26T20:00:05.000000Z"},
        stall | {"phase": "ramp_up", "value": limit_s, "from": "2026-11-26T20:00:01.000000Z"},
        stall | {"phase": "spike", "value": None, "from": None},
    ]
    run_of.write(run.METRICS, {"schema": 1, "metrics": rows})
    alert = {"id": "cpu", "since": "2026-11-26T20:00:02Z", "until": None, "text": HOSTILE, "severity": "info"}
    ended = alert | {"until": "2026-11-26T20:00:04.500000Z"}
    run_of.write(run.ALERTS, {"schema": 1, "alerts": [alert, ended]})
    found = chart_data(run_of)
    assert found is not None
    assert found["stalls"] == [{"start_s": START_S + 5, "end_s": START_S + 6 + limit_s}]
    assert [(one["start_s"] - START_S, one["end_s"], one["text"]) for one in found["alerts"]] == [
        (2.0, None, HOSTILE),
        (2.0, START_S + 4.5, HOSTILE),
    ]


def test_readings_and_users_are_on_the_loads_own_time(run_of: Bundle) -> None:
    """They share the axis of the windows."""
    write_samples(run_of, [(number / 50, 10_000, "ok") for number in range(600)])
    run_of.resources_dir.mkdir()
    rows = [
        Reading((START_US + at_s * 1_000_000) * 1000, source, "vm", metric, 7.0, "x")
        for at_s in (-60, 5, 60)
        for source, metric in (("generator", "users"), ("host", "memory_pct"))
    ]
    write_part(rows, RESOURCE_SCHEMA, run_of.resources_dir / "host-1-000000.parquet")
    found = chart_data(run_of)
    assert found is not None
    assert found["users"] == {"t": [START_S + 5], "value": [7.0]}
    assert [(line["key"], line["t"]) for line in found["resources"]] == [("host_memory_pct", [START_S + 5])]
