"""Readings by kind and the ends of answers, from the Parquet parts of a bundle."""

import pytest

from include.loadtest.analysis.readings import all_answers, read_answers, read_readings
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part

pytestmark = pytest.mark.unit
SECOND_NS = 1_000_000_000


def reading(at_s: int, source: str, metric: str, value: float, instance: str = "one") -> Reading:
    return Reading(at_s * SECOND_NS, source, instance, metric, value, "")


def written(folder, rows: list[Reading]):
    write_part(rows, RESOURCE_SCHEMA, folder / "a-000000.parquet")
    return read_readings(folder, {("host", "cpu_pct"), ("app", "db_pool_used")}.__contains__)


def test_wanted_readings_come_in_order_of_time(tmp_path) -> None:
    """Others are left out; `between` ends before its end."""
    rows = [reading(10, "host", "cpu_pct", 2), reading(5, "host", "cpu_pct", 1), reading(5, "host", "load_1m", 9)]
    found = written(tmp_path, rows)
    assert found.series == {("host", "cpu_pct"): [(5_000_000, 1.0), (10_000_000, 2.0)]}
    assert found.between(("host", "cpu_pct"), 5_000_000, 10_000_000) == [(5_000_000, 1.0)]
    assert not found.has(("app", "db_pool_used"))


def test_several_instances_have_no_common_level(tmp_path) -> None:
    """Two hosts: none counts."""
    assert written(tmp_path, [reading(5, "host", "cpu_pct", 1), reading(5, "host", "cpu_pct", 2, "two")]).series == {}


def test_an_application_of_several_processes_gives_no_readings_of_its_own(tmp_path) -> None:
    """Each page is another process's."""
    rows = [reading(at, "app", "process_start_time_seconds", at // 10) for at in (5, 10, 15)]
    assert written(tmp_path, [*rows, reading(5, "app", "db_pool_used", 1)]).series == {}


def test_a_damaged_part_does_not_lose_the_others(tmp_path) -> None:
    """It is left out; metrics.json names it."""
    (tmp_path / "b-000000.parquet").write_bytes(b"no parquet")
    assert written(tmp_path, [reading(5, "host", "cpu_pct", 1)]).has(("host", "cpu_pct"))


def test_only_ok_answers_count_and_when_they_ended(tmp_path) -> None:
    """By endpoint; the end is the intended start and the latency."""
    rows = [
        Sample(at * SECOND_NS, 0, 500_000, None, "s", name, 0, "hold", "hold", outcome, None, 200, 1, None, "w", 1)
        for at, name, outcome in [(3, "a", "ok"), (1, "a", "ok"), (2, "b", "ok"), (2, "b", "timeout")]
    ]
    rows.append(rows[0]._replace(latency_us=None))  # its end is not known
    write_part(rows, SAMPLE_SCHEMA, tmp_path / "a-000000.parquet")
    found = read_answers(tmp_path)
    assert {name: own.ends_us for name, own in found.items()} == {"a": [1_500_000, 3_500_000], "b": [2_500_000]}
    assert all_answers(found).count(1_500_000, 3_500_000) == 2
