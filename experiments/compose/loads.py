"""Loads through Airflow's Celery workers: by one generator, by two, and while services are killed."""

import time
from collections.abc import Iterator

from experiments.claims import Claim
from experiments.compose.stack import Run, Stack, finish_run, start_run, task_states, wait_for
from include.embedded.client import AirflowClient
from include.embedded.inputs import MANUAL_DAG

VALID = ("PASS", "WARN", "SLA_BREACH")
"""A load that was sent and judged: how fast the stand-in is on this machine is not what is shown here."""
SHORT = {"users": 10, "duration_s": 30}
BEGIN_S = 600.0
CORE = ("redis", "scheduler", "dag-processor", "triggerer", "worker", "api-server", "postgres")
OTHERS = (
    *("exporter", "prometheus", "alertmanager", "grafana", "node-exporter"),
    *("locust-worker", "demo-target", "demo-redis", "demo-postgres"),
)


def loads(stack: Stack, name: str) -> Iterator[Claim]:
    """As operator: one generator on the load worker, then two of them on the machines of their own queue."""
    client = stack.client("operator")
    one = _load(stack, client)
    ok = one.verdict in VALID and sum(one.workers.values()) > 0
    yield Claim(name, "the operator's load runs through a Celery worker to a verdict", "a verdict", one.text, ok)
    two = _load(stack, client, generators=2)
    hosts = _hosts(client, two.id)
    ok = two.verdict in VALID and set(two.workers) == {"w1", "w2"} and len(hosts) == 2
    measured = f"{two.text}; on {len(hosts)} containers"
    yield Claim(name, "two Locust workers in two containers share a load", "w1 and w2, 2 containers", measured, ok)
    client.close()


def _load(stack: Stack, client: AirflowClient, **conf: int) -> Run:
    began_s = time.monotonic()
    run_id = start_run(client, **SHORT, **conf)
    stack.say(f"run {run_id} {conf}")
    return finish_run(stack, client, run_id, began_s)


def _hosts(client: AirflowClient, run_id: str) -> set[str]:
    """The containers that the generators' tasks ran in."""
    path = f"/dags/{MANUAL_DAG}/dagRuns/{run_id}/taskInstances/generators/listMapped"
    return {str(task["hostname"]) for task in client._call("GET", path)["task_instances"]}


def kills(stack: Stack, name: str) -> Iterator[Claim]:
    """Each service's process killed once; those that a run hangs on, while its load is sent."""
    client = stack.client("operator")
    yield from _during_a_load(stack, client, name)
    yield _load_worker(stack, client, name)
    back = {service: stack.kill(service) for service in OTHERS}
    ill = stack.until_well()
    yield Claim(name, "each other service comes back by itself", "all", _text(back), not ill)
    client.close()


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
    ok = run.verdict in ("INCONCLUSIVE", "ABORTED", "SLA_BREACH")
    claim = "the load worker killed during a load: it comes back, the run is no valid one"
    return Claim(name, claim, "INCONCLUSIVE, ABORTED or SLA_BREACH", measured, ok)


def _text(back: dict[str, float]) -> str:
    return "healthy again after: " + ", ".join(f"{service} {seconds:.0f} s" for service, seconds in back.items())
