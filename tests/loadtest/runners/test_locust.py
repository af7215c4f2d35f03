"""A real Locust against the real demo target: every request is a sample, and nothing of the generator survives it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import psutil
import pytest

from include.loadtest.profile import Overrides, find_profile, load_profile
from include.loadtest.runners import process as processes
from include.loadtest.runners.generator import ORDERLY_EXITS, load_reasons, phase_spans
from include.loadtest.runners.locust import LOCUSTFILE, run_locust
from include.loadtest.validation.evidence import read_evidence
from include.loadtest.validation.validity import validity_reasons
from include.locustfiles.crew import member_id
from tests.helpers.generators import SharedLoad, wait_until

pytestmark = pytest.mark.integration


def samples(bundle) -> list[tuple]:
    columns = "user, iteration, scenario, outcome, error, phase, latency_us, ttfb_us, epoch_ns(intended_start)"
    query = f"SELECT {columns} FROM '{bundle.samples_dir}/*.parquet' ORDER BY user, iteration"
    return duckdb.sql(query).fetchall()


def generators(bundle) -> list[psutil.Process]:
    """Those of one run: others may be at work on this machine."""
    html = str(bundle.path / "locust_results.html")
    lines = ((process, process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"]))
    return [process for process, line in lines if str(LOCUSTFILE) in line and html in line]


def test_every_request_is_a_sample_and_shares_are_exact(demo, load_request) -> None:
    """Samples equal the target's own count; all answers are ok; each complete deck has the profile's shares."""
    think = {"min": 0.05, "max": 0.1}
    request = load_request("smoke-count", duration_s=12, think_time_s=think, ramp_up_s=1)
    lines: list[str] = []
    result = run_locust(request, lines.append)
    rows = samples(request.bundle)
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "smoke-count"}).json()
    log = (request.bundle.path / "generator.log").read_text()
    assert result.completed, log
    assert (len(rows), len(rows)) == (counted["load"], sum(counted.values()))
    assert Counter(row[3] for row in rows) == {"ok": len(rows)}, log
    decks: dict[tuple[int, int], Counter] = defaultdict(Counter)
    for user, iteration, scenario, *_ in rows:
        decks[user, iteration // 20][scenario] += 1
    complete = [deck for deck in decks.values() if sum(deck.values()) == 20]
    assert len(complete) >= 5
    assert all(deck == Counter(request.profile.deck()) for deck in complete)
    first_user = [row[1] for row in rows if row[0] == rows[0][0]]
    assert first_user == list(range(len(first_user)))
    assert all((row[7] is not None) == (row[2] in ("simple_query", "complex_query")) for row in rows)
    assert any("users |" in line and "req/min" in line for line in lines)
    spans = phase_spans(request.profile.stages(), result)
    assert [span["name"] for span in spans] == ["ramp_up", "hold"]
    assert load_reasons(request.profile, result.document()) == []
    assert (request.bundle.path / "locust_results.html").stat().st_size > 10_000


def test_samples_belong_to_the_phase_of_their_intended_start(load_request) -> None:
    """No request is intended after the last stage."""
    request = load_request("smoke-phases", duration_s=4, ramp_up_s=2)
    result = run_locust(request, print)
    start_ns = result.started.timestamp() * 1e9
    for row in samples(request.bundle):
        offset_s = (row[8] - start_ns) / 1e9
        assert -0.001 <= offset_s < 6
        assert row[5] == ("ramp_up" if offset_s < 2 - 0.001 else "hold") or abs(offset_s - 2) < 0.001


def test_wrong_answers_and_slow_answers_have_their_own_outcomes(demo, load_request) -> None:
    """A 200 without an answer, an answer after the user's patience, and a 500 are told apart."""
    with demo.client() as client:
        client.put("/admin/faults", json={"llm_down": True, "error_share": {"legal_search": 1.0}}).raise_for_status()
        client.put(
            "/admin/faults", json={"latency_added_ms": {"documents_upload": 3000}, "cache_flush": True}
        ).raise_for_status()
        try:
            request = load_request("smoke-faults", think_time_s={"min": 0.1, "max": 0.2}, timeout_s=1.0)
            run_locust(request, print)
        finally:
            client.delete("/admin/faults").raise_for_status()
    by_scenario: dict[str, set] = defaultdict(set)
    for row in samples(request.bundle):
        by_scenario[row[2]].add((row[3], row[4]))
    assert ("wrong_answer", "answer: the target's error sentence") in by_scenario["complex_query"]
    assert {outcome for outcome, _ in by_scenario["knowledge_search"]} == {"http_error"}
    assert by_scenario["document_upload"] == {("timeout", "timeout after 1 s")}
    timeouts = [row[6] for row in samples(request.bundle) if row[3] == "timeout"]
    assert all(1_000_000 <= latency_us < 1_500_000 for latency_us in timeouts)


