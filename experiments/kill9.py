"""A run that is killed at any moment leaves no lasting lock, no user after the next run, and never a false PASS."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from experiments.aftermath import GREEN, LOCKS, NONE, TAGGED, Aftermath, aftermath, count, document
from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from experiments.faults import smoke_yaml
from experiments.in_process import Bench, bench
from experiments.injection import RUNNING_FILE, plant
from experiments.scheduled import USERS, short_profile
from experiments.victim import BEGAN, DURATION_S, LEASE_S
from include.embedded.state import CHECKOUT
from include.loadtest.orchestration import pipeline
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.target_use import leave_target

NAME = "kill9"
SEED = 20_260_301
IN_PROCESS, SCHEDULED = 17, 3
ATTEMPTS = 5
SCHEDULED_SPAN_S = 35.0
"""From the first stage of a scheduled run to about its end: what its moments are drawn from."""
START_LIMIT_S, RUN_LIMIT_S, KILL_LIMIT_S = 120.0, 300.0, 240.0
REST = "SELECT coalesce(ceil(max(extract(epoch FROM expires - now()))), 0) FROM loadtest.target_lock"
NEXT = ("preflight", "seed_users", "cleanup_users")
"""What a next run does with what is left: take the lock, remove another's users, remove its own."""


def claims(say: Say) -> Iterator[Claim]:
    """Moments in a process with its children, then in the tasks of the real scheduler."""
    moments = random.Random(SEED)  # noqa: S311 - no secret: the same moments each time
    say(f"seed {SEED}")
    with bench(say) as servers:
        yield from _in_process(servers, moments)
    with temporary_environment(say) as environment:
        yield from _scheduled(environment, say, moments)


def _in_process(servers: Bench, moments: random.Random) -> Iterator[Claim]:
    victim = _Victim(servers, "smoke-whole")
    seconds = victim.run_to_its_end()
    found = victim.aftermath()
    servers.say(f"a whole run takes {seconds:.1f} s: {found.text()}")
    yield Claim(NAME, "the run that is not killed", _healthy_text(), found.text(), _is_healthy(found))
    for number in range(1, IN_PROCESS + 1):
        victim, moment_s, stage = _killed(servers, f"smoke-killed-{number}", moments, seconds)
        claim = _judged(victim, f"{number} of {IN_PROCESS}: killed with its group after {moment_s:.1f} s, in {stage}")
        servers.say(claim.line())
        yield claim
    context = servers.context("smoke-after", smoke_yaml(), USERS, DURATION_S)
    servers.run(context)
    found = _aftermath(servers, context)
    yield Claim(NAME, f"a whole run after {IN_PROCESS} kills", _healthy_text(), found.text(), _is_healthy(found))


def _killed(servers: Bench, run_id: str, moments: random.Random, seconds: float) -> tuple["_Victim", float, str]:
    """A run that was killed, when, and in which stage. One that had ended before its moment is no kill: once more."""
    for attempt in range(ATTEMPTS):
        victim, moment_s = _Victim(servers, f"{run_id}-{attempt}"), moments.uniform(0, seconds)
        stage = victim.run_and_kill(moment_s)
        if stage is not None:
            return victim, moment_s, stage
        servers.say(f"  {run_id}: ended before {moment_s:.1f} s, another moment is drawn")
    raise RuntimeError(f"{run_id}: ended {ATTEMPTS} times before it was killed")


