import time
from collections.abc import Callable
from pathlib import Path

import pytest

from include.loadtest.collectors import containers
from include.loadtest.collectors.cgroups import Hierarchy
from include.loadtest.collectors.containers import ContainerReader
from include.loadtest.collectors.plan import ContainerSource, Listener
from include.loadtest.collectors.reader import unit_of
from tests.helpers.forking_server import ForkingServer

pytestmark = pytest.mark.integration


@pytest.fixture
def reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forking_server: Callable[..., ForkingServer]
) -> ContainerReader:
    """A reader of a real server, whose groups lie below `tmp_path`."""
    server = forking_server()
    monkeypatch.setattr(containers, "hierarchies", lambda: [Hierarchy(tmp_path, "/", 2, frozenset())])
    return ContainerReader(ContainerSource(instance="here", app=server.listener))


def _member(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str) -> Path:
    """Puts every process into a group, and makes the group's folder."""

    class Proc:
        def __truediv__(self, _name: str) -> Path:
            folder = tmp_path / "proc"
            folder.mkdir(exist_ok=True)
            (folder / "cgroup").write_text(f"0::{place}\n")
            return folder

    monkeypatch.setattr(containers, "PROC", Proc())
    group = tmp_path / place.lstrip("/")
    group.mkdir(exist_ok=True)
    return group


def test_the_group_of_the_application_is_read(
    reader: ContainerReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits, memory and kills; throttling as a rate, from the second reading on; each with a unit."""
    group = _member(monkeypatch, tmp_path, "/docker")
    for name, text in {
        "cpu.max": "150000 100000",
        "cpu.stat": "throttled_usec 1000",
        "memory.max": "5000",
        "memory.current": "4000",
        "memory.events": "oom_kill 1",
    }.items():
        (group / name).write_text(text)
    begin_s = time.monotonic()
    first = reader.read()
    assert first == {
        "container_cpu_limit_cores": 1.5,
        "container_memory_bytes": 4000.0,
        "container_memory_limit_bytes": 5000.0,
        "container_oom_kills": 1.0,
    }
    (group / "cpu.stat").write_text("throttled_usec 101000")
    time.sleep(0.1)
    second = reader.read()
    assert 100 / (time.monotonic() - begin_s) <= second["container_cpu_throttled_ms_per_s"] <= 1000
    assert all(unit_of(metric) for metric in second)


def test_a_whole_machine_is_no_container(
    reader: ContainerReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Told once; with a limit, as inside a container, it is one."""
    caplog.set_level("INFO")
    root = _member(monkeypatch, tmp_path, "/")
    (root / "memory.current").write_text("4000")
    assert [reader.read(), reader.read()] == [{}, {}]
    assert [record.getMessage() for record in caplog.records] == [
        "container: not read: the application is in no control group of its own"
    ]
    (root / "memory.max").write_text("5000")
    assert reader.read()["container_memory_limit_bytes"] == 5000


def test_without_a_process_there_is_nothing_to_read() -> None:
    """`process` says why."""
    reader = ContainerReader(ContainerSource(instance="here", app=Listener(port=1, addresses=("127.0.0.1",))))
    assert reader.read() == {}
