"""Loads through Airflow's Celery workers: by one generator, by two, while services are killed or stopped."""

import math
import re
import time
from collections.abc import Iterator

from experiments.claims import Claim
from experiments.compose.engine import lines
from experiments.compose.stack import Run, Stack, finish_run, start_run, task_states, wait_for
from include.embedded.client import AirflowClient
from include.embedded.inputs import MANUAL_DAG

VALID = ("PASS", "WARN", "SLA_BREACH")
"""A load that was sent and judged: how fast the stand-in is on this machine is not what is shown here."""
LOST = {"generator_died", "phases_cut", "stage_failed"}
"""Reasons of a run whose generator was taken away."""
SHORT = {"users": 10, "duration_s": 30}
MEMORY_GB = 4.0
"""What docs/deployment.md asks for."""
BEGIN_S = 600.0
STOP_S = 120.0
"""After it Docker kills what still runs: `stop_grace_period`."""
CORE = ("redis", "scheduler", "dag-processor", "triggerer", "worker", "api-server", "postgres")
OTHERS = (
    *("cleaner", "exporter", "prometheus", "alertmanager", "grafana", "node-exporter"),
    *("locust-worker", "demo-target", "demo-redis", "demo-postgres"),
)


def loads(stack: Stack, name: str) -> Iterator[Claim]:
    """As operator: one generator on the load worker, then two of them on the machines of their own queue."""
    client = stack.client("operator")
    one = _load(stack, client)
    ok = one.verdict in VALID and sum(one.workers.values()) > 0
    yield Claim(name, "the operator's load runs through a Celery worker to a verdict", "a verdict", one.text, ok)
    began_s = time.monotonic()
    run_id = start_run(client, **SHORT, generators=2)
    _until_sending(client, run_id)
    memory_gb = _memory_gb(stack)
    two = finish_run(stack, client, run_id, began_s)
    hosts = _hosts(client, two.id)
    ok = two.verdict in VALID and set(two.workers) == {"w1", "w2"} and len(hosts) == 2
    measured = f"{two.text}; on {len(hosts)} containers"
    yield Claim(name, "two Locust workers in two containers share a load", "w1 and w2, 2 containers", measured, ok)
    claim = "meanwhile all services, with both profiles and a placeholder for Grafana, fit into the memory asked for"
    ok = 0 < memory_gb <= MEMORY_GB
    yield Claim(name, claim, f"at most {MEMORY_GB:.0f} GB", f"{memory_gb:.1f} GB", ok)
    client.close()


def _load(stack: Stack, client: AirflowClient, **conf: int) -> Run:
    began_s = time.monotonic()
    run_id = start_run(client, **{**SHORT, **conf})
    stack.say(f"run {run_id} {conf}")
    return finish_run(stack, client, run_id, began_s)


def _memory_gb(stack: Stack) -> float:
    """What the containers use at this moment, without the files that the system keeps in memory."""
    ids = [one.id for one in stack.containers() if one.state == "running"]
    shown = stack.docker.must("stats", "--no-stream", "--format", "{{.MemUsage}}", *ids)
    return sum(bytes_of(line.partition("/")[0].strip()) for line in lines(shown)) / 1e9


