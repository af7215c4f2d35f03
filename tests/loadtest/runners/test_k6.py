"""A real k6 against a real demo target."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import psutil
import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.lease_file import LeaseGuard
from include.loadtest.recorder import SAMPLE_SCHEMA
from include.loadtest.runners import process
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import ORDERLY_EXITS, LoadRequest, load_reasons, phase_spans
from include.loadtest.validation.evidence import read_evidence
from include.loadtest.validation.validity import validity_reasons

pytestmark = pytest.mark.integration

QUICK = {"engine": "k6", "think_time_s": {"min": 0.05, "max": 0.1}}
ROOT = Path(__file__).parents[3]


def samples(bundle: Bundle) -> list[tuple[Any, ...]]:
    columns = "user, iteration, scenario, outcome, error, phase, latency_us, epoch_ns(intended_start), status"
    query = f"SELECT {columns} FROM '{bundle.samples_dir}/*.parquet' ORDER BY user, iteration"
    return duckdb.sql(query).fetchall()


def engines(work_dir: Path) -> list[psutil.Process]:
    """The k6 of one run: others may be at work on this machine."""
    plan = str(work_dir / "k6-plan.json")
    found = ((process, process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [process for process, line in found if any(plan in part for part in line)]


def await_parts(bundle: Bundle, count: int = 1) -> None:
    deadline = time.monotonic() + 40
    while len(list(bundle.samples_dir.glob("*.parquet"))) < count:
        assert time.monotonic() < deadline, "no samples came"
        time.sleep(0.1)


def counted(demo: Any, run_id: str) -> dict[str, int]:
    with demo.client() as client:
        found: dict[str, int] = client.get("/admin/requests", params={"run_id": run_id}).json()
    return found


def test_every_request_is_a_sample_and_shares_are_exact(demo: Any, load_request: Callable[..., LoadRequest]) -> None:
    """Samples equal the target's own count; complete decks have the profile's shares; phases, readings, page."""
    request = load_request("smoke-k6-count", duration_s=10, ramp_up_s=3, **QUICK)
    lines: list[str] = []
    result = run_load(request, lines.append)
    rows = samples(request.bundle)
    log = (request.bundle.path / "generator.log").read_text()
    assert (result.engine, result.completed) == ("k6", True), log
    assert result.exit_code in ORDERLY_EXITS["k6"]
    asked = counted(demo, "smoke-k6-count")
    assert (len(rows), len(rows)) == (asked["load"], sum(asked.values()))
    assert Counter(row[3] for row in rows) == {"ok": len(rows)}, log
    decks: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for user, iteration, scenario, *_ in rows:
        decks[user, iteration // 20][scenario] += 1
    complete = [deck for deck in decks.values() if sum(deck.values()) == 20]
    assert len(complete) >= 5
    assert all(deck == Counter(request.profile.deck()) for deck in complete)
    start_ns = result.started.timestamp() * 1e9 if result.started else 0
    for row in rows:
        offset_s = (row[7] - start_ns) / 1e9
        assert -0.001 <= offset_s < 13.001
        assert row[5] == ("ramp_up" if offset_s < 3 else "hold")
    first_s = {user: (next(row[7] for row in rows if row[0] == user) - start_ns) / 1e9 for user in request.user_numbers}
    planned_s = dict(zip(request.user_numbers, (0, 0.6, 1.2, 1.8, 2.4), strict=True))
    assert first_s == pytest.approx(planned_s, abs=0.4)
    assert any("5 users |" in line and "req/min" in line for line in lines)
    assert load_reasons(request.profile, result.document()) == []
    assert "k6 counted" in (request.bundle.path / "k6_summary.html").read_text()
    parts = duckdb.sql(f"DESCRIBE SELECT * FROM '{request.bundle.samples_dir}/*.parquet'").fetchall()
    assert [part[0] for part in parts] == SAMPLE_SCHEMA.names
    _check_readings(request, result.document())


def _check_readings(request: LoadRequest, load: dict[str, Any]) -> None:
    """Every figure that starvation is judged by, of k6 itself; the parts were closed while it ran."""
    spans = {"phases": [{"name": "hold", "stage": "hold", "start": load["started"], "end": load["ended"]}]}
    evidence = read_evidence(request.bundle, spans)
    figures = {reading.metric: reading.value for reading in evidence.readings if reading.source == "generator"}
    assert {"users", "loop_lag_ms", "cpu_pct", "run_queue_wait_ms_per_s", "clock_step_ms"} <= figures.keys()
    assert len(list(request.bundle.samples_dir.glob("*.parquet"))) >= 3
    reasons = validity_reasons(request.profile, {"load": load}, evidence, ())
    assert not any("left no reading" in reason.text for reason in reasons)


def test_wrong_slow_and_rejected_answers_have_their_own_outcomes(
    demo: Any, load_request: Callable[..., LoadRequest]
) -> None:
    """A 200 without an answer, an answer after the user's patience, a 500 and a 429 are told apart, as with Locust."""
    faults = {
        "llm_down": True,
        "error_share": {"legal_search": 1.0},
        "latency_added_ms": {"documents_upload": 3000},
        "cache_flush": True,
        "rate_limits": True,
    }
    with demo.client() as client:
        client.put("/admin/faults", json=faults).raise_for_status()
        try:
            request = load_request("smoke-k6-faults", duration_s=4, ramp_up_s=0, timeout_s=1.0, **QUICK)
            run_load(request, print)
        finally:
            client.delete("/admin/faults").raise_for_status()
    rows = samples(request.bundle)
    by_scenario: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    for row in rows:
        by_scenario[row[2]].add((row[3], row[4]))
    assert ("wrong_answer", "answer: the target's error sentence") in by_scenario["complex_query"]
    assert any(outcome == "rejected" and "HTTP 429: " in str(error) for outcome, error in by_scenario["simple_query"])
    assert {outcome for outcome, _ in by_scenario["knowledge_search"]} == {"http_error"}
    assert all(str(error).startswith("HTTP 500: ") for _, error in by_scenario["knowledge_search"])
    assert by_scenario["document_upload"] == {("timeout", "timeout after 1 s")}
    assert all(1_000_000 <= row[6] < 1_500_000 for row in rows if row[3] == "timeout")


