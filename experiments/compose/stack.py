"""The services of docker-compose.yaml as one project of a private Docker, with secrets of its own."""

import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from experiments.claims import Say
from experiments.compose.engine import Docker, Done
from experiments.compose.standins import COMPOSE_FILE, VERSION
from experiments.environment import uninterrupted
from include.embedded.client import AirflowClient, ApiError
from include.embedded.inputs import MANUAL_DAG
from include.embedded.servers import free_port
from include.embedded.state import CHECKOUT

PROJECT = "loadtest-prove"
PROFILES = ("--profile", "demo", "--profile", "observability")
ONE_SHOTS = frozenset({"migrate", "monitoring-config"})
PORTS = ("AIRFLOW", "PROMETHEUS", "ALERTMANAGER", "GRAFANA")
TARGET = "compose_demo"
POLL_S, START_S, RUN_S = 2.0, 900.0, 1200.0


@dataclass(frozen=True)
class Container:
    """One container as the daemon sees it now; `health`: healthy, unhealthy, starting, or none for a one-shot."""

    id: str
    service: str
    state: str
    exit_code: int
    health: str
    pid: int
    restarts: int
    details: Mapping[str, Any]

    @property
    def is_well(self) -> bool:
        """Healthy, or ended as it should."""
        if self.service in ONE_SHOTS:
            return self.state == "exited" and self.exit_code == 0
        return self.state == "running" and self.health == "healthy"


@dataclass(frozen=True)
class Stack:
    """The project; `values` is what its env file says."""

    docker: Docker
    env_file: Path
    values: Mapping[str, str]
    say: Say

    @property
    def _project(self) -> tuple[str, ...]:
        files = ("--env-file", str(self.env_file), "--file", str(COMPOSE_FILE))
        return ("compose", "--project-name", PROJECT, *files, *PROFILES)

    def compose(self, *arguments: str, limit_s: float = START_S) -> Done:
        """One `docker compose` command with both profiles."""
        return self.docker(*self._project, *arguments, limit_s=limit_s)

    def piped(self, *arguments: str, into: IO[bytes] | None = None, out: IO[bytes] | None = None) -> None:
        """The same, reading or writing a file; raises RuntimeError where it fails."""
        done = self.docker(*self._project, *arguments, into=into, out=out)
        if done.code:
            raise RuntimeError(f"docker compose {' '.join(arguments[:5])}: {done.err[-1500:]}")

    def must(self, *arguments: str, limit_s: float = START_S) -> str:
        """What the command prints; raises RuntimeError where it fails."""
        done = self.compose(*arguments, limit_s=limit_s)
        if done.code:
            raise RuntimeError(f"docker compose {' '.join(arguments[:3])}: {(done.err or done.out)[-1500:]}")
        return done.out

    @property
    def url(self) -> str:
        """Airflow's address on this machine."""
        return f"http://127.0.0.1:{self.values['LOADTEST_AIRFLOW_PORT']}"

    def client(self, user: str, password: str | None = None) -> AirflowClient:
        """Airflow's API as one of the three users."""
        return AirflowClient(self.url, user, password or self.values[f"LOADTEST_{user.upper()}_PASSWORD"])

    def containers(self) -> list[Container]:
        """All of the project, by service."""
        ids = self.docker.must("ps", "--all", "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}")
        if not ids.split():
            return []
        found = json.loads(self.docker.must("inspect", *ids.split()))
        return sorted(map(_container, found), key=lambda container: (container.service, container.id))

    def of(self, service: str) -> Container:
        """The first container of a service."""
        return next(container for container in self.containers() if container.service == service)

    def until_well(self, limit_s: float = START_S) -> list[Container]:
        """Wait until all are well; returns those that are not in the end."""
        deadline = time.monotonic() + limit_s
        while ill := [container for container in self.containers() if not container.is_well]:
            if time.monotonic() > deadline:
                return ill
            time.sleep(POLL_S)
        return []

    def kill(self, service: str) -> float:
        """End a container's first process as a crash does; returns the seconds until it is healthy again.

        Not `docker kill`: what a person stops by command, Docker does not start again. Raises RuntimeError where it
        does not come back.
        """
        wait_for(lambda: self.of(service).is_well, START_S, f"{service} healthy before it is killed")
        before, began_s = self.of(service), time.monotonic()
        if before.pid <= 0:  # that of this process and all its group
            raise RuntimeError(f"{service} has no process to kill")
        os.kill(before.pid, signal.SIGKILL)
        while time.monotonic() - began_s < START_S:
            now = self.of(service)
            if now.pid != before.pid and now.is_well:
                return time.monotonic() - began_s
            time.sleep(POLL_S)
        raise RuntimeError(f"{service} did not come back within {START_S:.0f} s")


