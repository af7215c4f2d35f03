"""What the generator says of itself."""

import time
from pathlib import Path
from typing import Any

import gevent
import psutil
import pyarrow.parquet as pq
import pytest

from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA
from include.locustfiles.measuring import Measuring
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import UNITS

pytestmark = pytest.mark.unit


def _measuring(bundle: Path, generators: int = 1) -> Measuring:
    profile = load_profile(find_profile("smoke"), Overrides(generators=generators))
    plan = GeneratorPlan("smoke-1", "http://127.0.0.1:9", "/api/v1", profile, bundle, bundle / "s", (), False, (), "w0")
    return Measuring(plan)


def _readings(bundle: Path) -> list[dict[str, Any]]:
    gevent.get_hub().threadpool.join()
    return [row for part in sorted((bundle / "resources").glob("*.parquet")) for row in pq.read_table(part).to_pylist()]


def test_a_reading_names_load_and_what_held_the_generator_back(tmp_path: Path) -> None:
    """Users, CPU, memory, files and loop lag, each with its unit; the lag is the largest since the last reading."""
    own, process = _measuring(tmp_path), psutil.Process()
    process.cpu_percent()
    probe = gevent.spawn(own.probe_lag)
    gevent.sleep(0.01)
    time.sleep(0.3)  # the loop is blocked: this is what is measured
    gevent.sleep(0.01)
    own.read_generator(7, process)
    own.read_generator(3, process)
    probe.kill()
    own.flush()
    rows = _readings(tmp_path)
    assert pq.read_schema(next((tmp_path / "resources").glob("*.parquet"))).equals(RESOURCE_SCHEMA)
    first, second = (
        {row["metric"]: row["value"] for row in rows if row["ts"] == ts} for ts in sorted({row["ts"] for row in rows})
    )
    assert (first["users"], second["users"], own.max_users) == (7, 3, 7)
    assert 150 < first["loop_lag_ms"] < 1000
    assert second["loop_lag_ms"] < 100
    assert first["open_files"] == pytest.approx(len(list(Path("/proc/self/fd").iterdir())), abs=5)
    assert first["memory_bytes"] > 1e7
    assert {row["metric"]: row["unit"] for row in rows}.items() <= UNITS.items()
    assert {(row["source"], row["instance"]) for row in rows} == {("generator", "w0")}


def test_a_master_says_nothing_that_only_a_sender_can_say(tmp_path: Path) -> None:
    """Its users are those of the others, and that it is late changes no latency; its clock counts."""
    own = _measuring(tmp_path, generators=2)
    own.read_generator(10, psutil.Process())
    own.flush()
    read = {row["metric"] for row in _readings(tmp_path)}
    assert read == {"cpu_pct", "memory_bytes", "open_files", "clock_step_ms"}
    assert own.max_users == 10
