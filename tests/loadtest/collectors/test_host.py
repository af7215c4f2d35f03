import os

import psutil
import pytest

from include.loadtest.collectors.host import HostReader
from include.loadtest.collectors.plan import HostSource
from include.loadtest.collectors.reader import unit_of

pytestmark = pytest.mark.unit


def test_a_reading_of_this_machine() -> None:
    """Shares of a hundred, bytes, load and processes; each metric has a unit."""
    reader = HostReader(HostSource(source="host", instance="here"))
    sum(number * number for number in range(200_000))
    values = reader.read()
    assert 0 <= values["cpu_pct"] <= 100
    assert values["memory_pct"] == pytest.approx(psutil.virtual_memory().percent, abs=5)
    assert 0 < values["memory_used_bytes"] <= psutil.virtual_memory().total
    assert values["process_count"] > 1
    assert {"load_1m", "load_5m", "load_15m"} <= set(values)
    assert all(unit_of(metric) for metric in values)
    assert "target_cpu_pct" not in values


def test_the_targets_processes_are_added_up_while_they_live() -> None:
    """A process that is gone is no zero: the figures are absent when none is left."""
    own = HostReader(HostSource(source="host", instance="here", target_pids=(os.getpid(), 2**22 + 1)))
    assert own.read()["target_rss_bytes"] > 1_000_000
    gone = HostReader(HostSource(source="host", instance="here", target_pids=(2**22 + 1,)))
    assert "target_rss_bytes" not in gone.read()