def test_requests_that_never_end_are_censored(demo, load_request) -> None:
    """What is still running a few seconds after the last stage is cut, and counts as at least that long."""
    request = load_request("smoke-censored", duration_s=3, ramp_up_s=0, timeout_s=60.0)
    with demo.frozen():
        result = run_locust(request, print)
    rows = samples(request.bundle)
    assert result.completed
    assert {row[3] for row in rows[-5:]} <= {"censored", "ok"}
    censored = [row for row in rows if row[3] == "censored"]
    assert len(censored) == 5
    assert all(row[6] > 5_000_000 for row in censored)


def test_arrivals_come_on_their_schedule_with_exact_shares(load_request) -> None:
    """A ramp of 4 s and 8 s of 5 a second: 50 arrivals, each at its time, two complete decks as in the profile."""
    arrival = {"rate_rpm": 300.0, "max_users": 5, "patience_s": None}
    request = load_request("smoke-open", duration_s=8, ramp_up_s=4, arrival=arrival, timeout_s=20.0)
    lines: list[str] = []
    result = run_locust(request, lines.append)
    columns = "scenario, outcome, phase, epoch_ns(intended_start), latency_us, user"
    rows = duckdb.sql(f"SELECT {columns} FROM '{request.bundle.samples_dir}/*.parquet' ORDER BY 4").fetchall()
    assert (result.planned_arrivals, result.sent_arrivals, len(rows)) == (50, 50, 50)
    assert result.completed
    assert load_reasons(request.profile, result.document()) == []
    start_ns = result.started.timestamp() * 1e9
    offsets_s = [(row[3] - start_ns) / 1e9 for row in rows]
    expected_s = [(2 * 4 * number / 5) ** 0.5 if number < 10 else 4 + (number - 10) / 5 for number in range(50)]
    assert offsets_s == pytest.approx(expected_s, abs=0.001)
    assert [row[2] for row in rows] == ["ramp_up"] * 10 + ["hold"] * 40
    for deck in (rows[:20], rows[20:40]):
        assert Counter(row[0] for row in deck) == {name: n for name, n in request.profile.deck().items() if n}
    assert {row[1] for row in rows} == {"ok"}
    assert {row[5] for row in rows} == set(request.user_numbers)
    assert any("of 50 arrivals" in line for line in lines)


