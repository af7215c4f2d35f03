"""Loads on the bench's target: this project's own, and those of its peers, which send the same requests."""

import base64
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import yaml

from experiments.bench.target import answered, end
from include.k6.__main__ import k6_command
from include.loadtest.bundle import Bundle
from include.loadtest.machine import child_environment
from include.loadtest.profile import PROFILES_DIR, Profile, load_profile_text
from include.loadtest.run import HEADER_PHASE, HEADER_RUN_ID, PLAIN_BODIES, trace_id
from include.loadtest.runners.engines import run_load
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.k6 import find_k6
from include.loadtest.runners.k6_plan import write_script_plan
from include.loadtest.runners.locust import run_member
from include.loadtest.scenarios.draws import Draws, Zipf, scenario_order
from include.locustfiles.call import Call
from include.locustfiles.registry import next_calls
from include.locustfiles.user_context import UserContext

API = "/api/v1"
RUN_ID = "bench"
TOKEN = "bench"  # noqa: S105 - the bench's target asks for none
CAPS = ("20121", "10121")
OWN_REQUESTS = 100
"""Requests that a peer's user has of its own: five decks."""
LONGEST_S = 3600
START_WITHIN_S, STOP_WITHIN_S, POLL_S = 180.0, 60.0, 0.1
PEERS = Path(__file__).with_name("peers.py")


@dataclass(frozen=True)
class Load:
    """A load that goes on: its processes, and the port of its target. `results`: its own, when it is over."""

    processes: Callable[[], Sequence[psutil.Process]]
    port: int
    results: list[LoadResult] = field(default_factory=list)

    def cpu_s(self) -> float:
        """CPU of all its processes so far, user and system."""
        used_s = 0.0
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used_s += times.user + times.system
        return used_s

    def after(self, requests: int, within_s: float = START_WITHIN_S) -> int:
        """Wait until the target has answered so many more; returns what it has answered. Raises RuntimeError."""
        wanted, deadline_s = answered(self.port) + requests, time.monotonic() + within_s
        while (done := answered(self.port)) < wanted:
            if self.results:
                raise RuntimeError(f"the load has ended by itself: {self.results[0]}")
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"{wanted - done} of {requests} requests were not answered in {within_s:.0f} s")
            time.sleep(POLL_S)
        return done

    def cpu_us(self, warm_up: int, seconds: float) -> float:
        """CPU a request in µs, over so many seconds, after so many requests of a warm-up."""
        self.after(warm_up)
        before_s, before = self.cpu_s(), answered(self.port)
        time.sleep(seconds)
        used_s, done = self.cpu_s() - before_s, answered(self.port) - before
        if done <= 0:
            raise RuntimeError(f"no request was answered in {seconds:.0f} s")
        return used_s / done * 1e6


def bench_profile(users: int, think_s: tuple[float, float], **changes: Any) -> Profile:
    """The committed smoke profile's mix, with that many users who hardly think, until it is stopped."""
    data = yaml.safe_load((PROFILES_DIR / "smoke.yaml").read_text(encoding="utf-8"))
    data |= {
        "users": users,
        "ramp_up_s": 0,
        "duration_s": LONGEST_S,
        "timeout_s": 60.0,
        "think_time_s": {"min": think_s[0], "max": think_s[1]},
        "auto_stop": {"window_s": 30, "min_requests": 20, "error_share": 0.5, "latency_p95_ms": None}
        | {"starved_s": None},
        "slos": [{"metric": "error_rate", "comparator": "<", "limit": 0.01}],
        **changes,
    }
    return load_profile_text(str(yaml.safe_dump(data, sort_keys=False)), RUN_ID)