def _judged(victim: "_Victim", what: str) -> Claim:
    """What a killed run left, what the next one made of it, and what the later stages say of it."""
    servers, left = victim.servers, victim.aftermath()
    rest_s = count(servers.history_url, REST)
    free_after_s = _await_free(servers)
    began, removed = _next_run(servers, f"{victim.context.bundle.run_id}-next")
    verdict = _verdict_of(victim)
    users, locks = count(servers.demo.database_url, TAGGED), count(servers.history_url, LOCKS)
    shutil.rmtree(victim.context.work_dir, ignore_errors=True)
    complete = _is_complete(victim.context.bundle.path)
    ok = (
        (complete or not {left.verdict, verdict} & set(GREEN))
        and (began, removed, users, locks, left.processes) == (True, left.users, 0, 0, 0)
        and free_after_s <= LEASE_S
    )
    expected = (
        f"no PASS or WARN unless the load was complete, lock free within {LEASE_S} s, the next run begins and removes "
        "all users, users=0, locks=0, processes=0"
    )
    measured = (
        f"verdict at once={left.verdict}, judged later={verdict}, load complete={complete}, "
        f"lock for {rest_s} s, free after {free_after_s:.1f} s, next run began={began}, users left={left.users}, "
        f"removed by the next run={removed}, then users={users}, locks={locks}, processes={left.processes}"
    )
    return Claim(NAME, what, expected, measured, ok)


def _await_free(servers: Bench) -> float:
    """Seconds until no lock is held any more, at most a little more than the lease."""
    began_s = time.monotonic()
    while count(servers.history_url, LOCKS) and time.monotonic() - began_s < LEASE_S + 5:
        time.sleep(0.2)
    return time.monotonic() - began_s


def _next_run(servers: Bench, run_id: str) -> tuple[bool, int]:
    """Whether another run could begin, and how many left-over users its seeding removed."""
    context = servers.context(run_id, smoke_yaml(), USERS, DURATION_S)
    try:
        for name in NEXT:
            pipeline.run_stage(context, name)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what is measured
        servers.say(f"  next run: {type(error).__name__}: {error}")
        return False, 0
    finally:
        leave_target(context)
    return True, int(((context.manifest().get("seed") or {}).get("left_over") or {}).get("users", 0))


def _verdict_of(victim: "_Victim") -> str:
    """The verdict after the stages that always follow have judged what is there; `none`: there was no run yet."""
    context = victim.context
    if not pipeline.began(context):
        return NONE
    with suppress(Exception):  # a stage that fails leaves its fault, and the verdict names it
        if pipeline.load_began(context) and not context.bundle.has("metrics.json"):
            pipeline.run_stage(context, "collect_metrics")
    return str(pipeline.verdict_of(context)["verdict"])


def _is_complete(bundle: Path | None) -> bool:
    """Whether the generator ended as planned: only then may a killed run be green."""
    return bool((document(bundle, "manifest.json").get("load") or {}).get("completed"))


def _is_healthy(found: Aftermath) -> bool:
    return found.verdict in GREEN and (found.users, found.locks, found.processes) == (0, 0, 0)


def _healthy_text() -> str:
    return f"verdict={' or '.join(GREEN)}, users=0, locks=0, processes=0"


def _aftermath(servers: Bench, context: RunContext) -> Aftermath:
    return aftermath(context.bundle.path, servers.demo.database_url, servers.history_url, servers.folder)


