"""An environment that is attacked: users of each role, a target on a production host, and what asks them."""

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from experiments.claims import Say
from experiments.environment import NOT_COPIED, Environment, uninterrupted
from include.embedded.environment import running_state
from include.embedded.state import CHECKOUT, EmbeddedError

ROLES = ("viewer", "user", "op", "admin")
OPERATOR, HOST, TARGET, DAG = "op", "localhost", "live", "load_test_manual"
REFUSED_WITHIN_S = 900.0


@dataclass
class Attack:
    """The environment, its users' logins, and what must not be seen. `seen`: what processes were started as."""

    environment: Environment
    url: str
    tokens: Mapping[str, str]
    canary: Path
    hidden: dict[str, str] = field(default_factory=dict)
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)
    user_tokens: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, role: str | None, **options: Any) -> httpx.Response:
        """One request with a role's login."""
        headers = {**options.pop("headers", {})}
        if role:
            headers["Authorization"] = f"Bearer {self.tokens[role]}"
        return httpx.request(method, self.url + path, headers=headers, timeout=60, trust_env=False, **options)

    def trigger(self, role: str, run_id: str, conf: Mapping[str, Any], dag_id: str = DAG) -> httpx.Response:
        """Start a DAG run."""
        body = {"dag_run_id": run_id, "logical_date": None, "conf": dict(conf)}
        return self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", role, json=body)

    def manifest_of(self, reason: str) -> tuple[Path, dict[str, Any]] | None:
        """Bundle and manifest of the run that was made for a reason."""
        for path in sorted(self.environment.results.glob("*/manifest.json")):
            with suppress(OSError, ValueError):
                found = json.loads(path.read_text(encoding="utf-8"))
                if (found.get("parameters") or {}).get("reason") == reason:
                    return path.parent, found
        return None

    def refusal_of(self, reason: str) -> str:
        """What preflight said."""
        until(f"a refusal of the run for {reason!r}", lambda: self._fault(reason) is not None, REFUSED_WITHIN_S)
        return str(self._fault(reason))

    def _fault(self, reason: str) -> str | None:
        found = self.manifest_of(reason)
        faults = (found[1].get("faults") or {}) if found else {}
        return faults["preflight"]["text"] if "preflight" in faults else None


@contextmanager
def attacked(say: Say) -> Iterator[Attack]:
    """Started from a copy of the checkout, and stopped however the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="loadtest-prove-"))
    environment = Environment(folder / "checkout", say, {})
    try:
        shutil.copytree(CHECKOUT, environment.folder, ignore=NOT_COPIED)
        (environment.folder / ".venv").symlink_to(CHECKOUT / ".venv")
        _set_up(environment.folder)
        say("starting an environment of its own, with a user of each role and a target on a production host")
        environment.up()
        state = running_state(environment.layout)
        if state is None:
            raise EmbeddedError("the environment does not run")
        passwords = _passwords(environment)
        tokens = {role: _login(state.url, role, passwords[role]) for role in ROLES}
        hidden = {f"password of {role}": passwords[role] for role in ROLES}
        hidden |= {f"login of {role}": token for role, token in tokens.items()}
        hidden |= json.loads(environment.layout.secrets_file.read_text(encoding="utf-8"))
        yield Attack(environment, state.url, tokens, folder / "canary", hidden)
    finally:
        with uninterrupted():
            say("stopping it")
            environment.down()
            shutil.rmtree(folder, ignore_errors=True)


def _set_up(checkout: Path) -> None:
    """Users and a target, as whoever installs it would write them into files."""
    file = checkout / "include" / "embedded" / "airflow.py"
    users = ",".join(f"{role}:{role}" for role in ROLES)
    file.write_text(file.read_text(encoding="utf-8").replace('f"{USER}:admin"', f'"{users}"'), encoding="utf-8")
    targets = checkout / "include" / "profiles" / "targets"
    live = (targets / "demo.yaml").read_text(encoding="utf-8").replace("name: demo", f"name: {TARGET}")
    own = f"production_hosts: [{HOST}]\nproduction_operators: [{OPERATOR}]\n"
    (targets / f"{TARGET}.yaml").write_text(live + own, encoding="utf-8")


def _passwords(environment: Environment) -> dict[str, str]:
    """Airflow makes one for each user, and says them in a private file."""
    found: dict[str, str] = json.loads(environment.layout.passwords_file.read_text(encoding="utf-8"))
    return found


def _login(url: str, user: str, password: str) -> str:
    answer = httpx.post(f"{url}/auth/token", json={"username": user, "password": password}, timeout=60, trust_env=False)
    return str(answer.raise_for_status().json()["access_token"])


def until(what: str, happened: Callable[[], bool], limit_s: float) -> None:
    """Look each second. Raises EmbeddedError where it does not happen in that time."""
    deadline_s = time.monotonic() + limit_s
    while not happened():
        if time.monotonic() > deadline_s:
            raise EmbeddedError(f"did not happen within {limit_s:.0f} s: {what}")
        time.sleep(1.0)