def load_request(profile: Profile, port: int, folder: Path) -> LoadRequest:
    """One load of the profile, with sessions that the target does not look at."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = tuple(range(1, profile.users + 1))
    sessions = folder / "sessions.json"
    entry = {"user_token": TOKEN, "session_token": TOKEN, "studio_id": None, "obtained_at": time.time()}
    sessions.write_text(json.dumps({number: {"user_id": number, **entry} for number in numbers}), encoding="utf-8")
    return LoadRequest(
        bundle=Bundle(folder / RUN_ID),
        profile=profile,
        base_url=f"http://127.0.0.1:{port}",
        api_prefix=API,
        forwarded_for=False,
        sessions_file=sessions,
        user_numbers=numbers,
        work_dir=folder,
        caps=CAPS,
    )


@contextmanager
def own_load(request: LoadRequest, port: int) -> Iterator[Load]:
    """This project's load, by the engine of its profile, as a run sends it; ended in order when it is left.

    Where its profile has several generators, they are all on this machine.
    """
    ended, threads = threading.Event(), []

    def start(work: Callable[[], object]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    def lead(master: str) -> None:
        for number in range(1, request.profile.generators + 1):
            member = _member(request, number, master)
            start(lambda member=member: run_member(member, lambda _line: None, ended.is_set))  # type: ignore[misc]

    before = set(psutil.Process().children(recursive=True))
    load = Load(lambda: [one for one in psutil.Process().children(recursive=True) if one not in before], port)
    led = replace(request, on_listening=lead)
    start(lambda: load.results.append(run_load(led, lambda _line: None, ended.is_set)))
    try:
        yield load
    finally:
        ended.set()
        for thread in threads:
            thread.join(STOP_WITHIN_S)
    if not load.results or load.results[0].lost_samples:
        raise RuntimeError(f"the load did not end as it should: {load.results}")


def _member(request: LoadRequest, number: int, master: str) -> LoadRequest:
    """The part of one of several generators."""
    numbers = request.profile.share_of(request.user_numbers, number)
    return replace(request, user_numbers=numbers, worker=f"w{number}", master=master)


@contextmanager
def peer_load(user_class: str, profile: Profile, port: int, folder: Path) -> Iterator[Load]:
    """One of the classes in peers.py, in a process of its own, started as this project starts Locust."""
    requests = _write_requests(profile, port, folder)
    command = [
        *(sys.executable, "-m", "locust", "-f", str(PEERS), "--headless", "--host", f"http://127.0.0.1:{port}"),
        *("-u", str(profile.users), "-r", str(profile.users), "--only-summary", user_class),
    ]
    with _started(command, {**child_environment(), "BENCH_REQUESTS": str(requests)}, folder) as process:
        yield Load(lambda: [process], port)


@contextmanager
def bare_k6(request: LoadRequest, port: int) -> Iterator[Load]:
    """k6 with this project's script, and nothing that reads what the script says: no output, no process beside it."""
    command = k6_command(find_k6(), str(write_script_plan(request).resolve()))
    at = command.index("--out")
    with _started(command[:at] + command[at + 2 :], {**child_environment(), "TZ": "UTC"}, request.work_dir) as process:
        yield Load(lambda: [process], port)


@contextmanager
def _started(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Iterator[psutil.Process]:
    with (folder / "peer.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield psutil.Process(process.pid)
        if process.poll() is not None:
            raise RuntimeError(f"the peer ended by itself: {(folder / 'peer.log').read_text(errors='replace')[-2000:]}")
    finally:
        end(process, STOP_WITHIN_S)


def _write_requests(profile: Profile, port: int, folder: Path) -> Path:
    """The first requests of each of the profile's users, as this project's own users send them."""
    folder.mkdir(parents=True, exist_ok=True)
    base_url = f"http://127.0.0.1:{port}"
    requests = [[_prepared(call, base_url, number) for call in _calls(profile, number)] for number in _numbers(profile)]
    think = profile.think_time_s
    path = folder / "requests.json"
    path.write_text(json.dumps({"requests": requests, "think_s": [think.min, think.max]}), encoding="utf-8")
    return path


def _numbers(profile: Profile) -> range:
    return range(1, profile.users + 1)


def _calls(profile: Profile, number: int) -> Iterator[Call]:
    wanted = profile.questions
    popularity = Zipf(wanted.pool_size, wanted.zipf_exponent)
    draws = Draws(profile.seed, number, 0, 3)
    user = UserContext(number, draws, popularity, wanted.pool_size, wanted.new_share, 1, None, CAPS)
    asks, order = next_calls(profile), scenario_order(profile.deck(), profile.seed, number)
    for _ in range(OWN_REQUESTS):
        yield asks[next(order)](user)


def _prepared(call: Call, base_url: str, number: int) -> dict[str, Any]:
    """The arguments of a request on either client of Locust."""
    headers = {
        HEADER_RUN_ID: RUN_ID,
        HEADER_PHASE: "load",
        **PLAIN_BODIES,
        "traceparent": f"00-{trace_id(RUN_ID, number, 0)}-{os.urandom(8).hex()}-01",
        **call.headers,
        **({} if call.token == "none" else {"Authorization": f"Bearer {TOKEN}"}),  # noqa: S105 - a kind of token
    }
    body = base64.b64encode(call.body).decode() if call.body else None
    url = base_url + API + call.path
    return {"method": call.method, "url": url, "name": call.endpoint, "headers": headers, "data": body}


