import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from include.embedded.valkey import running_valkey
from tests.helpers.demo import ROOT, await_ready, demo_target, launch, stop

pytestmark = pytest.mark.integration


def _processes_of(state: Path) -> list[str]:
    """Command lines that name the state directory, or processes that work in it."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            if str(state) in command or str(process.cwd()).startswith(str(state)):
                found.append(f"{process.pid} {command}")
        except psutil.Error:
            continue
    return found


def test_ready_file_and_standard_output_say_the_same_and_a_stop_leaves_no_process(tmp_path: Path) -> None:
    """The target announces itself once it is served; after SIGTERM nothing that it started is left."""
    with demo_target(tmp_path) as target:
        ready = json.loads((tmp_path / "ready.json").read_text())
        assert set(ready) == {"base_url", "database_url", "redis_url", "llm_url", "pid"}
        assert json.loads((tmp_path / "output.log").read_text().splitlines()[0]) == ready
        with target.client() as client:
            assert client.get("/health").status_code == 200
        assert len(_processes_of(tmp_path)) >= 4
    assert _processes_of(tmp_path) == []
    assert not (tmp_path / "ready.json").exists()


def test_restart_keeps_accounts_and_a_dead_cache_degrades_health(tmp_path: Path) -> None:
    """A second start in the same directory finds the accounts of the first; without its cache health says 503."""
    with demo_target(tmp_path) as target:
        target.add_user("kept@pratikoai.it")
    with demo_target(tmp_path, "--rate-limits") as target:
        assert target.login("kept@pratikoai.it")
        valkey = running_valkey(tmp_path / "valkey")
        assert valkey is not None
        psutil.Process(valkey.pid).kill()
        with target.client() as client:
            assert client.get("/admin/faults").json()["rate_limits"] is True
            degraded = client.get("/health")
        assert degraded.status_code == 503
        assert degraded.json()["status"] == "degraded"
        assert degraded.json()["components"] == {"api": "healthy", "database": "healthy", "cache": "unhealthy"}


@pytest.mark.parametrize("wait_for", ["", "pg", "valkey", "llm.log"], ids=["at once", "database", "cache", "llm"])
def test_stop_during_the_start_leaves_no_process(wait_for: str, tmp_path: Path) -> None:
    """Ordered to stop before it is ready, the target undoes what it has started by then."""
    process = launch(tmp_path)
    deadline = time.monotonic() + 60
    while wait_for and not (tmp_path / wait_for).exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    if not wait_for:
        # Python itself needs a moment until it handles signals at all.
        while not (tmp_path / "pg.init").exists() and time.monotonic() < deadline:
            time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    assert stop(process) == 0
    assert _processes_of(tmp_path) == []


def test_start_is_ready_within_its_bound(tmp_path: Path) -> None:
    """From nothing to served takes far less than the minute that others wait for it."""
    begin = time.monotonic()
    process = launch(tmp_path)
    try:
        await_ready(process, tmp_path)
        assert time.monotonic() - begin < 60
    finally:
        stop(process)


def test_own_llm_is_used_and_its_faults_are_not_switched_here(tmp_path: Path) -> None:
    """With --llm-url no stub is started, and an LLM fault is refused with 409."""
    with demo_target(tmp_path, "--llm-url", "http://127.0.0.1:9") as target, target.client() as client:
        assert target.llm_url == "http://127.0.0.1:9"
        assert not (tmp_path / "llm.json").exists()
        assert client.put("/admin/faults", json={"llm_down": True}).status_code == 409


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.org"])  # noqa: S104 - must be refused
def test_address_beyond_loopback_is_refused(host: str, tmp_path: Path) -> None:
    """The target guards nothing, so it serves nobody but this machine."""
    command = [sys.executable, "-m", "include.demo_target", "--state", str(tmp_path / "state"), "--host", host]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert f"--host {host}: only loopback addresses" in done.stderr
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("option", "value"), [("--workers", "0"), ("--pool-size", "x"), ("--cpu-ms-per-request", "nan")]
)
def test_senseless_size_is_refused_before_anything_starts(option: str, value: str, tmp_path: Path) -> None:
    """One line says which option and what it may be."""
    command = [sys.executable, "-m", "include.demo_target", "--state", str(tmp_path / "state"), option, value]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert f"argument {option}: {value} is no number from" in done.stderr
    assert not (tmp_path / "state").exists()
