import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from include.embedded.postgres import PostgresServer
from include.embedded.valkey import ValkeyServer
from include.loadtest.bundle import Bundle
from include.loadtest.collectors.gaps import read_gaps
from include.loadtest.collectors.plan import DATABASE_VARIABLE, LLM_VARIABLE, PROMETHEUS_VARIABLE, REDIS_VARIABLE
from include.loadtest.collectors.process import (
    LOG_FILE,
    PLAN_FILE,
    CollectorProcess,
    plan_of,
    start_collectors,
)
from include.loadtest.observations import read_observations
from include.loadtest.recorder import RESOURCE_SCHEMA
from include.loadtest.run import READING_INTERVAL_S
from tests.helpers.demo import DemoTarget
from tests.loadtest.collectors.conftest import Watched, await_true, gaps_of, ok_answer, rows_of, serving

pytestmark = pytest.mark.integration
VARIABLES = (DATABASE_VARIABLE, REDIS_VARIABLE, LLM_VARIABLE, PROMETHEUS_VARIABLE)


def _log(bundle: Bundle) -> str:
    return (bundle.path / LOG_FILE).read_text()


def _has_log(bundle: Bundle) -> bool:
    return "reading" in _log(bundle)


def test_all_sources_are_read_and_the_last_part_is_written(
    tmp_path: Path, postgres: PostgresServer, valkey: ValkeyServer, demo: DemoTarget
) -> None:
    """Readings have the bundle's schema and name their host; no address with its password lies in a file."""
    import pyarrow.parquet as pq

    bundle = Bundle(tmp_path / "smoke-1")
    url = postgres.url().replace("postgres@", "postgres:s3cret@")
    log_file = tmp_path / "target.log"
    log_file.touch()
    target = Watched(
        url, valkey.url, base_url=demo.base_url, llm_metrics_url=f"{demo.llm_url}/metrics", log_file=str(log_file)
    )
    collectors = start_collectors(bundle, target, interval_s=0.5)
    await_true(lambda: _has_log(bundle), "the collectors start")
    time.sleep(1.5)
    with log_file.open("a") as log:
        log.write("Worker (pid:7) was sent SIGKILL! Perhaps out of memory?\n")
    time.sleep(1)
    assert collectors.stop() == 0, _log(bundle)
    assert [seen["words"] for seen in read_observations(bundle) if seen["kind"] == "target_log"] == [
        "sigkill, out of memory"
    ]
    for source, metric in (
        ("host", "cpu_pct"),
        ("postgres", "connections_total"),
        ("redis", "keyspace_hits"),
        ("app", "process_cpu_seconds_total"),
        ("app", "cache_hit_ratio"),
        ("app", "metrics_page_ms"),
        ("process", "app_cpu_cores"),
        ("process", "postgres_cpu_cores"),
        ("process", "redis_rss_bytes"),
        ("llm", "llm_calls"),
    ):
        rows = [row for row in rows_of(bundle.resources_dir, source) if row["metric"] == metric]
        assert len(rows) >= 2
        assert rows[0]["unit"]
        assert rows[0]["instance"]
    for part in bundle.resources_dir.glob("*.parquet"):
        assert pq.read_schema(part).equals(RESOURCE_SCHEMA)
        assert f"-{collectors.pid}-" in part.name
    assert gaps_of(bundle.resources_dir) == []
    assert "s3cret" not in (bundle.path / PLAN_FILE).read_text() + _log(bundle)


@dataclass(frozen=True)
class Blackholed:
    """Collectors that run with one source that accepts and never answers."""

    source: str
    interval_s: float
    bundle: Bundle
    collectors: CollectorProcess

    def check(self) -> None:
        """The other sources kept their grid, and the dead one is one gap with one line in the log."""
        resources = self.bundle.resources_dir
        for source, metric in METRIC_OF.items():
            rows = [row for row in rows_of(resources, source) if row["metric"] == metric]
            if source == self.source:
                assert rows == []
                continue
            times = [row["ts"].timestamp() for row in rows]
            assert len(times) >= int(0.8 * BLACKHOLE_S / self.interval_s), (source, times)
            steps = [later - earlier for earlier, later in pairwise(times)]
            # A busy machine may hold all of them up once; a dead source that delayed others would do so each time.
            off_s = sorted(abs(step - self.interval_s) for step in steps)
            assert off_s[int(0.8 * (len(off_s) - 1))] <= 0.5, (source, steps)
            assert {row["source"] for row in rows} == {source}
            assert all(row["instance"] for row in rows)
        # Six collectors start at once here: another source may be late once, which its steps above judge.
        (gap,) = [gap for gap in read_gaps(self.bundle) if gap["source"] == self.source]
        assert gap["reason"].strip()
        assert gap["start"] < gap["end"]
        assert gap["missed"] >= int(0.8 * BLACKHOLE_S / self.interval_s)
        assert _log(self.bundle).count(f"{self.source}: no answer since") == 1
        assert "s3cret" not in _log(self.bundle)