def test_a_killed_generator_leaves_its_samples_and_a_reason(
    load_request: Callable[..., LoadRequest], tmp_path: Path
) -> None:
    """kill -9 of k6, and of the process beside it: neither goes on alone, and what was written stays."""
    requests = []
    for name in ("killed", "alone"):
        (tmp_path / name).mkdir()
        request = load_request(f"smoke-k6-{name}", duration_s=30, **QUICK)
        requests.append(replace(request, work_dir=tmp_path / name))
    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(run_load, request, print) for request in requests]
        found = []
        for request in requests:
            await_parts(request.bundle)
            found += engines(request.work_dir)
        victims = (found[0], found[1].parent())
        for victim in victims:
            assert victim is not None
            victim.kill()
        results = [load.result() for load in running]
    assert [(result.completed, result.exit_code) for result in results] == [(False, 137), (False, -9)]
    _gone, alive = psutil.wait_procs(found, timeout=5)
    assert (len(found), alive) == (2, [])
    for request, result in zip(requests, results, strict=True):
        assert len(samples(request.bundle)) > 10
        (reason,) = load_reasons(request.profile, result.document())
        assert reason.code == "generator_died"
        assert "(ended by signal 9)" in reason.text
        hold = phase_spans(request.profile.stages(), result)[-1]
        assert hold["end"] <= result.ended.isoformat().replace("+00:00", "Z")


def test_a_stop_ends_the_load_within_five_seconds_and_loses_nothing(
    load_request: Callable[..., LoadRequest], demo: Any
) -> None:
    """What was under way is cut and recorded; every request that the target saw is a sample."""
    request = load_request("smoke-k6-stopped", duration_s=60, ramp_up_s=0, **QUICK)
    asked_at: list[float] = []

    def stop_requested() -> bool:
        if any(request.bundle.samples_dir.glob("*.parquet")) and not asked_at:
            asked_at.append(time.time())
        return bool(asked_at)

    result = run_load(request, print, stop_requested)
    assert (result.completed, result.stopped_by) == (False, "operator")
    assert result.exit_code in ORDERLY_EXITS["k6"]
    assert result.ended.timestamp() - asked_at[0] < 5
    rows = samples(request.bundle)
    assert max(row[7] for row in rows) / 1e9 - asked_at[0] < 5
    assert len(rows) == counted(demo, "smoke-k6-stopped")["load"]
    assert {row[3] for row in rows} <= {"ok", "censored"}
    assert load_reasons(request.profile, result.document())[0].code == "operator"