class _Victim:
    """A run in a process of its own, with a group of its own."""

    def __init__(self, servers: Bench, run_id: str) -> None:
        self.servers = servers
        self.context = servers.context(run_id, smoke_yaml(), USERS, DURATION_S)
        self._log = servers.folder / f"{run_id}.log"

    def run_to_its_end(self) -> float:
        """Seconds from its begin to its end. Raises RuntimeError where it does not end well."""
        process = self._start()
        try:
            began_s = time.monotonic()
            code = process.wait(RUN_LIMIT_S)
        finally:
            _kill_group(process)
        if code:
            raise RuntimeError(f"the run that nobody kills ended with {code}:\n{self._log.read_text()}")
        return time.monotonic() - began_s

    def run_and_kill(self, moment_s: float) -> str | None:
        """Kill it so long after its begin; returns the stage that it was in, None where it had ended."""
        process = self._start()
        try:
            with suppress(subprocess.TimeoutExpired):
                process.wait(moment_s)
            stage = None if process.poll() is not None else self._lines()[-1]
        finally:
            _kill_group(process)
        return stage

    def aftermath(self) -> Aftermath:
        """What it left."""
        return _aftermath(self.servers, self.context)

    def _start(self) -> subprocess.Popen[bytes]:
        demo = asdict(self.servers.demo)
        order = {
            "folder": str(self.servers.folder),
            "history_url": self.servers.history_url,
            "demo": {name: str(value) if isinstance(value, Path) else value for name, value in demo.items()},
            "run_id": self.context.bundle.run_id,
        }
        command = [sys.executable, "-m", "experiments.victim", json.dumps(order)]
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + START_LIMIT_S
        while f"{BEGAN}\n" not in self._log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                _kill_group(process)
                raise RuntimeError(f"the run does not begin:\n{self._log.read_text()}")
            time.sleep(0.02)
        return process

    def _lines(self) -> list[str]:
        """What it said, without its log."""
        return [line for line in self._log.read_text().splitlines() if line in (BEGAN, *pipeline.STAGES)]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class _Kill:
    """Waits in a thread for the first stage of a scheduled run, then for its moment, then kills the stage's process."""

    folder: Path
    moment_s: float
    stage: str = NONE

    def run(self) -> None:
        running, deadline = self.folder / RUNNING_FILE, time.monotonic() + KILL_LIMIT_S
        while not running.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(self.moment_s)
        while self.stage == NONE and time.monotonic() < deadline:
            self._try(running)
            time.sleep(0.02)

    def _try(self, running: Path) -> None:
        """Between two stages there is nobody to kill: then the next one is met at its begin."""
        with suppress(OSError, ValueError, psutil.Error):
            number, stage = running.read_text().split()
            process = psutil.Process(int(number))
            if process.create_time() < running.stat().st_mtime and process.status() != psutil.STATUS_ZOMBIE:
                process.kill()
                self.stage = stage


def _scheduled(environment: Environment, say: Say, moments: random.Random) -> Iterator[Claim]:
    plant(environment.faults, None)
    results = [_scheduled_kill(environment, moments.uniform(0, SCHEDULED_SPAN_S), say) for _ in range(SCHEDULED)]
    healthy = environment.run(short_profile(environment.folder / "smoke.yaml"), USERS=str(USERS), DURATION_S="8")
    after = _environment_aftermath(environment, healthy.bundle, healthy.shown)
    for claim, ok, found in results:
        expected = f"no PASS or WARN unless the load was complete, locks=0, processes=0; next run: {_healthy_text()}"
        yield Claim(NAME, claim, expected, f"{found}; next run: {after.text()}", ok and _is_healthy(after))


def _scheduled_kill(environment: Environment, moment_s: float, say: Say) -> tuple[str, bool, str]:
    (environment.faults / RUNNING_FILE).unlink(missing_ok=True)
    kill = _Kill(environment.faults, moment_s)
    thread = threading.Thread(target=kill.run, daemon=True)
    thread.start()
    ran = environment.run(short_profile(environment.folder / "smoke.yaml"), USERS=str(USERS), DURATION_S="8")
    thread.join(1)
    found = _environment_aftermath(environment, ran.bundle, ran.shown)
    complete = _is_complete(ran.bundle)
    ok = (
        (complete or not {found.verdict, found.shown} & set(GREEN))
        and kill.stage != NONE
        and (found.locks, found.processes) == (0, 0)
    )
    claim = f"the task's process killed {moment_s:.1f} s after the first began, in {kill.stage}, real scheduler"
    measured = f"{found.text()}, load complete={complete}"
    say(f"{claim}: {measured}")
    return claim, ok, measured


def _environment_aftermath(environment: Environment, bundle: Path | None, shown: str) -> Aftermath:
    return aftermath(bundle, environment.database_url, environment.history_url, environment.folder, shown)
