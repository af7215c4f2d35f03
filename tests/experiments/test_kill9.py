"""A process that begins a stage is met at its moment, and at the next stage where there is none."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.injection import RUNNING_FILE
from experiments.kill9 import NONE, _Kill

pytestmark = pytest.mark.unit


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def started(kill: _Kill) -> threading.Thread:
    thread = threading.Thread(target=kill.run, daemon=True)
    thread.start()
    return thread


def test_the_process_of_the_running_stage_is_killed(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    """Not one that has ended: the next stage's is waited for."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    kill = _Kill(tmp_path, moment_s=0.0)
    thread = started(kill)
    (tmp_path / RUNNING_FILE).write_text(f"{ended.pid} preflight")
    time.sleep(0.2)
    assert (kill.stage, sleeper.poll()) == (NONE, None)
    (tmp_path / RUNNING_FILE).write_text(f"{sleeper.pid} seed_users")
    thread.join(30)
    assert (kill.stage, sleeper.wait(30)) == ("seed_users", -9)
