import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.collectors.snapshots import snapshots
from include.loadtest.recorder import RESOURCE_SCHEMA, PartWriter, Reading, ns

pytestmark = pytest.mark.unit


def test_readings_of_one_moment_become_one_entry(tmp_path: Path) -> None:
    """By time, over all parts and sources."""
    bundle = Bundle(tmp_path / "smoke-1")
    first, second = (ns(datetime(2024, 12, 5, 2, 0, second, 123456, tzinfo=UTC)) + 789 for second in (0, 5))
    for source, moment in (("redis", second), ("host", first)):
        writer = PartWriter(bundle.resources_dir, f"{source}-1", RESOURCE_SCHEMA)
        writer.add(Reading(moment, source, "here", "cpu_pct", 1.5, "%"))
        writer.add(Reading(moment, source, "here", "memory_pct", 2.5, "%"))
        writer.flush()
    path = snapshots(bundle)
    assert path == bundle.path / "performance_snapshots.json"
    assert json.loads(path.read_text()) == [
        {"ts": f"2024-12-05T02:00:0{second}.123456Z", "source": source, "instance": "here",
         "values": {"cpu_pct": 1.5, "memory_pct": 2.5}}
        for second, source in ((0, "host"), (5, "redis"))
    ]  # fmt: skip


def test_figures_of_single_statements_and_tables_stay_in_the_parts(tmp_path: Path) -> None:
    """Hundreds a reading would hide the others; those of a few kinds are there."""
    bundle = Bundle(tmp_path / "smoke-1")
    writer = PartWriter(bundle.resources_dir, "postgres-1", RESOURCE_SCHEMA)
    names = ('statement_calls{queryid="1"}', 'table_rows{table="a.b"}', 'waiting_backends{type="Lock"}', "lock_waits")
    for metric in names:
        writer.add(Reading(ns(datetime(2024, 12, 5, tzinfo=UTC)), "postgres", "here", metric, 1.0, "x"))
    writer.flush()
    (entry,) = json.loads(snapshots(bundle).read_text())
    assert sorted(entry["values"]) == ["lock_waits", 'waiting_backends{type="Lock"}']


def test_without_readings_the_timeline_is_empty(tmp_path: Path) -> None:
    """Not an error: the monitors may all have died."""
    assert json.loads(snapshots(Bundle(tmp_path / "smoke-1")).read_text()) == []