STARTER = """
import pickle, sys
from include.loadtest.runners.engines import run_load
run_load(pickle.load(open(sys.argv[1], "rb")), print)
"""


def test_k6_ends_when_the_process_that_watches_the_load_is_killed(
    load_request: Callable[..., LoadRequest], tmp_path: Path
) -> None:
    """No load goes on without somebody who can stop it; its samples and its account stand in the bundle."""
    request = load_request("smoke-k6-orphan", duration_s=60, **QUICK)
    (tmp_path / "request.pickle").write_bytes(pickle.dumps(request))
    command = [sys.executable, "-c", STARTER, str(tmp_path / "request.pickle")]
    starter = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT)
    await_parts(request.bundle)
    supervisors = [process.parent() for process in engines(request.work_dir)]
    assert len(supervisors) == 1
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 15
    while engines(request.work_dir):
        assert time.monotonic() < deadline, "k6 outlived the process that started it"
        time.sleep(0.2)
    assert supervisors[0] is not None
    psutil.wait_procs([supervisors[0]], timeout=5)
    assert '"ended_ns"' in (request.bundle.path / "generator-w0.json").read_text()


def test_a_dead_target_ends_the_load_by_the_profiles_rule(load_request: Callable[..., LoadRequest]) -> None:
    """Nine tenths of the requests of a window of 5 s failed: the load of a minute ends, and says so."""
    rules = {"window_s": 5, "min_requests": 20, "error_share": 0.9, "latency_p95_ms": None, "starved_s": None}
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        request = load_request("smoke-k6-dead", duration_s=60, ramp_up_s=0, auto_stop=rules, engine="k6")
        result = run_load(replace(request, base_url=url), print)
    assert (result.completed, result.stopped_by) == (False, "auto_stop_errors")
    reason = load_reasons(request.profile, result.document())[0]
    assert (reason.code, reason.kind) == ("auto_stop_errors", "aborted")
    rows = samples(request.bundle)
    assert {(row[3], row[4], row[8]) for row in rows} == {
        ("connection_error", "connection: ConnectionRefusedError errno 111", None)
    }
    assert result.started is not None
    assert 5 <= (result.ended - result.started).total_seconds() < 12


def test_requests_that_never_end_are_censored(demo: Any, load_request: Callable[..., LoadRequest]) -> None:
    """What is still running a few seconds after the last stage is cut, and counts as at least that long."""
    request = load_request("smoke-k6-censored", duration_s=1, ramp_up_s=0, timeout_s=60.0, **QUICK)
    with demo.frozen():
        result = run_load(request, print)
    rows = samples(request.bundle)
    assert result.completed
    assert [row[3] for row in rows if row[3] != "ok"] == ["censored"] * 5
    assert all(5_000_000 < row[6] < 7_100_000 for row in rows if row[3] == "censored")


@pytest.mark.parametrize("watched", [True, False])
def test_without_a_lease_nothing_is_sent(
    demo: Any,
    load_request: Callable[..., LoadRequest],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    watched: bool,
) -> None:
    """The target is somebody else's by now: whoever notices first, the watcher or the process beside k6, ends k6."""
    if not watched:
        monkeypatch.setattr(process, "LeaseGuard", lambda _path: LeaseGuard(None))
    run_id = f"smoke-k6-lease-{watched}".lower()
    request = load_request(run_id, duration_s=10, **QUICK)
    result = run_load(replace(request, lease_file=tmp_path / "no-lease.json"), print)
    assert (result.completed, result.started, result.stopped_by) == (False, None, "target_locked")
    assert counted(demo, run_id) == {"login": 0, "warm_up": 0, "load": 0}