def test_arrivals_without_a_free_user_are_dropped_or_cut(demo, load_request) -> None:
    """Answers of 3 s, two users, five arrivals a second, patience 1 s: a wait counts, no place within it is a drop."""
    with demo.client() as client:
        client.put("/admin/faults", json={"latency_added_ms": {"all": 3000}}).raise_for_status()
        try:
            arrival = {"rate_rpm": 300.0, "max_users": 2, "patience_s": 1.0}
            request = load_request("smoke-drop", 2, duration_s=8, ramp_up_s=0, arrival=arrival, timeout_s=20.0)
            result = run_locust(request, print)
        finally:
            client.delete("/admin/faults").raise_for_status()
    columns = "outcome, latency_us, epoch_ns(start) - epoch_ns(intended_start), endpoint, user, error"
    rows = duckdb.sql(f"SELECT {columns} FROM '{request.bundle.samples_dir}/*.parquet'").fetchall()
    assert (result.planned_arrivals, result.sent_arrivals, len(rows)) == (40, 40, 40)
    dropped = [row for row in rows if row[0] == "dropped"]
    assert {row[1:] for row in dropped} == {(1_000_000, 1_000_000_000, "not_sent", 0, "no user was free within 1 s")}
    served = [row for row in rows if row[0] == "ok"]
    assert len(dropped) > 25
    assert len(served) >= 4
    assert len(dropped) + len(served) == 40
    assert all(row[1] >= 3_000_000 + row[2] // 1000 for row in served)
    assert max(row[2] for row in served) > 400_000_000
    with demo.client() as client:
        assert client.get("/admin/requests", params={"run_id": "smoke-drop"}).json()["load"] == len(served)


def test_a_killed_generator_leaves_its_samples_and_a_reason(load_request) -> None:
    """kill -9 in the middle: closed parts stay, the load is not complete, and the reason says so."""
    request = load_request("smoke-killed", duration_s=30, think_time_s={"min": 0.05, "max": 0.1})

    def kill() -> None:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and len(list(request.bundle.samples_dir.glob("*.parquet"))) < 2:
            time.sleep(0.1)
        for process in generators(request.bundle):
            process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_locust(request, print)
    killer.join()
    assert (result.completed, result.exit_code) == (False, -9)
    assert len(samples(request.bundle)) > 10
    assert [reason.code for reason in load_reasons(request.profile, result.document())] == ["generator_died"]
    hold = phase_spans(request.profile.stages(), result)[-1]
    assert hold["end"] <= result.ended.isoformat().replace("+00:00", "Z")


STARTER = """
import pickle, sys
from include.loadtest.runners.locust import LOCUSTFILE, run_locust
run_locust(pickle.load(open(sys.argv[1], "rb")), print)
"""


def test_the_generator_ends_when_the_process_that_watches_it_is_killed(load_request, tmp_path) -> None:
    """No load goes on without somebody who can stop it."""
    import pickle

    request = load_request("smoke-orphan", duration_s=60)
    (tmp_path / "request.pickle").write_bytes(pickle.dumps(request))
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(tmp_path / "request.pickle")], env=environment, cwd=root
    )
    deadline = time.monotonic() + 40
    while not list(request.bundle.samples_dir.glob("*.parquet")):
        assert time.monotonic() < deadline, (request.bundle.path / "generator.log").read_text()
        time.sleep(0.1)
    os.kill(starter.pid, signal.SIGKILL)
    starter.wait()
    deadline = time.monotonic() + 15
    while generators(request.bundle):
        assert time.monotonic() < deadline, "the generator outlived the process that started it"
        time.sleep(0.2)


def test_a_stop_ends_new_requests_within_five_seconds_and_loses_nothing(load_request, demo) -> None:
    """The switch goes on in mid-load: running requests finish, the last part is written, the result says who did it."""
    request = load_request("smoke-stopped", duration_s=60, ramp_up_s=0)
    asked_at: list[float] = []

    def stop_requested() -> bool:
        if len(list(request.bundle.samples_dir.glob("*.parquet"))) >= 2 and not asked_at:
            asked_at.append(time.time())
        return bool(asked_at)

    result = run_locust(request, print, stop_requested)
    assert (result.completed, result.stopped_by) == (False, "operator")
    assert result.exit_code in ORDERLY_EXITS["locust"]
    rows = samples(request.bundle)
    assert max(row[8] for row in rows) / 1e9 - asked_at[0] < 5
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "smoke-stopped"}).json()
    assert len(rows) == counted["load"]
    assert load_reasons(request.profile, result.document())[0].code == "operator"


@contextmanager
def refusing() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{closed.getsockname()[1]}"


def test_a_dead_target_ends_the_load_by_the_profiles_rule(load_request) -> None:
    """Nine tenths of the requests of a window of 5 s failed: the load of a minute ends, and says so."""
    rules = {"window_s": 5, "min_requests": 20, "error_share": 0.9, "latency_p95_ms": None, "starved_s": None}
    with refusing() as url:
        request = replace(load_request("smoke-dead", duration_s=60, ramp_up_s=0, auto_stop=rules), base_url=url)
        began_s = time.monotonic()
        result = run_locust(request, print)
    assert time.monotonic() - began_s < 30
    assert (result.completed, result.stopped_by) == (False, "auto_stop_errors")
    reason = load_reasons(request.profile, result.document())[0]
    assert (reason.code, reason.kind) == ("auto_stop_errors", "aborted")
    assert "requests of the last 5 s failed" in reason.text
    assert {row[3] for row in samples(request.bundle)} == {"connection_error"}
    assert 5 <= (result.ended - result.started).total_seconds() < 12


