"""The process beside k6; what it does to a real one is shown in tests/loadtest/runners/test_k6.py."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from include.k6 import supervisor
from include.k6.supervisor import Supervisor, _run_due, _Tick, usable_cores
from include.loadtest.profile import find_profile, load_profile
from include.locustfiles.plan import GeneratorPlan

pytestmark = pytest.mark.unit

POINTS = """
import json, sys, time
def say(metric, **facts):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    data = {"time": stamp, "metadata": {"loadtest": json.dumps({"user": 1, "change": 1, **facts})}}
    print(json.dumps({"metric": "loadtest_" + metric, "type": "Point", "data": data}), flush=True)
asked = {"scenario": "simple_query", "endpoint": "chat", "iteration": 0, "think_s": None}
say("users")
say("started", began_ms=time.time() * 1000, **asked)
say("answered")
say("judged", outcome="ok", status=200, bytes=1)
time.sleep(30)
"""
FOREIGN = """
import time
while True:
    print('{"type":"Point","name":"http_reqs"}', flush=True)
    time.sleep(0.05)
"""


class Unread:
    """A standard output whose reader is gone."""

    def write(self, _text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


@pytest.fixture(autouse=True)
def told_to_end() -> Iterator[None]:
    """The supervisor takes the signal for itself."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def plan(tmp_path: Path) -> GeneratorPlan:
    profile = load_profile(find_profile("smoke"))
    here = tmp_path
    return GeneratorPlan("smoke-1", "http://127.0.0.1:9", "/api/v1", profile, here, here, (1,), False, (), "w0")


def watched(plan: GeneratorPlan, script: str) -> Supervisor:
    """A supervisor of a process that writes what the script says."""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    return Supervisor(plan, process, process.stdout)


def state(plan: GeneratorPlan) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((plan.bundle / "generator-w0.json").read_text())
    return found


def test_points_that_are_all_foreign_end_the_load_and_are_named(
    plan: GeneratorPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A k6 whose output this project does not know must not send a whole load of which nothing is a sample."""
    monkeypatch.setattr(supervisor, "UNKNOWN_S", 0.5)
    began_s = time.monotonic()
    assert watched(plan, FOREIGN).run() == 128 + signal.SIGKILL
    assert time.monotonic() - began_s < 10
    found = state(plan)
    assert (found["completed"], found["started_ns"], found["stopped_by"]) == (False, None, "generator_died")
    assert "not one is a point of the script's own" in found["stop_text"]


def test_a_progress_that_nobody_reads_does_not_end_the_watching(
    plan: GeneratorPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader is gone before the parent is: the load is ended by the rule for orphans, and all is written."""
    monkeypatch.setattr(supervisor, "PROGRESS_INTERVAL_S", 0.2)
    monkeypatch.setattr(supervisor.sys, "stdout", Unread())
    said_at: list[int] = []

    def abandon(_self: Supervisor) -> None:
        raise SystemExit(supervisor.ORPHANED)

    def parent() -> int:
        said_at.append(1)
        return plan.starter_pid if len(said_at) < 4 else 0

    monkeypatch.setattr(Supervisor, "_abandon", abandon)
    monkeypatch.setattr(supervisor.os, "getppid", parent)
    with pytest.raises(SystemExit):
        watched(plan, POINTS).run()
    assert len(said_at) == 4
    assert len(list(plan.bundle.glob("samples/*.parquet"))) == 1
    assert (state(plan)["completed"], state(plan)["ended_ns"] > 0) == (False, True)


def test_an_error_of_its_own_leaves_no_k6_and_loses_no_sample(
    plan: GeneratorPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: the open part and the account are written, then the error goes on."""

    def fail(_self: Supervisor) -> None:
        if list(_self._points._ended_ns):
            raise RuntimeError("made up")

    monkeypatch.setattr(Supervisor, "_decide", fail)
    watcher = watched(plan, POINTS)
    with pytest.raises(RuntimeError, match="made up"):
        watcher.run()
    assert watcher._k6.poll() == -signal.SIGKILL
    assert len(list(plan.bundle.glob("samples/*.parquet"))) == 1
    assert state(plan)["completed"] is False


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
