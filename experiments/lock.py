"""One load at a time: three runs at once follow each other, a killed owner is followed, its late request is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg2

from experiments.aftermath import GREEN, LOCKS, count, document, sample_rows
from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from experiments.in_process import Bench, bench
from experiments.latecomer import CHECKED, DURATION_S, USERS
from experiments.scheduled import short_profile
from experiments.victim import LEASE_S as SHORT_LEASE_S
from include.embedded.airflow import client_of
from include.embedded.client import AirflowClient
from include.embedded.inputs import MANUAL_DAG, read_inputs
from include.embedded.state import CHECKOUT, load_state
from include.loadtest.history.locks import acquire_lock, release_lock
from include.loadtest.history.store import connect, upgrade
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.lease import LEASE_S

NAME = "lock"
AT_ONCE = 3
TARGET = "demo"
POLL_S = 0.5
RUN_LIMIT_S = 900.0
RESUMED_WITHIN_S = 60.0
"""From the end of a lease to the next owner: the triggerer asks every 3 s, then Airflow starts the task again."""
QUEUE = "SELECT owner FROM loadtest.target_waiter ORDER BY ticket"
OWNER = "SELECT owner FROM loadtest.target_lock WHERE expires > clock_timestamp()"
BUSY = frozenset({"running", "queued"})
FOREIGN = """
import sys, time
from include.loadtest.history.locks import acquire_lock, extend_lock
from include.loadtest.history.store import connect
engine, ttl_s = connect(sys.argv[1]), int(sys.argv[3])
token = acquire_lock(engine, sys.argv[2], "load_test_weekly/scheduled__1 at http://elsewhere", "weekly-1", ttl_s)
while True:
    extend_lock(engine, sys.argv[2], "load_test_weekly/scheduled__1 at http://elsewhere", token, ttl_s)
    print(token, flush=True)
    time.sleep(1)
"""
"""Another installation that shares the history, reduced to what it does with the target's lock."""


@dataclass
class Seen:
    """What was observed while runs were under way: who had the target and who waited, each in order of appearance."""

    owners: list[str] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    busy_waiters: int = 0
    looks: int = 0
    took_at: float | None = None

    def look(self, environment: Environment, client: AirflowClient, run_ids: list[str]) -> bool:
        """Look once; returns whether all runs have ended."""
        self.looks += 1
        _append(self.owners, _rows(environment.history_url, OWNER), run_ids)
        _append(self.waited, _rows(environment.history_url, QUEUE), run_ids)
        ended = True
        for run_id in run_ids:
            tasks = client.task_instances(MANUAL_DAG, run_id)
            states = {task.task_id: task.state for task in tasks}
            if states.get("preflight") == "deferred":
                self.deferred.add(run_id)
                self.busy_waiters += any(state in BUSY for state in states.values())
            ended = ended and client.run_state(MANUAL_DAG, run_id) in ("success", "failed")
        return ended


def claims(say: Say) -> Iterator[Claim]:
    """Through the real scheduler and triggerer, then the late request in processes of its own."""
    with temporary_environment(say) as environment, _client(environment) as client:
        upgrade(environment.history_url)  # the first run would do it, but is looked at before
        yield _three_at_once(environment, client, say)
        yield _killed_owner(environment, client, say)
    with bench(say) as servers:
        yield _late_request(servers)


@contextmanager
def _client(environment: Environment) -> Iterator[AirflowClient]:
    state = load_state(environment.layout)
    if state is None:
        raise RuntimeError("the environment has no state")
    client = client_of(environment.layout, state)
    try:
        yield client
    finally:
        client.close()


def _three_at_once(environment: Environment, client: AirflowClient, say: Say) -> Claim:
    before, seen = environment.bundles(), Seen()
    run_ids = [_trigger(environment, client, f"at-once-{number}") for number in range(1, AT_ONCE + 1)]
    say(f"{AT_ONCE} runs are triggered")
    _follow(environment, client, run_ids, seen)
    bundles = sorted(environment.bundles() - before)
    spans = sorted(_load_span(bundle) for bundle in bundles)
    overlaps = sum(later[0] < earlier[1] for earlier, later in pairwise(spans))
    verdicts = [str(client.xcom(MANUAL_DAG, run_id, "gate", "verdict")) for run_id in run_ids]
    left = count(environment.history_url, LOCKS) + len(_rows(environment.history_url, QUEUE))
    ok = (
        seen.owners == [*seen.owners[:1], *seen.waited]
        and sorted(seen.owners) == sorted(run_ids)
        and seen.deferred == set(seen.waited)
        and (seen.busy_waiters, overlaps, len(spans), left) == (0, 0, AT_ONCE, 0)
        and set(verdicts) <= set(GREEN)
    )
    measured = (
        f"had the target: {', '.join(seen.owners)}; waited in this order: {', '.join(seen.waited)}; "
        f"deferred: {len(seen.deferred)}; waiting runs with a running or queued task: {seen.busy_waiters} in "
        f"{seen.looks} looks; overlapping loads: {overlaps}; verdicts: {', '.join(verdicts)}; left: {left}"
    )
    expected = "one has it, the others are deferred without a slot and served as they came, all PASS or WARN, left: 0"
    return Claim(NAME, f"{AT_ONCE} runs triggered at once", expected, measured, ok)


