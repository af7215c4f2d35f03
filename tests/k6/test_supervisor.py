"""The process beside k6; what it does to a real one is shown in tests/loadtest/runners/test_k6.py."""

import os

import pytest

from include.k6 import supervisor
from include.k6.supervisor import _run_due, _Tick, usable_cores

pytestmark = pytest.mark.unit


def test_work_that_is_late_is_done_once_and_keeps_its_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Held up for ten intervals: one reading, not ten, and the next one on the old grid."""
    done: list[float] = []
    now_s = [0.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: now_s[0])
    tick = _Tick(3.0, lambda: done.append(now_s[0]), due_s=3.0)
    for at_s in (0.0, 2.9, 3.1, 5.9, 36.5, 38.9, 39.0):
        now_s[0] = at_s
        _run_due([tick])
    assert done == [3.1, 36.5, 39.0]


def test_the_cores_are_those_that_the_process_may_use() -> None:
    """Not those of the machine: a container may have fewer."""
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
