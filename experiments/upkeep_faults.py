"""Faults in the middle of real runs: the clock, the database, a worker, the scheduler, the API server."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import psutil

from experiments.aftermath import GREEN, NONE, PROGRAMS, Aftermath, aftermath, count, document
from experiments.claims import Claim, Say
from experiments.environment import Environment, temporary_environment
from experiments.in_process import Bench, bench
from experiments.injection import RUNNING_FILE, plant
from experiments.outside import _in_mid_load as in_mid_load
from experiments.sabotage import during_load
from experiments.scheduled import short_profile
from experiments.validity import profile_yaml
from include.embedded import postgres
from include.embedded.airflow import COMPONENTS, METADATA_DATABASE, airflow_command
from include.embedded.processes import find_process, record_of
from include.embedded.state import ProcessRecord, load_state, save_state
from include.loadtest.runners import process as runner

USERS, DURATION_S = 3, 30
STEP_S = 60
STEP_AFTER_S = 6.0
ENDED_WITHIN_S = 420.0
ATTEMPTS = 3
SUPERVISED_S = 20.0
"""So long after a restart of the database what ends is started again."""
RUNS = "SELECT count(*) FROM dag_run WHERE state IN ('queued', 'running')"
CLOCK = f"""
import os, time
_order = os.path.join(os.path.dirname(__file__), "now")
_wall, _wall_ns = time.time, time.time_ns
time.time = lambda: _wall() + {STEP_S} * os.path.exists(_order)
time.time_ns = lambda: _wall_ns() + {STEP_S} * 10**9 * os.path.exists(_order)
"""
"""The generator's clock, which is set forward once a file is there; the machine's own stays."""


@dataclass(frozen=True)
class Case:
    """A fault in mid-load. `verdicts`: those that the run may end with, green only where its load was complete."""

    what: str
    strike: Callable[[Environment], None]
    reason: str | None = None


@dataclass(frozen=True)
class Struck:
    """What a fault came to. `ended`: processes of the environment that it took along, started again since."""

    case: Case
    left: Aftermath
    load: Mapping[str, object]
    ended: Sequence[str]


def fault_claims(name: str, say: Say) -> Iterator[Claim]:
    """The clock in this process, everything else through the real scheduler, one after the other."""
    yield from clock_claims(name, say)
    yield from airflow_claims(name, say)


def clock_claims(name: str, say: Say) -> Iterator[Claim]:
    """The clock of a generator that this process has started."""
    with bench(say) as servers:
        yield _clock_step(name, servers)


def airflow_claims(name: str, say: Say) -> Iterator[Claim]:
    """Each fault in a run of its own, through the real scheduler; the next case's run shows what was left."""
    with temporary_environment(say) as environment:
        plant(environment.faults, None)
        found = [_struck(environment, case, say) for case in CASES]
        say("a healthy run after them")
        ran = environment.run(_profile(environment), USERS=str(USERS), DURATION_S=str(DURATION_S))
        after = _left(environment, ran.bundle)
        followers = [one.left for one in found[1:]] + [after]
        for one, follower in zip(found, followers, strict=True):
            yield _claim(name, one, follower)
        healthy = after.verdict in GREEN and (after.users, after.locks, after.processes) == (0, 0, 0)
        expected = f"{' or '.join(GREEN)}, nothing left"
        yield Claim(name, "a healthy run after all of them", expected, after.text(), healthy)


def _clock_step(name: str, servers: Bench) -> Claim:
    folder = servers.folder / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(CLOCK)
    given = runner._environment

    def with_clock(plan: Path) -> dict[str, str]:
        known = given(plan)
        return known | {"PYTHONPATH": os.pathsep.join([str(folder), known["PYTHONPATH"]])}

    def step(ended: threading.Event) -> None:
        if not ended.wait(STEP_AFTER_S):
            (folder / "now").touch()

    context = servers.context("smoke-clock", profile_yaml(duration_s=20))
    with patch.object(runner, "_environment", with_clock), during_load(context.bundle.path, step):
        servers.run(context)
    left = aftermath(context.bundle.path, servers.demo.database_url, servers.history_url, servers.folder)
    after = servers.context("smoke-after-clock", profile_yaml(duration_s=15))
    servers.run(after)
    following = document(after.bundle.path, "verdict.json").get("verdict", NONE)
    ok = (
        (left.verdict, left.users, left.locks, left.processes) == ("INCONCLUSIVE", 0, 0, 0)
        and "clock_trouble" in left.reasons
        and following in GREEN
    )
    expected = "INCONCLUSIVE, reason clock_trouble, users=0, locks=0, the next run PASS or WARN"
    return Claim(name, f"the generator's clock set by {STEP_S:.0f} s in mid-load", expected,
                 f"{left.text()}; next run: {following}", ok)  # fmt: skip


def _ended(environment: Environment) -> list[str]:
    """Processes of the environment that are no more; in service a container's restart policy starts them again."""
    return [record.name for record in _records(environment) if find_process(record) is None]


def _struck(environment: Environment, case: Case, say: Say) -> Struck:
    before = _run_and_strike(environment, case, say)
    _await_end(environment)
    bundle = next(iter(sorted(environment.bundles() - before)), None)
    left, ended = _left(environment, bundle), _ended(environment)
    say(f"  {left.text()}; ended with it: {', '.join(ended) or NONE}")
    if ended:
        environment.down()
        environment.up()
    return Struck(case, left, document(bundle, "manifest.json").get("load") or {}, ended)


