"""The exporter serves what runs and what was, finds runs by itself, and bears whatever is missing."""

import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text as sql

from include.embedded.postgres import ensure_database, start_postgres, stop_postgres
from include.embedded.servers import wait_until
from include.loadtest.bundle import Bundle
from include.loadtest.errors import ConfigError, InfrastructureError
from include.loadtest.history.database import transaction
from include.loadtest.history.latest import LatestRun
from include.loadtest.history.store import RunRecord, connect, record_run, upgrade
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing import exporter as module
from include.loadtest.publishing.exporter import (
    Exporter,
    address_of,
    is_loopback,
    main,
    results_folder,
    running_bundles,
    server,
)
from include.loadtest.publishing.history_page import History
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
    told: list[str] = []

    def note(where: str, _error: Exception) -> None:
        told.append(where)

    assert [bundle.run_id for bundle in running_bundles(tmp_path, time.time(), note)] == ["smoke-1"]
    assert list(running_bundles(tmp_path / "none", time.time(), note)) == []
    assert told == []


def test_a_run_is_told_while_its_load_is_sent(tmp_path: Path) -> None:
    """With all parts so far, whenever the exporter began; gone when the load has ended."""
    bundle, made = begun(tmp_path), exporter(tmp_path)
    made.poll_live()
    text = made.page()
    assert 'loadtest_users{run_id="smoke-1",profile="smoke",target="demo"} 5' in text
    assert 'scenario="simple_query",outcome="ok"} 30' in text
    assert 'shared_host="yes",source="host",server="here",metric="cpu_pct",unit="%"} 91.5' in text
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
    assert "loadtest_weekly_silence_start_timestamp_seconds" in answer.text
    assert "loadtest_configuration_ok 1" in answer.text
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=answer.text, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_a_broken_bundle_hides_no_other_and_costs_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A manifest that was cut, one without a target; a part of another shape is passed over with the next poll."""
    (begun(tmp_path, "smoke-cut").path / "manifest.json").write_text('{"profile": ', encoding="utf-8")
    begun(tmp_path, "smoke-bare", target=None)
    foreign = begun(tmp_path, "smoke-foreign").samples_dir / "w0-000001.parquet"
    names = ("intended_start", "latency_us", "scenario", "outcome")
    pq.write_table(pa.table({name: ["no number"] for name in names}), foreign)
    begun(tmp_path, "smoke-well")
    made = exporter(tmp_path)
    made.poll_history()  # without a history none is told
    told = []
    for _ in range(3):
        made.poll_live()
        told.append(set(re.findall(r'run_id="([^"]+)"', made.page())))
    assert told == [{"smoke-well"}, {"smoke-well", "smoke-foreign"}, {"smoke-well", "smoke-foreign"}]
    for run_id in ("smoke-cut", "smoke-bare", "smoke-foreign"):
        assert caplog.text.count(run_id) == 1, caplog.text


def test_a_scrape_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a poll reads, the page is what was read before."""
    begun(tmp_path)
    made, reads, goes_on = exporter(tmp_path), threading.Event(), threading.Event()
    made.poll_live()
    before = made.page()

    def slow(_live: LiveRun) -> None:
        reads.set()
        goes_on.wait(20)

    monkeypatch.setattr(LiveRun, "poll", slow)
    thread = threading.Thread(target=made.poll_live, daemon=True)
    thread.start()
    try:
        assert reads.wait(20)
        answers: list[str] = []
        scrape = threading.Thread(target=lambda: answers.append(made.page()), daemon=True)
        scrape.start()
        scrape.join(10)
        assert answers == [before]
        assert "smoke-1" in before
    finally:
        goes_on.set()
        thread.join(20)


def test_what_is_old_is_not_told_as_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A history or a disk that hangs says nothing after a minute, and the history's absence is said."""
    begun(tmp_path)
    made = exporter(tmp_path, "postgresql://nobody@127.0.0.1:1/history")
    monkeypatch.setattr(module, "read_history", lambda *_: History([LatestRun("smoke", "demo", "PASS", {})]))
    made.poll_history()
    made.poll_live()
    fresh, old = made.page(time.monotonic() + 50), made.page(time.monotonic() + 61)
    assert all(text in fresh for text in ("loadtest_users", "loadtest_history_up 1", 'verdict="PASS"'))
    assert [line for line in old.splitlines() if not line.startswith("#")] == ["loadtest_history_up 0"]
    hanging = exporter(tmp_path, "postgresql://nobody@127.0.0.1:1/history")
    assert hanging.page() == ""
    assert "loadtest_history_up 0" in hanging.page(time.monotonic() + 61)


