"""The single-user baseline: the document's keys, measured values, null where nothing is known."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA, ns, write_part
from include.loadtest.reporting.baseline import example, write_performance_baseline
from include.loadtest.run import utc_text
from tests.loadtest.reporting.conftest import ROW

pytestmark = pytest.mark.unit
START = datetime(2026, 11, 24, 20, 15, tzinfo=UTC)
BASELINE = load_profile(find_profile("baseline"))
HOST = {"cpu_count": 4, "memory_bytes": 8 * 2**30}


@pytest.fixture
def bundle(tmp_path) -> Bundle:
    """A valid run of one user, on the generator's machine of 4 cores and 8 GiB, without readings."""
    bundle = Bundle(tmp_path / "baseline-1")
    hold = {"name": "hold", "stage": "hold", "start": utc_text(START), "end": utc_text(START + timedelta(seconds=60))}
    bundle.update_manifest(
        phases=[hold], target={"name": "demo", "shares_host": True}, environment={"generator_host": HOST}
    )
    bundle.write("verdict.json", {"verdict": "PASS"})
    figures = [("latency_p95_ms", 812.5), ("throughput_rpm", 43.0), ("error_rate", 0.0)]
    metrics = [ROW | {"metric": name, "value": value, "unit": ""} for name, value in figures]
    bundle.write("metrics.json", {"schema": 1, "metrics": metrics})
    return bundle


def write_readings(bundle: Bundle, *rows: tuple[float, str, float], source: str = "app") -> None:
    """Readings as (seconds from the hold's start, metric, value)."""
    bundle.resources_dir.mkdir(exist_ok=True)
    part = bundle.resources_dir / f"{source}-{len(list(bundle.resources_dir.iterdir()))}.parquet"
    readings = [
        (ns(START + timedelta(seconds=at_s)), source, "127.0.0.1:8000", metric, value, "")
        for at_s, metric, value in rows
    ]
    write_part(readings, RESOURCE_SCHEMA, part)


def written(bundle: Bundle) -> dict:
    return json.loads(write_performance_baseline(bundle, BASELINE).read_text())


def test_the_keys_are_the_documents_and_the_values_are_measured(bundle) -> None:
    """CPU time of all cores, memory of the machine's; readings outside the hold do not count."""
    write_readings(
        bundle,
        (-5, "process_cpu_seconds_total", 1.0), (0, "process_cpu_seconds_total", 10.0),
        (30, "process_cpu_seconds_total", 16.0), (50, "process_cpu_seconds_total", 30.0),
        (60, "process_cpu_seconds_total", 500.0), (10, "process_resident_memory_bytes", 1.0 * 2**30),
        (20, "process_resident_memory_bytes", 3.0 * 2**30), (10, "cpu_usage_percent", 99.0),
    )  # fmt: skip
    write_readings(bundle, (10, "cpu_pct", 77.0), source="host")
    assert written(bundle) == {
        "single_user_p95": 812.5,
        "optimal_throughput": 43.0,
        "baseline_error_rate": 0.0,
        "resource_baseline": {"cpu_baseline": 10.0, "memory_baseline": 25.0},
    }


def test_without_readings_the_resources_are_null(bundle) -> None:
    """Never the host's figures, never zero."""
    assert written(bundle)["resource_baseline"] == {"cpu_baseline": None, "memory_baseline": None}


def test_a_counter_that_falls_gives_no_figure(bundle) -> None:
    """The process restarted, or several answer in turn."""
    write_readings(bundle, (0, "process_cpu_seconds_total", 10.0), (30, "process_cpu_seconds_total", 2.0))
    assert written(bundle)["resource_baseline"]["cpu_baseline"] is None


def test_several_processes_behind_one_page_give_no_figure(bundle) -> None:
    """Each reading tells of one of them."""
    write_readings(
        bundle,
        (0, "process_start_time_seconds", 5.0), (10, "process_start_time_seconds", 6.0),
        (0, "process_cpu_seconds_total", 1.0), (10, "process_cpu_seconds_total", 2.0),
        (0, "process_resident_memory_bytes", 1.0),
    )  # fmt: skip
    assert written(bundle)["resource_baseline"] == {"cpu_baseline": None, "memory_baseline": None}


def test_on_another_host_the_application_speaks_for_itself(bundle) -> None:
    """This machine's cores and memory are not the target's."""
    bundle.update_manifest(target={"name": "pratikoai", "shares_host": False})
    write_readings(
        bundle,
        (0, "cpu_usage_percent", 10.0),
        (10, "cpu_usage_percent", 20.0),
        (10, "process_resident_memory_bytes", 9.0),
    )
    assert written(bundle)["resource_baseline"] == {"cpu_baseline": 15.0, "memory_baseline": None}


def test_a_lower_bound_is_no_baseline(bundle) -> None:
    """A P95 that is only known to be at least this is not known."""
    row = ROW | {"metric": "latency_p95_ms", "value": 6000.0, "unit": "ms", "lower_bound": True}
    bundle.write("metrics.json", {"schema": 1, "metrics": [row]})
    document = written(bundle)
    assert (document["single_user_p95"], document["optimal_throughput"]) == (None, None)


def test_a_damaged_part_does_not_lose_the_others(bundle) -> None:
    """A killed collector may leave one."""
    write_readings(bundle, (10, "process_resident_memory_bytes", 2.0 * 2**30))
    (bundle.resources_dir / "app-9.parquet").write_bytes(b"PAR1")
    assert written(bundle)["resource_baseline"]["memory_baseline"] == 25.0


@pytest.mark.parametrize("verdict", ["ABORTED", "INCONCLUSIVE"])
def test_an_invalid_run_is_no_baseline(bundle, verdict) -> None:
    """No file is written."""
    bundle.write("verdict.json", {"verdict": verdict})
    assert write_performance_baseline(bundle, BASELINE) is None
    assert not bundle.has("performance_baseline.json")


def test_only_one_user_of_the_profile_is_a_baseline(bundle) -> None:
    """Not another profile, not overridden users, not a run without metrics."""
    assert write_performance_baseline(bundle, load_profile(find_profile("smoke"), Overrides(users=1))) is None
    assert write_performance_baseline(bundle, load_profile(find_profile("baseline"), Overrides(users=2))) is None
    (bundle.path / "metrics.json").unlink()
    assert write_performance_baseline(bundle, BASELINE) is None


def test_the_example_has_the_same_keys_and_the_documents_values(bundle) -> None:
    """1200 ms, 50 a minute, no errors, 15 % CPU and 25 % memory a user."""
    values = example()
    assert values == {
        "single_user_p95": 1200, "optimal_throughput": 50, "baseline_error_rate": 0.0,
        "resource_baseline": {"cpu_baseline": 15, "memory_baseline": 25},
    }  # fmt: skip
    assert values.keys() == written(bundle).keys()
