import json
import os
import signal
import socket
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from include.embedded.postgres import PostgresServer
from include.embedded.valkey import ValkeyServer
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.process import LOG_FILE, PLAN_FILE, start_collectors
from include.loadtest.recorder import RESOURCE_SCHEMA
from tests.loadtest.collectors.conftest import Watched, await_true, gaps_of, rows_of

pytestmark = pytest.mark.integration


def _log(bundle: Bundle) -> str:
    return (bundle.path / LOG_FILE).read_text()


def _has_log(bundle: Bundle) -> bool:
    return "reading" in _log(bundle)


def test_all_sources_are_read_and_the_last_part_is_written(
    tmp_path: Path, postgres: PostgresServer, valkey: ValkeyServer
) -> None:
    """Readings have the bundle's schema and name their host; no address with its password lies in a file."""
    import pyarrow.parquet as pq

    bundle = Bundle(tmp_path / "smoke-1")
    url = postgres.url().replace("postgres@", "postgres:s3cret@")
    collectors = start_collectors(bundle, Watched(url, valkey.url), interval_s=0.3)
    await_true(lambda: _has_log(bundle), "the collectors start")
    time.sleep(1.5)
    assert collectors.stop() == 0, _log(bundle)
    for source, metric in (("host", "cpu_pct"), ("postgres", "connections_total"), ("redis", "keyspace_hits")):
        rows = [row for row in rows_of(bundle.resources_dir, source) if row["metric"] == metric]
        assert len(rows) >= 2
        assert rows[0]["unit"]
        assert rows[0]["instance"]
    for part in bundle.resources_dir.glob("*.parquet"):
        assert pq.read_schema(part).equals(RESOURCE_SCHEMA)
        assert f"-{collectors.pid}-" in part.name
    assert gaps_of(bundle.resources_dir) == []
    assert "s3cret" not in (bundle.path / PLAN_FILE).read_text() + _log(bundle)


def test_a_blackhole_leaves_the_other_sources_on_time(tmp_path: Path, valkey: ValkeyServer) -> None:
    """A server that accepts and never answers is named as a gap; the others keep their interval."""
    bundle = Bundle(tmp_path / "smoke-1")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        url = f"postgresql://u:s3cret@127.0.0.1:{listener.getsockname()[1]}/d"
        collectors = start_collectors(bundle, Watched(url, valkey.url), interval_s=0.5)
        await_true(lambda: any(bundle.resources_dir.glob("gaps-*.json")), "the gap is noted")
        time.sleep(4)
        assert collectors.stop() == 0
    for source, metric in (("host", "cpu_pct"), ("redis", "keyspace_hits")):
        times = [row["ts"].timestamp() for row in rows_of(bundle.resources_dir, source) if row["metric"] == metric]
        steps = sorted(later - earlier for earlier, later in pairwise(times))
        assert steps[len(steps) // 2] == pytest.approx(0.5, abs=0.1)
        assert len(times) >= 6
    (gap,) = gaps_of(bundle.resources_dir)
    assert gap["source"] == "postgres"
    assert gap["reason"] == "no answer within 0.4 s"
    assert gap["end"] is not None
    assert gap["missed"] >= 6
    assert rows_of(bundle.resources_dir, "postgres") == []
    assert _log(bundle).count("postgres: no answer since") == 1
    assert "s3cret" not in _log(bundle)


def test_a_kill_loses_the_open_part_only(tmp_path: Path) -> None:
    """Closed parts are whole files."""
    bundle = Bundle(tmp_path / "smoke-1")
    collectors = start_collectors(bundle, Watched(), interval_s=0.2)
    await_true(lambda: any(bundle.resources_dir.glob("host-*.parquet")), "a part is closed after 10 s")
    os.kill(collectors.pid, signal.SIGKILL)
    assert collectors.stop() == -signal.SIGKILL
    assert len(rows_of(bundle.resources_dir, "host")) > 100


def test_another_host_is_not_taken_for_the_targets(tmp_path: Path) -> None:
    """Where the target runs elsewhere, this machine's readings are the generator's."""
    bundle = Bundle(tmp_path / "smoke-1")
    collectors = start_collectors(bundle, Watched(shares_host=False), interval_s=0.2)
    await_true(lambda: _has_log(bundle), "the collectors start")
    time.sleep(1)
    collectors.stop()
    assert rows_of(bundle.resources_dir, "generator")
    assert rows_of(bundle.resources_dir, "host") == []


def test_they_end_with_their_parent(tmp_path: Path) -> None:
    """A killed task leaves no process behind; what was read is written."""
    code = f"""
import os, signal, time
from pathlib import Path
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.process import start_collectors
from tests.loadtest.collectors.conftest import Watched
bundle = Bundle(Path({str(tmp_path / "smoke-1")!r}))
print(start_collectors(bundle, Watched(), interval_s=0.2).pid, flush=True)
while "reading" not in (bundle.path / "collectors.log").read_text(): time.sleep(0.05)
time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    pid = int(done.stdout)
    await_true(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie", "the collectors end", 15)
    assert rows_of(tmp_path / "smoke-1" / "resources", "host")


def test_a_plan_that_makes_no_sense_ends_with_exit_code_2(tmp_path: Path) -> None:
    """One line on standard error."""
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"resources_dir": str(tmp_path), "interval_s": 5, "parent_pid": 1, "odd": 1}))
    command = [sys.executable, "-m", "include.loadtest.collectors", "--plan", str(plan)]
    done = subprocess.run(
        command, cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("collectors: ")
    assert len(done.stderr.splitlines()) == 1