def _container(found: Mapping[str, Any]) -> Container:
    state = found["State"]
    return Container(
        id=found["Id"],
        service=found["Config"]["Labels"]["com.docker.compose.service"],
        state=state["Status"],
        exit_code=state["ExitCode"],
        health=state.get("Health", {}).get("Status", "none"),
        pid=state["Pid"],
        restarts=found["RestartCount"],
        details=found,
    )


@dataclass(frozen=True)
class Run:
    """A load test through Airflow, and what it left in its bundle; `verdict` None: it ended without one."""

    id: str
    state: str
    verdict: str | None
    reasons: tuple[str, ...]
    workers: Mapping[str, int]
    seconds: float

    @property
    def text(self) -> str:
        """For a claim's line."""
        shown = ", ".join(f"{name} {rows}" for name, rows in sorted(self.workers.items())) or "none"
        why = f" ({', '.join(self.reasons)})" if self.reasons else ""
        return f"{self.verdict}{why}; samples by generator: {shown}; {self.seconds:.0f} s"


def start_run(client: AirflowClient, **conf: Any) -> str:
    """Trigger the manual DAG with a short load on the demo target; returns the run's id."""
    run_id = f"prove_{secrets.token_hex(4)}"
    client.unpause(MANUAL_DAG)
    client.trigger(MANUAL_DAG, run_id, {"profile": "smoke", "target": TARGET, "reason": "proof", **conf})
    return run_id


def task_states(client: AirflowClient, run_id: str) -> dict[str, str | None]:
    """The state of each task, by its name with its map index."""
    return {task.label: task.state for task in client.task_instances(MANUAL_DAG, run_id)}


def wait_for(happened: Callable[[], bool], limit_s: float, what: str) -> None:
    """Poll until it happens; raises RuntimeError where it does not."""
    deadline = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {limit_s:.0f} s")
        time.sleep(POLL_S)


def finish_run(stack: Stack, client: AirflowClient, run_id: str, began_s: float) -> Run:
    """Wait for the run's end and read its bundle in the container that has the results."""
    wait_for(lambda: client.run_state(MANUAL_DAG, run_id) in ("success", "failed"), RUN_S, f"run {run_id}")
    state = client.run_state(MANUAL_DAG, run_id)
    verdict, bundle = (client.xcom(MANUAL_DAG, run_id, "gate", key) for key in ("verdict", "bundle"))
    found = _bundle(stack, bundle) if bundle else {"reasons": [], "workers": {}}
    return Run(run_id, state, verdict, tuple(found["reasons"]), found["workers"], time.monotonic() - began_s)


_READ_BUNDLE = """
import json, sys, collections, pathlib, urllib.parse
import pyarrow.parquet as pq
folder = pathlib.Path(urllib.parse.urlsplit(sys.argv[1]).path)
workers = collections.Counter()
for part in sorted((folder / "samples").glob("*.parquet")):
    workers.update(pq.read_table(part, columns=["worker"])["worker"].to_pylist())
verdict = json.loads((folder / "verdict.json").read_text()) if (folder / "verdict.json").exists() else {"reasons": []}
print(json.dumps({"reasons": [reason["code"] for reason in verdict["reasons"]], "workers": workers}))
"""


def _bundle(stack: Stack, uri: str) -> dict[str, Any]:
    output = stack.must("exec", "-T", "worker", "python", "-c", _READ_BUNDLE, uri)
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


def new_values() -> dict[str, str]:
    """An env file's content: secrets as the project makes them, and free ports."""
    script = CHECKOUT / "deploy" / "new-secrets.sh"
    made = subprocess.run(["sh", str(script)], capture_output=True, text=True, check=True).stdout
    values = dict(line.split("=", 1) for line in made.splitlines())
    values |= {f"LOADTEST_{name}_PORT": str(free_port()) for name in PORTS}
    airflow = f"http://127.0.0.1:{values['LOADTEST_AIRFLOW_PORT']}"
    return values | {"LOADTEST_VERSION": VERSION, "LOADTEST_AIRFLOW_URL": airflow}


def write_env(path: Path, values: Mapping[str, str]) -> Path:
    """Write an env file for its owner only; returns it."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


@contextmanager
def project(docker: Docker, say: Say) -> Iterator[Stack]:
    """The project, not yet started; whatever of it is there in the end is removed."""
    with tempfile.TemporaryDirectory(prefix="loadtest-prove-") as folder:
        values = new_values()
        own = Stack(docker, write_env(Path(folder) / "env", values), values, say)
        own.compose("down", "--volumes", "--remove-orphans")  # of a proof that was killed
        try:
            yield own
        finally:
            with uninterrupted():
                own.compose("down", "--volumes", "--remove-orphans")


def refused(call: Callable[[], object]) -> int:
    """The HTTP status with which Airflow refuses a call; 0 where it does not."""
    try:
        call()
    except ApiError as error:
        return error.status
    return 0

