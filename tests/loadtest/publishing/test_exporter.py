"""The exporter serves what runs and what was, finds runs by itself, and bears whatever is missing."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError
from include.loadtest.history.store import RunRecord, connect, record_run, upgrade
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing.exporter import Exporter, address_of, results_folder, running_bundles, server
from include.loadtest.recorder import RESOURCE_SCHEMA, SAMPLE_SCHEMA, Reading, Sample, write_part
from tests.helpers.programs import program

pytestmark = pytest.mark.integration
MANIFEST = {"profile": {"name": "smoke"}, "target": {"name": "demo", "shares_host": True}}


def begun(results: Path, run_id: str = "smoke-1", **manifest: Any) -> Bundle:
    """A run whose load is being sent: one part of samples, one of readings."""
    bundle = Bundle(results / run_id)
    bundle.write("manifest.json", {**MANIFEST, **manifest})
    now = time.time_ns()
    row = Sample(now, now, 250_000, None, "simple_query", "chat", 0, "hold", "hold", "ok", None, 200, 9, None, "w0", 1)
    for folder in (bundle.samples_dir, bundle.resources_dir):
        folder.mkdir()
    write_part([row] * 30, SAMPLE_SCHEMA, bundle.samples_dir / "w0-000000.parquet")
    readings = [
        Reading(now, "host", "here", "cpu_pct", 91.5, "%"),
        Reading(now, "generator", "here", "users", 5, "users"),
    ]
    write_part(readings, RESOURCE_SCHEMA, bundle.resources_dir / "host-1-000000.parquet")
    return bundle


def exporter(results: Path, history_url: str | None = None) -> Exporter:
    return Exporter(results, load_thresholds(), history_url, "demo")


def test_only_loads_under_way_are_found(tmp_path: Path) -> None:
    """Not one that has ended, one whose parts are old, one without a manifest, nor what is no run."""
    begun(tmp_path)
    begun(tmp_path, "smoke-2", load={"completed": True})
    old = begun(tmp_path, "smoke-3")
    for folder in (old.samples_dir, old.resources_dir):
        os.utime(folder, (time.time() - 100, time.time() - 100))
    (begun(tmp_path, "smoke-4").path / "manifest.json").unlink()
    begun(tmp_path, "No Run")
    (tmp_path / "file").touch()
    assert [bundle.run_id for bundle in running_bundles(tmp_path, time.time())] == ["smoke-1"]
    assert list(running_bundles(tmp_path / "none", time.time())) == []


def test_a_run_is_told_while_its_load_is_sent(tmp_path: Path) -> None:
    """With all parts so far, whenever the exporter began; gone when the load has ended."""
    bundle, made = begun(tmp_path), exporter(tmp_path)
    made.poll_live()
    text = made.page()
    assert 'loadtest_users{run_id="smoke-1",profile="smoke",target="demo"} 5' in text
    assert 'scenario="simple_query",outcome="ok"} 30' in text
    assert 'shared_host="yes",source="host",instance="here",metric="cpu_pct",unit="%"} 91.5' in text
    bundle.update_manifest(load={"completed": True})
    made.poll_live()
    assert made.page() == ""


@pytest.fixture(scope="module")
def history_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    postgres = start_postgres(tmp_path_factory.mktemp("history"), settings={"fsync": "off"})
    try:
        ensure_database(postgres, "loadtest_history")
        yield postgres.url("loadtest_history")
    finally:
        stop_postgres(postgres)


def test_http_tells_live_and_history_as_promtool_wants_it(tmp_path: Path, history_url: str) -> None:
    """Over a socket; a history without tables is said to be away, and is told once it is there."""
    begun(tmp_path)
    made = exporter(tmp_path, history_url)
    listening = server(made, ("127.0.0.1", 0))
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{listening.server_address[1]}"
    try:
        made.poll_history()
        assert "loadtest_history_up 0" in httpx.get(f"{url}/metrics", trust_env=False).text
        upgrade(history_url)
        moment = datetime(2026, 3, 1, 3, tzinfo=UTC)
        record = RunRecord("smoke-0", "smoke", "locust", "demo", "PASS", moment, moment, {}, {}, "/results/smoke-0")
        row = {"metric": "latency_p95_ms", "scope": "all", "phase": "hold", "value": 321.0, "unit": "ms", "n": 100}
        record_run(connect(history_url), record, [{**row, "ci_low": None, "ci_high": None, "direction": "lower"}])
        made.poll_history()
        made.poll_live()
        answer = httpx.get(f"{url}/metrics", trust_env=False)
        assert httpx.get(f"{url}/else", trust_env=False).status_code == 404
    finally:
        listening.shutdown()
        listening.server_close()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    for line in (
        "loadtest_history_up 1",
        'loadtest_verdict{profile="smoke",target="demo",verdict="PASS"} 1',
        'loadtest_metric{profile="smoke",target="demo",metric="latency_p95_ms"} 321',
    ):
        assert line in answer.text.splitlines()
    assert "loadtest_weekly_silence_seconds" in answer.text
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=answer.text, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_broken_bundle_costs_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The background goes on; without a history none is told."""
    (begun(tmp_path).path / "manifest.json").write_text("{", encoding="utf-8")
    made = exporter(tmp_path)
    made.poll_history()
    with pytest.raises(json.JSONDecodeError):
        made.poll_live()
    made.start()
    deadline = time.monotonic() + 10
    while "JSONDecodeError" not in caplog.text and time.monotonic() < deadline:
        time.sleep(0.05)
    assert caplog.text.count("JSONDecodeError") == 1
    assert made.page() == ""


def test_where_it_listens_and_reads_comes_from_the_environment() -> None:
    """On this machine only, unless somebody wants it otherwise; results on no disk are not read."""
    assert address_of({}) == ("127.0.0.1", 9646)
    assert address_of({"LOADTEST_EXPORTER_ADDRESS": "[::1]:0"}) == ("::1", 0)
    for text in ("9646", "localhost", "127.0.0.1:x", "127.0.0.1:99999"):
        with pytest.raises(ConfigError, match="LOADTEST_EXPORTER_ADDRESS"):
            address_of({"LOADTEST_EXPORTER_ADDRESS": text})
    assert results_folder({"LOADTEST_RESULTS_URI": "file:///results"}) == Path("/results")
    assert results_folder({"LOADTEST_RESULTS_URI": "s3://bucket/results"}) is None
