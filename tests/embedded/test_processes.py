import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from include.embedded.processes import MARKER, find_process, related_processes, start_process, stop_processes
from include.embedded.servers import is_gone, wait_until
from include.embedded.state import ProcessRecord

pytestmark = pytest.mark.integration
# A child in a session of its own whose parent ends: no tree and no process group leads to it.
ORPHAN = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
print(child.pid, flush=True)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(300)"


@pytest.fixture
def environment_id() -> Iterator[str]:
    marker = uuid.uuid4().hex
    yield marker
    stop_processes(marker, [], patience_s=0)


def start(environment_id: str, code: str, log: Path) -> ProcessRecord:
    environment = os.environ | {MARKER: environment_id}
    return start_process("p", [sys.executable, "-c", code], environment=environment, log=log, cwd=log.parent)


def test_a_recycled_id_is_another_process(tmp_path: Path, environment_id: str) -> None:
    """An id whose process started at another time is not the recorded one, and is left alone."""
    record = start(environment_id, "import time; time.sleep(300)", tmp_path / "log")
    assert find_process(record) is not None
    recycled = record.model_copy(update={"started_at_s": record.started_at_s - 3600})
    assert find_process(recycled) is None
    stop_processes(uuid.uuid4().hex, [recycled], patience_s=5)
    assert find_process(record) is not None
    stop_processes(environment_id, [record], patience_s=30)
    assert find_process(record) is None


def test_ends_an_orphan_in_a_session_of_its_own(tmp_path: Path, environment_id: str) -> None:
    """What a dead process left behind is found by its marker."""
    log = tmp_path / "log"
    start(environment_id, ORPHAN, log)
    assert wait_until(lambda: log.read_text().strip().isdigit(), 30)
    orphan = int(log.read_text())
    assert wait_until(lambda: {p.pid for p in related_processes(environment_id, [])} == {orphan}, 30)
    stop_processes(environment_id, [], patience_s=30)
    assert is_gone(orphan)


def test_ends_what_does_not_listen(tmp_path: Path, environment_id: str) -> None:
    """A process that ignores the request is killed after the patience."""
    log = tmp_path / "log"
    record = start(environment_id, DEAF, log)
    assert wait_until(lambda: "deaf" in log.read_text(), 30)
    stop_processes(environment_id, [record], patience_s=0.5)
    assert is_gone(record.pid)


def test_leaves_other_environments_alone(tmp_path: Path, environment_id: str) -> None:
    """Stopping one environment does not touch the processes of another one, nor this process."""
    record = start(environment_id, "import time; time.sleep(300)", tmp_path / "log")
    stop_processes(uuid.uuid4().hex, [], patience_s=1)
    assert find_process(record) is not None
    assert psutil.Process().pid not in {process.pid for process in related_processes(environment_id, [record])}