def _run_and_strike(environment: Environment, case: Case, say: Say) -> set[Path]:
    """Returns the bundles of before. A run that never sent a load (a machine too busy for Airflow) is tried again."""
    for attempt in range(1, ATTEMPTS + 1):
        say(f"{case.what}, attempt {attempt}")
        before, began, over = environment.bundles(), threading.Event(), threading.Event()

        def strike(began: threading.Event = began, over: threading.Event = over) -> None:
            began.set()
            case.strike(environment)
            over.set()

        try:
            with in_mid_load(environment, say, strike):
                environment.run(_profile(environment), USERS=str(USERS), DURATION_S=str(DURATION_S))
                if began.is_set():  # the command has lost sight of its run and ends before the fault is over
                    over.wait(2 * SUPERVISED_S)
        except RuntimeError as error:
            say(f"  {error}")
        else:
            return before
    raise RuntimeError(f"{case.what}: no load began in {ATTEMPTS} attempts")


def _claim(name: str, struck: Struck, follower: Aftermath) -> Claim:
    case, left, complete = struck.case, struck.left, bool(struck.load.get("completed"))
    ok = (
        left.verdict != NONE
        and (complete or left.verdict not in GREEN)
        and (left.users, left.locks, left.processes, left.token_file) == (0, 0, 0, False)
        and (case.reason is None or case.reason in left.reasons)
        and follower.verdict != NONE
        and follower.samples > 0
    )
    wanted = f", reason {case.reason}" if case.reason else ""
    expected = f"a verdict, green only for a complete load{wanted}, users=0, locks=0, processes=0, the next one sends"
    ended = f", ended with it: {' '.join(struck.ended)}" if struck.ended else ""
    measured = f"{left.text()}, load complete={complete}{ended}; next run: {follower.samples} rows, {follower.verdict}"
    return Claim(name, f"{case.what} in mid-load", expected, measured, ok)


def _profile(environment: Environment) -> Path:
    return short_profile(environment.folder / "smoke.yaml")


def _left(environment: Environment, bundle: Path | None) -> Aftermath:
    return aftermath(bundle, environment.database_url, environment.history_url, environment.folder)


def _await_end(environment: Environment) -> None:
    """`make run` may have lost sight of its run: wait until Airflow has ended it."""
    url = environment.admin_url.replace("/postgres?", f"/{METADATA_DATABASE}?")
    deadline = time.monotonic() + ENDED_WITHIN_S
    while count(url, RUNS) and time.monotonic() < deadline:
        time.sleep(1)


def restart_postgres(environment: Environment) -> None:
    """The server of the history and of Airflow's own database: sessions are cut, and it comes back.

    Airflow's scheduler, processor and triggerer end when their database does; they are started again, as a container's
    restart policy does it.
    """
    variables = _variables(environment)
    cluster = environment.layout.postgres
    postgres._run("pg_ctl", "restart", "-D", str(cluster), "-m", "fast", "-w")
    server = postgres.running_postgres(cluster)
    if server is None:
        raise RuntimeError("PostgreSQL did not come back")
    _note(environment, "postgres", server.pid)
    deadline = time.monotonic() + SUPERVISED_S
    while time.monotonic() < deadline:
        for name in set(_ended(environment)) & set(COMPONENTS):
            _start(environment, name, variables)
        time.sleep(1)


def kill_generator(environment: Environment) -> None:
    """kill -9 of the program that sends the load."""
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(environment.folder) in line and PROGRAMS[0] in line:
            process.kill()


def kill_task(environment: Environment) -> None:
    """kill -9 of the task's process, as a worker's out-of-memory killer does it."""
    os.kill(int((environment.faults / RUNNING_FILE).read_text().split()[0]), signal.SIGKILL)


def restarts(name: str) -> Callable[[Environment], None]:
    """kill -9 of one of Airflow's processes, started again with the same command and variables."""

    def strike(environment: Environment) -> None:
        record = next(one for one in _records(environment) if one.name == name)
        variables, process = _variables(environment), psutil.Process(record.pid)
        process.kill()
        with suppress(psutil.Error):
            process.wait(10)
        time.sleep(5)
        _start(environment, name, variables)

    return strike


def _start(environment: Environment, name: str, variables: Mapping[str, str]) -> None:
    """One of Airflow's processes once more, in place of the one that ended."""
    with (environment.layout.logs / f"{name}.log").open("ab") as log:
        again = subprocess.Popen(airflow_command(*COMPONENTS[name]), env=variables, cwd=environment.folder,
                                 stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # fmt: skip
    _note(environment, name, again.pid)


def _variables(environment: Environment) -> Mapping[str, str]:
    """What all of Airflow's processes were started with; not each still says so after it has named itself anew."""
    record = next(one for one in _records(environment) if one.name == "dag-processor")
    return psutil.Process(record.pid).environ()


def _records(environment: Environment) -> Sequence[ProcessRecord]:
    state = load_state(environment.layout)
    if state is None:
        raise RuntimeError("the environment has no state")
    return state.processes


def _note(environment: Environment, name: str, pid: int) -> None:
    """A process of that name is another one now."""
    state, others = load_state(environment.layout), [one for one in _records(environment) if one.name != name]
    if state is not None:
        save_state(environment.layout, state.model_copy(update={"processes": (*others, record_of(name, pid))}))


CASES = (
    Case("the history's and Airflow's PostgreSQL restarted", restart_postgres),
    Case("the generator killed with kill -9", kill_generator, "generator_died"),
    Case("the task's process killed with kill -9", kill_task),
    Case("the API server killed with kill -9 and started again", restarts("api-server")),
    Case("the scheduler killed with kill -9 and started again", restarts("scheduler")),
)