def test_a_generator_that_is_told_to_end_by_nobody_we_know_cut_its_load(load_request) -> None:
    """SIGTERM from elsewhere: it ends in order, so it did not die; which phase is short, the manifest shows."""
    request = load_request("smoke-cut", duration_s=60)

    def end() -> None:
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and len(list(request.bundle.samples_dir.glob("*.parquet"))) < 2:
            time.sleep(0.1)
        for process in generators(request.bundle):
            process.terminate()

    ender = threading.Thread(target=end)
    ender.start()
    result = run_locust(request, print)
    ender.join()
    assert (result.completed, result.stopped_by) == (False, None)
    assert load_reasons(request.profile, result.document()) == []
    evidence = read_evidence(request.bundle, {"phases": phase_spans(request.profile.stages(), result)})
    reasons = validity_reasons(request.profile, {"load": result.document()}, evidence, ())
    # A busy machine may hold the generator back in so short a load, which is another finding.
    assert {reason.code for reason in reasons} - {"generator_starved"} == {"phases_cut"}


def test_the_generator_says_how_it_fared(load_request) -> None:
    """Every figure that starvation is judged by, the users and the clock, also of a hold shorter than an interval."""
    request = load_request("smoke-self", duration_s=3, ramp_up_s=0)
    result = run_locust(request, print)
    evidence = read_evidence(request.bundle, {"phases": phase_spans(request.profile.stages(), result)})
    figures = {reading.metric: reading.value for reading in evidence.readings if reading.source == "generator"}
    assert {"users", "loop_lag_ms", "cpu_pct", "run_queue_wait_ms_per_s", "clock_step_ms"} <= figures.keys()
    assert abs(figures["clock_step_ms"]) < 100
    reasons = validity_reasons(request.profile, {"load": result.document()}, evidence, ())
    assert not any("left no reading" in reason.text for reason in reasons)


def workers_rows(bundle) -> dict[str, list[tuple]]:
    """Samples by generator: user, iteration, scenario, phase, intended start in seconds."""
    query = (
        "SELECT worker, user, iteration, scenario, phase, epoch_ns(intended_start) / 1e9 "
        f"FROM '{bundle.samples_dir}/*.parquet' ORDER BY worker, user, iteration"
    )
    rows: dict[str, list[tuple]] = defaultdict(list)
    for worker, *row in duckdb.sql(query).fetchall():
        rows[worker].append(tuple(row))
    return rows


@pytest.fixture
def ahead(tmp_path, monkeypatch) -> float:
    """The second generator lives on a machine whose clock is so many seconds ahead."""
    shift_s = 7.5
    (tmp_path / "shim").mkdir()
    lines = ("import time", "_time, _ns = time.time, time.time_ns", f"time.time = lambda: _time() + {shift_s}",
             f"time.time_ns = lambda: _ns() + {int(shift_s * 1e9)}")  # fmt: skip
    (tmp_path / "shim" / "sitecustomize.py").write_text("\n".join(lines))
    own = processes._environment

    def environment(plan: Path) -> dict[str, str]:
        found = own(plan)
        return found | {"PYTHONPATH": f"{tmp_path / 'shim'}:{found['PYTHONPATH']}"} if "w2" in plan.name else found

    monkeypatch.setattr(processes, "_environment", environment)
    return shift_s


