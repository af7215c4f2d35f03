"""What the generator says of itself."""

import time
from pathlib import Path
from typing import Any

import gevent
import psutil
import pyarrow.parquet as pq
import pytest

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import RESOURCE_SCHEMA
from include.locustfiles import measuring
from include.locustfiles.measuring import Measuring, Withheld
from include.locustfiles.plan import GeneratorPlan

pytestmark = pytest.mark.unit


def _measuring(bundle: Path) -> Measuring:
    profile = load_profile(find_profile("smoke"))
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
    assert {row["metric"]: row["unit"] for row in rows}.items() <= measuring.UNITS.items()
    assert {(row["source"], row["instance"]) for row in rows} == {("generator", "w0")}


def test_waiting_for_a_core_is_the_kernels_own_sum() -> None:
    """The gain of the main thread's wait, as a rate; nothing is made up between two readings of the file."""
    file = Path("/proc/self/schedstat")
    if not file.exists():  # no Linux: the figure is absent, and no 0
        assert "run_queue_wait_ms_per_s" not in Withheld().read()
        return
    outer_before, outer_begin = int(file.read_text().split()[1]), time.monotonic()
    withheld = Withheld()
    inner_before, inner_begin = int(file.read_text().split()[1]), time.monotonic()
    while time.monotonic() < inner_begin + 0.5:
        sum(range(1000))
    inner_ms, inner_s = (int(file.read_text().split()[1]) - inner_before) / 1e6, time.monotonic() - inner_begin
    rate = withheld.read()["run_queue_wait_ms_per_s"]
    outer_ms, outer_s = (int(file.read_text().split()[1]) - outer_before) / 1e6, time.monotonic() - outer_begin
    assert inner_ms / outer_s <= rate <= outer_ms / inner_s


def test_rates_are_gains_of_the_interval_and_unknown_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    """60 ms of 2 s are 30 ms a second; a counter that began anew or is not there gives none."""
    waited = iter([{"a": 100.0, "b": 5.0}, {"a": 160.0, "b": 1.0, "c": 3.0}])
    now = iter([10.0, 12.0])
    monkeypatch.setattr(measuring, "_waited_ms", lambda: next(waited))
    monkeypatch.setattr(measuring.time, "monotonic", lambda: next(now))
    assert Withheld().read() == {"a": 30.0}


@pytest.mark.parametrize(
    ("text", "held_back_ms", "expected"),
    [
        ("1 2500000 3", 7.0, {"run_queue_wait_ms_per_s": 2.5, "cpu_throttled_ms_per_s": 7.0}),
        ("odd", None, {}),
        (None, 0.0, {"cpu_throttled_ms_per_s": 0.0}),
    ],
)
def test_the_kernels_files_are_read_in_ms(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    text: str | None,
    held_back_ms: float | None,
    expected: dict[str, float],
) -> None:
    """Nanoseconds of waiting are milliseconds; what the kernel does not say is absent."""
    file = tmp_path / "schedstat"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(measuring, "SCHEDSTAT", file)
    monkeypatch.setattr(measuring, "throttled_ms", lambda: held_back_ms)
    assert measuring._waited_ms() == expected