@pytest.mark.parametrize("error", [InfrastructureError("away"), KeyError("odd"), ValueError("verdict")])
def test_a_history_that_fails_in_any_way_is_said_to_be_away(
    tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What it said before is gone at once, and the fault is one line, each time that it comes."""
    made = exporter(tmp_path, "postgresql://nobody@127.0.0.1:1/history")
    monkeypatch.setattr(module, "read_history", lambda *_: History([LatestRun("smoke", "demo", "PASS", {})]))
    made.poll_history()

    def fails(*_: object) -> History:
        raise error

    monkeypatch.setattr(module, "read_history", fails)
    for _ in range(3):
        made.poll_history()
    assert [line for line in made.page().splitlines() if not line.startswith("#")] == ["loadtest_history_up 0"]
    assert caplog.text.count(type(error).__name__) == 1
    monkeypatch.setattr(module, "read_history", lambda *_: History())
    made.poll_history()
    assert "loadtest_history_up 1" in made.page()
    monkeypatch.setattr(module, "read_history", fails)
    made.poll_history()
    assert caplog.text.count(type(error).__name__) == 2


def test_a_faulty_calendar_is_told_apart(
    tmp_path: Path, history_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The history is up, its verdicts are told; so with a target that has no file."""

    def faulty() -> None:
        raise ConfigError("calendar.yaml:3: no date")

    upgrade(history_url)
    unknown = Exporter(tmp_path, load_thresholds(), history_url, "nowhere")
    unknown.poll_history()
    made = exporter(tmp_path, history_url)
    monkeypatch.setattr(module, "load_calendar", faulty)
    made.poll_history()
    for text in (unknown.page(), made.page()):
        assert "loadtest_history_up 1" in text
        assert "loadtest_configuration_ok 0" in text
        assert "loadtest_weekly_silence" not in text
    assert "configuration: ConfigError: calendar.yaml:3: no date" in caplog.text
    assert "configuration: ConfigError: target: unknown target 'nowhere'" in caplog.text


def test_a_locked_history_is_away_within_the_time_limit(tmp_path: Path, history_url: str) -> None:
    """Somebody holds a table: the statement is ended by the server."""
    upgrade(history_url)
    made = exporter(tmp_path, history_url)
    with transaction(connect(history_url)) as connection:
        connection.execute(sql("LOCK TABLE loadtest.run IN ACCESS EXCLUSIVE MODE"))
        with patch.object(module, "HISTORY_TIMEOUT_S", 1):
            made.poll_history()
        assert "loadtest_history_up 0" in made.page()
    made.poll_history()
    assert "loadtest_history_up 1" in made.page()


def test_connections_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes when all are taken is hung up on, and is served once one is free; over IPv6 as well."""
    monkeypatch.setattr(module, "MAX_CONNECTIONS", 2)
    listening = server(exporter(tmp_path), ("::1", 0))
    threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
    port = listening.server_address[1]
    try:
        silent = [socket.create_connection(("::1", port)) for _ in range(2)]
        with socket.create_connection(("::1", port), timeout=20) as third:
            assert third.recv(1) == b""
        for one in silent:
            one.close()

        def is_served() -> bool:
            try:
                return httpx.get(f"http://[::1]:{port}/metrics", trust_env=False).status_code == 200
            except httpx.TransportError:
                return False

        assert wait_until(is_served, 20)
    finally:
        listening.shutdown()
        listening.server_close()


@pytest.mark.parametrize(
    ("host", "is_own"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],  # noqa: S104
)
def test_an_address_that_others_reach_is_warned_of(
    host: str, is_own: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One line: it was set by hand, and nobody is asked for a password."""
    monkeypatch.setattr(module.Exporter, "start", lambda _self: None)
    monkeypatch.setattr(ThreadingHTTPServer, "serve_forever", lambda self: self.server_close())
    monkeypatch.setenv("LOADTEST_EXPORTER_ADDRESS", f"[{host}]:0" if ":" in host else f"{host}:0")
    with caplog.at_level("INFO"):
        assert main() == 0
    assert is_loopback(host) is is_own
    assert caplog.text.count("without a password") == (0 if is_own else 1)
    assert f"http://{f'[{host}]' if ':' in host else host}:" in caplog.text


def test_where_it_listens_and_reads_comes_from_the_environment() -> None:
    """On this machine only, unless somebody wants it otherwise; results on no disk are not read."""
    assert address_of({}) == ("127.0.0.1", 9646)
    assert address_of({"LOADTEST_EXPORTER_ADDRESS": "[::1]:0"}) == ("::1", 0)
    for text in ("9646", "localhost", "127.0.0.1:x", "127.0.0.1:99999", "::1:9646", "[]:9646", "[::1:9646"):
        with pytest.raises(ConfigError, match="LOADTEST_EXPORTER_ADDRESS"):
            address_of({"LOADTEST_EXPORTER_ADDRESS": text})
    assert results_folder({"LOADTEST_RESULTS_URI": "file:///results"}) == Path("/results")
    assert results_folder({"LOADTEST_RESULTS_URI": "s3://bucket/results"}) is None