def test_several_generators_send_one_load(demo, load_request, ahead) -> None:
    """Each user is played once, all in the master's time and phases; the target counts what the samples say."""
    think = {"min": 0.05, "max": 0.1}
    request = load_request("smoke-shared", duration_s=8, ramp_up_s=2, think_time_s=think, generators=2)
    load, lines = SharedLoad(request), list[str]()
    result = load.send(lines.append)
    log = (request.bundle.path / "generator.log").read_text()
    rows = workers_rows(request.bundle)
    with demo.client() as client:
        counted = client.get("/admin/requests", params={"run_id": "smoke-shared"}).json()
    assert (result.completed, result.reached_users, result.lost_samples) == (True, 5, 0), log
    assert load_reasons(request.profile, result.document()) == []
    assert load.exits == {"w1": 0, "w2": 0}
    assert sum(map(len, rows.values())) == counted["load"] == sum(one["requests"] for one in result.generators)
    users = {worker: sorted({row[0] for row in own}) for worker, own in rows.items()}
    assert users == {"w1": list(request.user_numbers[0::2]), "w2": list(request.user_numbers[1::2])}
    for user, iteration, _, phase, intended_s in rows["w1"] + rows["w2"]:
        offset_s = intended_s - result.started.timestamp()
        assert -0.05 <= offset_s < 10.05, (user, iteration)
        assert phase == ("ramp_up" if offset_s < 2 else "hold") or abs(offset_s - 2) < 0.05
    decks: dict[tuple[int, int], Counter] = defaultdict(Counter)
    for user, iteration, scenario, *_ in rows["w1"] + rows["w2"]:
        decks[user, iteration // 20][scenario] += 1
    complete = [deck for deck in decks.values() if sum(deck.values()) == 20]
    assert complete
    assert all(deck == Counter(request.profile.deck()) for deck in complete)
    first, second = result.generators
    assert abs(first["clock_offset_ms"]) < 100
    assert abs(second["clock_offset_ms"] + 1000 * ahead) < 100
    assert any("5 users |" in line for line in lines)
    evidence = read_evidence(request.bundle, {"phases": phase_spans(request.profile.stages(), result)})
    assert {reading.instance for reading in evidence.readings if reading.metric == "users"} == {"w1", "w2"}
    assert max(abs(reading.value) for reading in evidence.readings if reading.metric == "clock_step_ms") < 100


def test_requests_that_run_at_the_end_cost_no_generator_its_account(demo, load_request) -> None:
    """All of them outlast the time that they may: they are cut, recorded, and the load is whole."""
    request = load_request("smoke-drain", duration_s=4, ramp_up_s=0, timeout_s=20.0, generators=2)
    load, late_ms = SharedLoad(request), dict.fromkeys(("chat_stream", "documents_upload", "legal_search"), 9000)
    with demo.client() as client:
        client.put("/admin/faults", json={"latency_added_ms": late_ms}).raise_for_status()
    try:
        result = load.send()
    finally:
        with demo.client() as client:
            client.put("/admin/faults", json={"latency_added_ms": dict.fromkeys(late_ms, 0)}).raise_for_status()
    assert (result.completed, load_reasons(request.profile, result.document())) == (True, [])
    rows = {worker: len(own) for worker, own in workers_rows(request.bundle).items()}
    assert {one["worker"]: one["requests"] for one in result.generators} == rows
    evidence = read_evidence(request.bundle, {"phases": phase_spans(request.profile.stages(), result)})
    manifest = {"load": result.document(), "generators": result.generators}
    found = {reason.code for reason in validity_reasons(request.profile, manifest, evidence, ())}
    assert not found & {"generator_died", "samples_unreadable"}


def test_a_generator_that_is_killed_ends_the_load(load_request) -> None:
    """It is seen within seconds, long before the load's end, named, and nobody plays its users; the samples stay."""
    request = load_request("smoke-lost", duration_s=60, generators=2)
    load, killed_s = SharedLoad(request), list[float]()

    def kill() -> None:
        wait_until(lambda: any(request.bundle.samples_dir.glob("w2-*.parquet")), 60)
        began_s = json.loads((request.bundle.path / "generator-w0.json").read_text())["started_ns"] / 1e9
        time.sleep(max(0.0, began_s + 11 - time.time()))  # its first seconds take more patience
        load.process("w2").kill()
        killed_s.append(time.time())

    killer = threading.Thread(target=kill)
    killer.start()
    result = load.send()
    killer.join()
    # Seen within 5 s, then the other one's requests finish; on a busy machine later, but not at the end of the 60 s.
    assert result.ended.timestamp() - killed_s[0] < 25
    assert (result.completed, result.stopped_by) == (False, "generator_died")
    assert "generator w2 on " in result.stop_text
    assert "last sign of life" in result.stop_text
    rows = workers_rows(request.bundle)
    assert {row[0] for row in rows["w1"]} == set(request.user_numbers[0::2])
    assert rows["w2"]
    assert load.processes() == []


def test_generators_end_by_themselves_without_their_master(load_request) -> None:
    """Within seconds of its death; their samples stay, and its account says that the load is not complete."""
    request = load_request("smoke-no-master", duration_s=60, generators=2)
    load, alive_s = SharedLoad(request), list[float]()

    def kill() -> None:
        wait_until(lambda: any(request.bundle.samples_dir.glob("w2-*.parquet")), 60)
        load.process("w0").kill()
        alive_s.append(wait_until(lambda: not load.processes(), 60))

    killer = threading.Thread(target=kill)
    killer.start()
    result = load.send()
    killer.join()
    assert alive_s[0] < 30  # seen within 5 s, then running requests finish for 2 s; the load had about 50 s to go
    assert load_reasons(request.profile, result.document())[0].code == "generator_died"
    assert set(workers_rows(request.bundle)) == {"w1", "w2"}


def test_a_stop_ends_all_generators(load_request) -> None:
    """No request begins seconds later, soon nothing of the load is left; whoever ordered it is its reason."""
    request = load_request("smoke-shared-stop", duration_s=60, generators=2)
    load, ordered_s = SharedLoad(request), list[float]()

    def is_ordered() -> bool:
        if any(request.bundle.samples_dir.glob("w2-*.parquet")):
            ordered_s.append(time.time())
        return bool(ordered_s)

    result = load.send(stop_requested=is_ordered)
    assert time.time() - ordered_s[0] < 30  # of the 60 s that the load had
    rows = [row for own in workers_rows(request.bundle).values() for row in own]
    assert max(row[-1] for row in rows) - ordered_s[0] < 15
    assert len(rows) == sum(one["requests"] for one in result.generators)
    assert (result.completed, result.stopped_by) == (False, "operator")
    assert load.processes() == []


DISPATCH = """
import json, sys
from locust import User
from locust.dispatch import UsersDispatcher
from locust.runners import WorkerNode

class OneUser(User):
    pass

def dispatched(names, steps):
    dispatcher = UsersDispatcher([WorkerNode(name) for name in names], [OneUser])
    for users in steps:
        dispatcher.new_dispatch(users, float(steps[-1]))
        *_, last = dispatcher
        yield {name: counts["OneUser"] for name, counts in last.items()}

print(json.dumps([list(dispatched(*case)) for case in json.loads(sys.argv[1])]))
"""
"""In a process of its own: Locust patches the sockets, and the clocks, of whoever imports it."""


def test_each_user_that_locust_starts_has_a_test_user_where_it_starts() -> None:
    """Locust's own dispatcher, over a ramp: at each step there are as many users as test users of these positions."""
    steps, crews = [1, 2, 9, 10, 30, 37], (2, 3, 16)
    # They come in any order.
    cases = [([member_id(number, "smoke-1") for number in range(crew, 0, -1)], steps) for crew in crews]
    command = [sys.executable, "-c", DISPATCH, json.dumps(cases)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    numbers = tuple(range(101, 101 + steps[-1] + 5))  # more are there than the load has users
    for crew, by_step in zip(crews, found, strict=True):
        profile = load_profile(find_profile("smoke"), Overrides(users=steps[-1], generators=crew))
        shares = {member_id(one, "smoke-1"): profile.share_of(numbers, one) for one in range(1, crew + 1)}
        assert sorted(number for share in shares.values() for number in share) == list(numbers[: steps[-1]])
        for users, running in zip(steps, by_step, strict=True):
            first = set(numbers[:users])
            assert running == {name: len(first & set(share)) for name, share in shares.items()}