METRIC_OF = {
    "host": "cpu_pct",
    "postgres": "connections_total",
    "redis": "keyspace_hits",
    "app": "process_cpu_seconds_total",
    "process": "app_rss_bytes",
    "llm": "llm_calls",
    "prometheus": "cpu_pct",
}
BLACKHOLE_S = 22.0


@pytest.fixture
def good(demo: DemoTarget, postgres: PostgresServer, valkey: ValkeyServer) -> Iterator[Watched]:
    """A target all of whose sources answer; Prometheus is a server that says 42 to each query."""
    body = b'{"status":"success","data":{"resultType":"scalar","result":[1.5,"42"]}}'
    with serving(lambda connection, _path: connection.sendall(ok_answer(body))) as prometheus:
        yield Watched(
            postgres.url(),
            valkey.url,
            base_url=demo.base_url,
            llm_metrics_url=f"{demo.llm_url}/metrics",
            prometheus_url=prometheus,
            prometheus_queries={"cpu_pct": "x"},
        )


def test_a_blackhole_leaves_the_other_sources_on_time(tmp_path: Path, good: Watched, blackhole: str) -> None:
    """Each source in turn accepts and never answers: it is named as a gap, and the others keep interval ± 0.5 s."""
    dead = {
        "postgres": replace(good, database_url=f"postgresql://u:s3cret@{blackhole}/d"),
        "redis": replace(good, redis_url=f"redis://:s3cret@{blackhole}/0"),
        "app": replace(good, base_url=f"http://{blackhole}"),
        "llm": replace(good, llm_metrics_url=f"http://u:s3cret@{blackhole}/metrics"),
        "prometheus": replace(good, prometheus_url=f"http://u:s3cret@{blackhole}"),
    }
    cases = [(source, 1.0) for source in dead] + [("app", READING_INTERVAL_S)]
    running = []
    for source, interval_s in cases:
        bundle = Bundle(tmp_path / f"{source}-{interval_s:g}")
        running.append(
            Blackholed(source, interval_s, bundle, start_collectors(bundle, dead[source], interval_s=interval_s))
        )
    for case in running:
        await_true(lambda bundle=case.bundle: _has_log(bundle), "the collectors start")
    time.sleep(BLACKHOLE_S)
    assert [case.collectors.stop() for case in running] == [0] * len(running)
    for case in running:
        case.check()


def test_a_kill_loses_the_open_part_only(tmp_path: Path) -> None:
    """Closed parts are whole files."""
    bundle = Bundle(tmp_path / "smoke-1")
    collectors = start_collectors(bundle, Watched(), interval_s=0.2)
    await_true(lambda: any(bundle.resources_dir.glob("host-*.parquet")), "a part is closed after 10 s")
    os.kill(collectors.pid, signal.SIGKILL)
    assert collectors.stop() == -signal.SIGKILL
    assert len(rows_of(bundle.resources_dir, "host")) > 100
    (gap,) = [gap for gap in read_gaps(bundle) if gap["reason"] == "the collectors ended with exit code -9"]
    assert gap["source"] == "host"
    assert gap["start"] <= gap["end"]


def test_another_host_is_not_taken_for_the_targets(tmp_path: Path) -> None:
    """Where the target runs elsewhere, this machine's readings are the generator's."""
    bundle = Bundle(tmp_path / "smoke-1")
    elsewhere = Watched(base_url="http://192.0.2.1:1", log_file="/var/log/app.log", shares_host=False)
    plan = plan_of(elsewhere, dict.fromkeys(VARIABLES), tmp_path, 1.0)
    assert (plan.process, plan.container, plan.target_log) == (None, None, None)
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
from tests.helpers.demo import DemoTarget
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