def _killed_owner(environment: Environment, client: AirflowClient, say: Say) -> Claim:
    foreign = _spawn("-c", FOREIGN, environment.history_url, TARGET, str(LEASE_S))
    try:
        token = int(_line(foreign))
        run_id, seen = _trigger(environment, client, "after-a-kill"), Seen()
        while run_id not in seen.deferred:
            seen.look(environment, client, [run_id])
            time.sleep(POLL_S)
    finally:
        foreign.kill()
        foreign.wait()
    killed_s = time.monotonic()
    say(f"the owner with token {token} is killed; its lease ends in {LEASE_S} s")
    while not seen.owners and time.monotonic() - killed_s < LEASE_S + 2 * RESUMED_WITHIN_S:
        seen.look(environment, client, [run_id])
        time.sleep(POLL_S)
    taken_s = time.monotonic() - killed_s
    higher = _rows(environment.history_url, "SELECT token FROM loadtest.target_lock")
    _follow(environment, client, [run_id], seen)
    verdict = client.xcom(MANUAL_DAG, run_id, "gate", "verdict")
    ok = (
        LEASE_S - 2 <= taken_s <= LEASE_S + RESUMED_WITHIN_S
        and [int(one) > token for one in higher] == [True]
        and seen.busy_waiters == 0
        and verdict in GREEN
    )
    measured = f"taken over {taken_s:.0f} s after the kill, token {token} then {', '.join(higher)}, verdict={verdict}"
    expected = f"not before {LEASE_S} s, within {RESUMED_WITHIN_S:.0f} s more, a higher token, PASS or WARN"
    return Claim(NAME, "an owner of another installation killed with kill -9", expected, measured, ok)


def _late_request(servers: Bench) -> Claim:
    run_id, engine = "smoke-latecomer", connect(servers.history_url)
    order = {
        "demo": asdict(servers.demo) | {"state": str(servers.demo.state)},
        "folder": str(servers.folder),
        "history_url": servers.history_url,
        "run_id": run_id,
    }
    late = _spawn("-m", "experiments.latecomer", json.dumps(order))
    try:
        while _line(late) != CHECKED:
            pass
        os.kill(late.pid, signal.SIGSTOP)
        token = _taken_over(servers)
        os.kill(late.pid, signal.SIGCONT)
        late.communicate("\n", timeout=120)
    finally:
        late.kill()
        late.wait()
    release_lock(engine, TARGET, "prove/next")
    context = servers.context(run_id, _smoke_text(servers), USERS, DURATION_S)
    for name in ("collect_metrics", "validate_sla"):
        pipeline.run_stage(context, name)
    bundle = context.bundle.path
    with servers.demo.client() as client:
        sent = client.get("/admin/requests", params={"run_id": run_id}).json().get("load", 0)
    verdict = document(bundle, "verdict.json")
    codes = [reason["code"] for reason in verdict["reasons"]]
    own = document(bundle, "manifest.json")["lease"]["token"]
    ok = (sent, sample_rows(bundle)) == (0, 0) and own < token and verdict["verdict"] == "INCONCLUSIVE"
    measured = (
        f"token {own}, then another's {token}; requests of the load counted by the target={sent}, "
        f"samples={sample_rows(bundle)}, verdict={verdict['verdict']}, reasons={'+'.join(codes)}"
    )
    expected = "requests of the load=0, samples=0, verdict=INCONCLUSIVE, reason target_locked"
    what = "stopped (SIGSTOP) between the check and its generator's start until another had the target"
    return Claim(NAME, what, expected, measured, ok and codes[:1] == ["target_locked"])


def _taken_over(servers: Bench) -> int:
    """Take the target as soon as the stopped run's lease has ended; returns the new token."""
    deadline = time.monotonic() + 3 * SHORT_LEASE_S
    while _rows(servers.history_url, OWNER):
        if time.monotonic() > deadline:
            raise RuntimeError("the stopped run's lease did not end")
        time.sleep(0.1)
    return acquire_lock(connect(servers.history_url), TARGET, "prove/next", "smoke-next", LEASE_S)


def _smoke_text(servers: Bench) -> str:
    return short_profile(servers.folder / "smoke.yaml").read_text(encoding="utf-8")


def _trigger(environment: Environment, client: AirflowClient, run_id: str) -> str:
    profile = short_profile(environment.folder / "smoke.yaml")
    inputs = read_inputs({"PROFILE": str(profile), "USERS": str(USERS), "DURATION_S": str(DURATION_S)})
    client.trigger(MANUAL_DAG, run_id, inputs.conf(TARGET, "make prove"))
    return run_id


def _follow(environment: Environment, client: AirflowClient, run_ids: list[str], seen: Seen) -> None:
    deadline = time.monotonic() + RUN_LIMIT_S
    while not seen.look(environment, client, run_ids):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the runs did not end within {RUN_LIMIT_S:.0f} s")
        time.sleep(POLL_S)


def _append(known: list[str], owners: list[str], run_ids: list[str]) -> None:
    """Note owners that are new, by the name of their DAG run."""
    for owner in owners:
        known.extend(run_id for run_id in run_ids if f"/{run_id} at " in owner and run_id not in known)


def _load_span(bundle: Path) -> tuple[str, str]:
    load: dict[str, Any] = document(bundle, "manifest.json").get("load") or {}
    return str(load.get("started")), str(load.get("ended"))


def _rows(url: str, statement: str) -> list[str]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return [str(row[0]) for row in cursor.fetchall()]
    finally:
        connection.close()


def _spawn(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _line(process: subprocess.Popen[str]) -> str:
    """The next line that it says. Raises RuntimeError where it has ended."""
    output = process.stdout
    line = output.readline() if output else ""
    if not line:
        raise RuntimeError("the process ended before it said anything")
    return line.strip()
