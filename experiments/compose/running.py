"""The services once they run: health, who they are, who may do what."""

import time
from collections.abc import Iterator
from functools import partial

import httpx

from experiments.claims import Claim
from experiments.compose.stack import TARGET, Container, Stack, refused
from include.embedded.client import AirflowClient
from include.embedded.inputs import MANUAL_DAG
from include.embedded.servers import wait_until

DAGS_S, SCRAPED_S = 240.0, 60.0
TARGETS = {"loadtest": "up", "node": "up"}


def start(stack: Stack, name: str) -> Iterator[Claim]:
    """All services, with two generators; then what each of them is allowed to do."""
    began_s = time.monotonic()
    stack.must("up", "--detach", "--no-build", "--scale", "locust-worker=2")
    ill = stack.until_well()
    took_s = time.monotonic() - began_s
    containers = stack.containers()
    measured = f"{len(containers) - len(ill)} of {len(containers)} after {took_s:.0f} s"
    measured += "".join(f"; {one.service}: {one.state} {one.health}" for one in ill)
    yield Claim(name, "started from nothing, all services become healthy", "all", measured, not ill)
    yield _confined(containers, name)
    yield _logs(containers, name)
    yield _one_load_worker(stack, name)


def _confined(containers: list[Container], name: str) -> Claim:
    """As the daemon says, and as the processes' own user ids say."""
    loose = [one.service for one in containers if not _is_confined(one)]
    running = [one for one in containers if one.pid]
    roots = [one.service for one in running if _user_id(one.pid) == 0]
    claim = "no container runs as root; each has limits, no capabilities, a read-only file system"
    measured = f"{len(containers)} containers; root: {', '.join(roots) or 'none'}; loose: {', '.join(loose) or 'none'}"
    return Claim(name, claim, "none", measured, not loose and not roots)


def _is_confined(container: Container) -> bool:
    host = container.details["HostConfig"]
    limited = host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0
    closed = host["CapDrop"] == ["ALL"] and not host["CapAdd"] and not host["Privileged"] and host["ReadonlyRootfs"]
    return bool(limited and closed and "no-new-privileges:true" in host["SecurityOpt"])


def _user_id(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - a process, not a file
        return next(int(line.split()[1]) for line in status if line.startswith("Uid:"))


def _logs(containers: list[Container], name: str) -> Claim:
    kinds = {str(one.details["HostConfig"]["LogConfig"]) for one in containers}
    wanted = str({"Type": "json-file", "Config": {"max-file": "3", "max-size": "10m"}})
    claim = "logs are kept in at most three files of 10 MB a container"
    return Claim(name, claim, wanted, "; ".join(sorted(kinds)), kinds == {wanted})


def _one_load_worker(stack: Stack, name: str) -> Claim:
    """A second one would look for a run's private folder in a place where it is not."""
    done = stack.compose("up", "--no-start", "--no-build", "--no-deps", "--scale", "load-worker=2", "load-worker")
    refusal = next((line for line in done.err.splitlines() if "container name" in line), done.err[-200:])
    ok = done.code != 0 and "container name" in refusal
    return Claim(name, "a second load worker is refused by Compose", "refused", f"exit {done.code}: {refusal}", ok)


def observed(stack: Stack, name: str) -> Iterator[Claim]:
    """What Prometheus itself says of its targets, its rules and the Alertmanager it tells."""
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.values['LOADTEST_PROMETHEUS_PORT']}/api/v1") as http:
        wait_until(lambda: _targets(http) == TARGETS, SCRAPED_S, poll_s=2)
        targets, groups = _targets(http), http.get("/rules").json()["data"]["groups"]
        told = http.get("/alertmanagers").json()["data"]["activeAlertmanagers"]
    rules = sum(len(group["rules"]) for group in groups)
    measured = f"{targets}, {rules} rules, {len(told)} Alertmanager"
    ok = targets == TARGETS and rules > 0 and len(told) == 1
    claim = "Prometheus scrapes exporter and node_exporter, has the generated rules, tells Alertmanager"
    yield Claim(name, claim, f"{TARGETS}, rules, 1", measured, ok)


def _targets(http: httpx.Client) -> dict[str, str]:
    found = http.get("/targets").json()["data"]["activeTargets"]
    return {str(target["labels"]["job"]): str(target["health"]) for target in found}


def roles(stack: Stack, name: str) -> Iterator[Claim]:
    """The three users, by the API and by the project's own pages."""
    clients = {user: stack.client(user) for user in ("viewer", "operator", "admin")}
    if not wait_until(lambda: clients["admin"].has_dag(MANUAL_DAG), DAGS_S, poll_s=2):
        raise RuntimeError(f"{MANUAL_DAG} is not there {DAGS_S:.0f} s after the start")
    conf = {"profile": "smoke", "target": TARGET, "reason": "proof", "users": 100_000}  # refused by preflight, later
    stranger = refused(stack.client("viewer", "wrong-password").import_errors)
    yield Claim(name, "a wrong password is refused", "401", str(stranger), stranger == 401)
    viewer = refused(lambda: clients["viewer"].trigger(MANUAL_DAG, "by_viewer", conf))
    yield Claim(name, "the viewer may not start a load", "403", str(viewer), viewer == 403)
    yield _pages(stack, name, clients)
    yield _connections(name, clients)
    for client in clients.values():
        client.close()


def _pages(stack: Stack, name: str, clients: dict[str, AirflowClient]) -> Claim:
    """Reading needs a login, pinning a baseline the operator's role."""
    measured = {"nobody": _status(stack, None), **{user: _status(stack, user) for user in clients}}
    text = ", ".join(f"{user} {read}/{change}" for user, (read, change) in measured.items())
    wanted = {"nobody": (401, 401), "viewer": (200, 403), "operator": (200, 422), "admin": (200, 422)}
    claim = "the pages need a login; an order to pin a baseline that cannot be gets as far as the role lets it"
    expected = ", ".join(f"{user} {read}/{change}" for user, (read, change) in wanted.items())
    return Claim(name, claim, expected, text, measured == wanted)


def _status(stack: Stack, user: str | None) -> tuple[int, int]:
    """HTTP status of reading a page, and of an order to change baselines that says nothing."""
    headers = {}
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as http:
        if user is not None:
            secret = stack.values[f"LOADTEST_{user.upper()}_PASSWORD"]
            token = http.post("/auth/token", json={"username": user, "password": secret}).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
        read = http.get("/loadtest/", headers=headers).status_code
        own = {**headers, "X-Loadtest": "1", "Sec-Fetch-Site": "same-origin"}
        change = http.post("/loadtest/actions/pin", headers=own, json={"baseline_id": 0}).status_code
    return read, change


def _connections(name: str, clients: dict[str, AirflowClient]) -> Claim:
    """The operator's role has no permission on connections; the administrator's has."""
    found = {user: refused(partial(client._call, "GET", "/connections")) for user, client in clients.items()}
    measured = ", ".join(f"{user} {status or 200}" for user, status in found.items())
    wanted = {"viewer": 403, "operator": 403, "admin": 0}
    return Claim(name, "only the administrator reads connections", "403, 403, 200", measured, found == wanted)
