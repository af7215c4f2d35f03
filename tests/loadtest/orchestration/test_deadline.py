"""A stage that hangs ends: interrupted where it runs Python code, killed where it does not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from include.loadtest.orchestration.deadline import StageTimeoutError, time_limit

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.unit


def test_a_hang_is_interrupted_with_the_stage_and_its_limit() -> None:
    """The time is over long before the sleep is."""
    started = time.monotonic()
    with (
        pytest.raises(StageTimeoutError, match=r"publish did not end within 0\.5 s"),
        time_limit("publish", 0.5, print),
    ):
        time.sleep(30)
    assert time.monotonic() - started < 5


def test_a_stage_in_time_leaves_no_alarm_behind() -> None:
    """Neither the alarm nor the thread that kills."""
    before = signal.getsignal(signal.SIGALRM)
    with time_limit("publish", 0.2, print, grace_s=0.1):
        pass
    time.sleep(0.5)
    assert signal.getsignal(signal.SIGALRM) == before


HANG = """
import pathlib, sys, threading
from include.loadtest.orchestration.deadline import time_limit
note = pathlib.Path(sys.argv[1])
with time_limit("seed_users", 0.5, note.write_text, grace_s=0.5):
    while True:  # swallows the interruption, as a library might
        try:
            threading.Event().wait(60)
        except Exception:
            continue
"""


def test_a_stage_that_cannot_be_interrupted_is_killed_and_noted(tmp_path) -> None:
    """The fault is written before the process ends."""
    note = tmp_path / "fault"
    finished = subprocess.run(
        [sys.executable, "-c", HANG, str(note)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == -signal.SIGKILL
    assert "seed_users did not end within 0.5 s, and was killed" in note.read_text()