def bytes_of(text: str) -> float:
    """Of a size as Docker shows it, such as `12.5MiB`; not a number for another text: then the sum is none either."""
    found = re.fullmatch(r"([\d.]+)(B|KiB|MiB|GiB)", text)
    return float(found[1]) * {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[found[2]] if found else math.nan


def _hosts(client: AirflowClient, run_id: str) -> set[str]:
    """The containers that the generators' tasks ran in."""
    path = f"/dags/{MANUAL_DAG}/dagRuns/{run_id}/taskInstances/generators/listMapped"
    return {str(task["hostname"]) for task in client._call("GET", path)["task_instances"]}


def kills(stack: Stack, name: str) -> Iterator[Claim]:
    """Each service's process killed once; those that a run hangs on, while its load is sent."""
    client = stack.client("operator")
    yield _redis(stack, client, name)
    yield from _during_a_load(stack, client, name)
    yield _load_worker(stack, client, name)
    yield _stopped(stack, client, name)
    back = {service: stack.kill(service) for service in OTHERS}
    ill = stack.until_well()
    yield Claim(name, "each other service comes back by itself", "all", _text(back), not ill)
    client.close()


def _redis(stack: Stack, client: AirflowClient, name: str) -> Claim:
    """Tasks that run need no Redis, and it comes back before the next one is handed out."""
    began_s = time.monotonic()
    run_id = start_run(client, users=10, duration_s=60)
    _until_sending(client, run_id)
    back_s = stack.kill("redis")
    run = finish_run(stack, client, run_id, began_s)
    claim = "Redis alone killed during a load: the load goes on, the run is a valid one"
    measured = f"back after {back_s:.0f} s; {run.text}"
    return Claim(name, claim, " or ".join(VALID), measured, run.verdict in VALID)


def _during_a_load(stack: Stack, client: AirflowClient, name: str) -> Iterator[Claim]:
    began_s = time.monotonic()
    run_id = start_run(client, users=10, duration_s=240)
    _until_sending(client, run_id)
    back = {}
    for service in CORE:
        back[service] = stack.kill(service)
        stack.say(f"{service} killed, healthy after {back[service]:.0f} s")
    yield Claim(name, "each service of Airflow, killed during a load, comes back by itself", "all", _text(back), True)
    run = finish_run(stack, client, run_id, began_s)
    claim = "and that run ends with a verdict"
    yield Claim(name, claim, "any but none", f"DAG run {run.state}, {run.text}", run.verdict is not None)


def _until_sending(client: AirflowClient, run_id: str) -> None:
    wait_for(lambda: task_states(client, run_id).get("run_profile") == "running", BEGIN_S, f"the load of {run_id}")
    time.sleep(15)


def _load_worker(stack: Stack, client: AirflowClient, name: str) -> Claim:
    """The generator dies with its container: what was measured is kept, and the load never counts as valid."""
    began_s = time.monotonic()
    run_id = start_run(client, users=10, duration_s=120)
    _until_sending(client, run_id)
    back_s = stack.kill("load-worker")
    run = finish_run(stack, client, run_id, began_s)
    measured = f"back after {back_s:.0f} s; {run.text}"
    ok = run.verdict in ("INCONCLUSIVE", "ABORTED", "SLA_BREACH") and bool(LOST & set(run.reasons))
    claim = "the load worker killed during a load: it comes back, the run says that its generator was lost"
    return Claim(name, claim, f"no PASS, and one of {', '.join(sorted(LOST))}", measured, ok)


def _stopped(stack: Stack, client: AirflowClient, name: str) -> Claim:
    """`docker compose stop` is no crash: the load ends in order, and what comes after it waits for the start."""
    began_s = time.monotonic()
    run_id = start_run(client, users=10, duration_s=240)
    _until_sending(client, run_id)
    stopped_s = time.monotonic()
    stack.must("stop", "worker", "load-worker")
    took_s = time.monotonic() - stopped_s
    codes = ", ".join(f"{one} exit {stack.of(one).exit_code}" for one in ("worker", "load-worker"))
    stack.must("up", "--detach", "--no-build", "--scale", "locust-worker=2")
    run = finish_run(stack, client, run_id, began_s)
    cleanup = task_states(client, run_id).get("cleanup_users")
    measured = f"stopped within {took_s:.0f} s, {codes}; {run.text}; cleanup_users {cleanup}"
    ok = took_s < STOP_S and run.verdict == "ABORTED" and bool(run.workers) and cleanup == "success"
    claim = "both workers stopped by command during a load, then started: it ended in order, its users are removed"
    return Claim(name, claim, f"within {STOP_S:.0f} s, ABORTED with samples, cleanup_users success", measured, ok)


def _text(back: dict[str, float]) -> str:
    return "healthy again after: " + ", ".join(f"{service} {seconds:.0f} s" for service, seconds in back.items())
