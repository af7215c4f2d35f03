"""A load that somebody ends keeps what it measured, and every later stage knows who ended it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psutil
import pytest

from include.loadtest.auto_stop import Stop
from include.loadtest.bundle import Bundle
from include.loadtest.orchestration import load_stop as module
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.load import note_load
from include.loadtest.orchestration.load_stop import OUTSIDE_TEXT, SWITCH_TEXT, LoadStop, await_load_end, load_stop
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.pipeline import run_stage
from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.runners.generator import LoadResult
from tests.helpers.demo import demo_target
from tests.loadtest.orchestration.conftest import LATER

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
WATCHER = """
import json, sys
from pathlib import Path
from include.loadtest.orchestration.pipeline import run_stage
from tests.helpers.demo import DemoTarget
from tests.loadtest.orchestration.conftest import context_of
order = json.loads(sys.argv[1])
demo = DemoTarget(**{**order["demo"], "state": Path(order["demo"]["state"])})
context = context_of(demo, order["history_url"], Path(order["folder"]), order["run_id"], users=5, duration_s=60)
run_stage(context, "run_profile")
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    with demo_target(tmp_path_factory.mktemp("demo")) as target:
        yield target


def bare(folder: Path, **more) -> RunContext:
    """A run whose target nobody asks for."""
    context = RunContext(
        bundle=Bundle(folder / "smoke-1"), bundle_uri="smoke-1", target_name="demo", load_target=None, history_url="",
        work_dir=folder, owner="test", order=RunOrder("smoke", None, Overrides(), "demo", "test"), **more,
    )  # fmt: skip
    context.bundle.update_manifest(profile={})
    return context


def seconds_to_stop(stop: LoadStop) -> float:
    """Asks as a generator's watcher does, for ten seconds at most."""
    begun_s = time.monotonic()
    while not stop.requested():
        assert time.monotonic() - begun_s < 10
        time.sleep(0.05)
    return time.monotonic() - begun_s


def test_the_switch_is_noted_before_the_load_has_ended(tmp_path) -> None:
    """Within two seconds, once; as long as it is off nothing is written, and after the load nobody asks for it."""
    is_on, asked = threading.Event(), []
    context = bare(tmp_path, stop_requested=lambda: asked.append(1) or is_on.is_set())
    with load_stop(context) as stop:
        assert not stop.requested()
        assert "load_stop" not in context.manifest()
        is_on.set()
        assert seconds_to_stop(stop) < 2
        assert stop.requested()
    times_asked = len(asked)
    assert context.manifest()["load_stop"] == {"code": "operator", "text": SWITCH_TEXT}
    time.sleep(0.6)
    assert len(asked) == times_asked


def test_a_cap_is_asked_while_airflow_does_not_answer(tmp_path, monkeypatch, caplog) -> None:
    """Its API hangs: each order is asked for at once, the log says once that the switch cannot be read."""
    monkeypatch.setattr(module, "SILENT_S", 0.3)
    hangs = threading.Event()
    with caplog.at_level("INFO", "loadtest"), load_stop(bare(tmp_path, stop_requested=hangs.wait)) as stop:
        for _ in range(10):
            begun_s = time.monotonic()
            assert not stop.requested()
            assert time.monotonic() - begun_s < 1
            time.sleep(0.05)
        stop.for_the_cap = lambda: Stop("cost_cap", "90 calls")
        assert stop.requested()
        hangs.set()
    assert caplog.text.count("cannot be read (no answer for") == 1


def test_a_switch_that_cannot_be_read_ends_no_load(tmp_path, caplog) -> None:
    """It is said once, and once that it can be read again; then the switch ends the load."""
    answers = iter([RuntimeError("API server\x1b[2J is down"), ConnectionError(), False])

    def ask() -> bool:
        answer = next(answers, True)
        if isinstance(answer, Exception):
            raise answer
        return answer

    with caplog.at_level("INFO", "loadtest"), load_stop(bare(tmp_path, stop_requested=ask)) as stop:
        assert seconds_to_stop(stop) > 1
    messages = [record.getMessage() for record in caplog.records]
    assert [text.partition(" all load")[2] for text in messages[:2]] == [
        " cannot be read (API server [2J is down): the load goes on, and is not ended by it meanwhile",
        ": it can be read again",
    ]
    assert SWITCH_TEXT in messages[2]


