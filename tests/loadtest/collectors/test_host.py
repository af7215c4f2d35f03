import threading
import time
from pathlib import Path

import psutil
import pytest

from include.loadtest.collectors import host
from include.loadtest.collectors.host import HostReader, cores_pct, kernel_counters, rates, shares_pct
from include.loadtest.collectors.plan import HostSource
from include.loadtest.collectors.reader import unit_of

pytestmark = pytest.mark.unit


def test_a_reading_of_this_machine() -> None:
    """Shares of a hundred, bytes, load and processes; each metric has a unit."""
    reader = HostReader(HostSource(source="host", instance="here"))
    sum(number * number for number in range(2_000_000))
    values = reader.read()
    assert 0 <= values["cpu_pct"] <= 100
    assert values["memory_pct"] == pytest.approx(psutil.virtual_memory().percent, abs=5)
    assert 0 < values["memory_used_bytes"] <= psutil.virtual_memory().total
    assert values["process_count"] > 1
    assert {"load_1m", "load_5m", "load_15m"} <= set(values)
    assert all(unit_of(metric) for metric in values)


def test_disks_are_the_kernels_counters_and_the_results_disk(tmp_path: Path) -> None:
    """Bytes since the kernel's start, and the space of the disk that was named; without one no space is told."""
    before = psutil.disk_io_counters()
    reader = HostReader(HostSource(source="host", instance="here"), tmp_path)
    values = reader.read()
    assert values["results_disk_free_bytes"] == pytest.approx(psutil.disk_usage(str(tmp_path)).free, rel=0.05)
    assert 0 <= values["results_disk_used_pct"] <= 100
    if before is not None:
        assert values["disk_written_bytes"] >= before.write_bytes
        assert values["disk_read_bytes"] >= before.read_bytes
    assert "results_disk_free_bytes" not in HostReader(HostSource(source="host", instance="here")).read()


def test_what_the_machine_does_not_say_is_absent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No quota and no disk counters on another system: no zeros either."""
    monkeypatch.setattr(psutil, "disk_io_counters", lambda **_: None)
    monkeypatch.setattr("include.loadtest.machine.throttled_ms", lambda: None)
    monkeypatch.setattr(host, "PROC", tmp_path)
    values = HostReader(HostSource(source="host", instance="here")).read()
    assert not {"cpu_throttled_ms_per_s", "disk_read_bytes", "disk_busy_pct", "disk_read_bytes_per_s"} & set(values)
    assert not {"oom_kills", "tcp_retransmits", "cpu_pressure_pct"} & set(values)


def test_cpu_shares_are_of_the_time_between_two_readings() -> None:
    """2 s busy, 1 s stolen and 5 s idle or waiting of 8 s; no steal on another system, and no share of no time."""
    before = {"user": 10.0, "system": 1.0, "idle": 50.0, "iowait": 3.0, "steal": 2.0, "guest": 9.0}
    after = {"user": 11.0, "system": 2.0, "idle": 54.0, "iowait": 4.0, "steal": 3.0, "guest": 99.0}
    assert shares_pct(before, after) == {"cpu_pct": 37.5, "cpu_steal_pct": 12.5, "cpu_iowait_pct": 12.5}
    assert shares_pct({"user": 1.0, "idle": 1.0}, {"user": 2.0, "idle": 4.0}) == {"cpu_pct": 25.0}
    assert shares_pct(before, before) == {}


def test_the_first_reading_of_another_thread_is_of_the_whole_interval() -> None:
    """The thread that reads is not the one that made the reader; its first reading is no zero."""
    reader = HostReader(HostSource(source="host", instance="here"))
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        sum(range(1000))
    readings: list[dict[str, float]] = []
    thread = threading.Thread(target=lambda: readings.append(reader.read()))
    thread.start()
    thread.join()
    assert readings[0]["cpu_pct"] > 100 / (psutil.cpu_count() or 1) / 3


def test_each_core_has_its_share() -> None:
    """By its number; where a core has come or gone, nobody knows which is which."""
    idle, busy = {"user": 0.0, "idle": 0.0}, {"user": 1.0, "idle": 3.0}
    assert cores_pct([idle, idle], [busy, {"user": 2.0, "idle": 0.0}]) == {
        'cpu_core_pct{core="0"}': 25.0,
        'cpu_core_pct{core="1"}': 100.0,
    }
    assert cores_pct([idle], [busy, busy]) == {}


def test_rates_are_of_the_time_between_two_readings() -> None:
    """The busiest disk counts; a counter that fell, or was not there before, has no rate."""
    before = {"disk_read_bytes_per_s": 100.0, 'disk_busy_pct{disk="a"}': 0.0, 'disk_busy_pct{disk="b"}': 0.0}
    before |= {"io_pressure_pct": 0.0, "network_sent_bytes_per_s": 9.0}
    after = {"disk_read_bytes_per_s": 600.0, 'disk_busy_pct{disk="a"}': 500.0, 'disk_busy_pct{disk="b"}': 2500.0}
    after |= {"io_pressure_pct": 1e6, "network_sent_bytes_per_s": 3.0, "network_received_bytes_per_s": 7.0}
    assert rates(before, after, 5.0) == {"disk_read_bytes_per_s": 100.0, "disk_busy_pct": 50.0, "io_pressure_pct": 20.0}
    assert rates(before, after, 0.0) == {}


def test_a_reading_has_the_rates_of_this_machine() -> None:
    """Each core, memory and network; each metric has a unit."""
    reader = HostReader(HostSource(source="host", instance="here"))
    time.sleep(0.2)
    values = reader.read()
    assert values["cores"] == psutil.cpu_count()
    assert sum(name.startswith("cpu_core_pct{") for name in values) == psutil.cpu_count()
    assert values["memory_available_bytes"] <= values["memory_total_bytes"] == psutil.virtual_memory().total
    assert {"network_received_bytes_per_s", "network_sent_bytes_per_s", "swap_used_bytes"} <= set(values)
    assert all(unit_of(metric) for metric in values)


def test_the_kernels_counters_are_found_by_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands before them; a table of another form gives none."""
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "snmp").write_text("Ip: Forwarding\nIp: 1\nTcp: MaxConn RetransSegs\nTcp: -1 4596\n")
    (tmp_path / "vmstat").write_text("oom_kill_other 1\noom_kill 3\n")
    monkeypatch.setattr(host, "PROC", tmp_path)
    assert kernel_counters() == {"tcp_retransmits": 4596.0, "oom_kills": 3.0}
    (tmp_path / "net" / "snmp").write_text("Tcp: MaxConn RetransSegs\nTcp: -1\n")
    assert kernel_counters() == {"oom_kills": 3.0}