def test_an_order_to_end_the_process_ends_the_load_instead(tmp_path) -> None:
    """SIGTERM within the block is noted; after it the process answers signals as before."""
    before = signal.getsignal(signal.SIGTERM)
    context = bare(tmp_path)
    with load_stop(context) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.by_outside.wait(5)
        assert stop.requested()
    assert context.manifest()["load_stop"] == {"code": "operator", "text": OUTSIDE_TEXT}
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_cap_that_is_near_ends_the_load_with_its_own_reason(tmp_path) -> None:
    """The generator says only that it was ordered to end; the manifest says by whom."""
    context = bare(tmp_path)
    with load_stop(context) as stop:
        stop.for_the_cap = lambda: Stop("cost_cap", "90 calls")
        assert stop.requested()
    now = datetime.now(UTC)
    result = LoadResult("locust", now, now, completed=False, exit_code=0, planned_users=5, reached_users=5,
                        stopped_by="operator")  # fmt: skip
    note_load(context, load_profile(find_profile("smoke")), result)
    load = context.manifest()["load"]
    assert (load["stopped_by"], load["stop_text"]) == ("cost_cap", "90 calls")
    note_load(context, load_profile(find_profile("smoke")), replace(result, stopped_by="auto_stop_errors"))
    assert context.manifest()["load"]["stopped_by"] == "auto_stop_errors"


def test_measuring_waits_for_a_load_that_still_runs(tmp_path) -> None:
    """Until its generator has said that it ended and whoever watched it has written its account."""
    context = bare(tmp_path)
    state = context.bundle.path / "generator-w0.json"
    state.write_text('{"started_ns": 1, "completed": false}')

    def end() -> None:
        time.sleep(0.6)
        state.write_text('{"started_ns": 1, "ended_ns": 2, "completed": false}')
        time.sleep(0.6)
        context.bundle.update_manifest(load={})

    thread = threading.Thread(target=end)
    thread.start()
    await_load_end(context)
    assert "load" in context.manifest()
    thread.join()


def test_measuring_waits_for_nobody_for_ever(tmp_path) -> None:
    """A generator and its watcher that were both killed say nothing."""
    ticks = count(0, 5)
    await_load_end(bare(tmp_path), clock=lambda: next(ticks))
    assert next(ticks) >= 25


def generators(folder: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
        and any(word.endswith("pratikoai.py") for word in process.info["cmdline"])
    ]


@pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGKILL])
def test_a_task_that_is_ended_from_outside_is_an_operators_stop(demo, new_run, tmp_path, last: signal.Signals) -> None:
    """SIGTERM, as Airflow sends it, and SIGKILL a second later where it is not patient: ABORTED, samples kept."""
    context = new_run(demo, f"smoke-outside-{last.name.lower()}", 5, 60)
    for name in ("preflight", "seed_users", "warm_cache"):
        run_stage(context, name)
    order = {
        "demo": {**asdict(demo), "state": str(demo.state)}, "history_url": context.history_url,
        "folder": str(tmp_path), "run_id": context.bundle.run_id,
    }  # fmt: skip
    watcher = subprocess.Popen(
        [sys.executable, "-c", WATCHER, json.dumps(order)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    deadline = time.monotonic() + 60
    while len(list(context.bundle.samples_dir.glob("*.parquet"))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    watcher.terminate()
    asked_s = time.monotonic()
    if last is signal.SIGKILL:
        time.sleep(1.2)
        watcher.kill()
    while generators(context.bundle.path):
        assert time.monotonic() - asked_s < 10, "the load went on"
        time.sleep(0.1)
    watcher.wait(20)
    for name in LATER:
        run_stage(context, name)
    verdict, manifest = context.bundle.read("verdict.json"), context.manifest()
    assert verdict["verdict"] == "ABORTED", verdict["reasons"]
    assert verdict["reasons"][0]["code"] == "operator"
    assert OUTSIDE_TEXT in verdict["reasons"][0]["text"]
    assert "generator_died" not in [reason["code"] for reason in verdict["reasons"]]
    assert manifest["load"]["stopped_by"] == "operator"
    assert manifest["phases"][-1]["name"] == "hold"
    assert any(context.bundle.samples_dir.glob("*.parquet"))
