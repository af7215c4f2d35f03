"""What an operator does to the running environment: Airflow's REST API, the runbooks' commands, the switch."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import psutil

from tests.helpers.commands import ROOT

LOCUSTFILE = str(ROOT / "include" / "locustfiles" / "pratikoai.py")


def airflow_url() -> str:
    """Where its Airflow is."""
    port = json.loads((ROOT / ".embedded" / "environment.json").read_text())["port"]
    return f"http://127.0.0.1:{port}"


def api() -> httpx.Client:
    """Airflow's REST API, as the administrator."""
    url = airflow_url()
    password = json.loads((ROOT / ".embedded" / "passwords.json").read_text())["admin"]
    login = httpx.post(f"{url}/auth/token", json={"username": "admin", "password": password}, timeout=30)
    token = login.raise_for_status().json()["access_token"]
    return httpx.Client(base_url=f"{url}/api/v2", headers={"Authorization": f"Bearer {token}"}, timeout=30)


def runbook(command: str) -> None:
    """A command of docs/runbooks, as a person gives it."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    script = f". docs/runbooks/tools.sh && {command}"
    subprocess.run(["bash", "-c", script], cwd=ROOT, env=given, check=True, timeout=60)


def switch() -> str:
    """The Airflow variable that stops all load."""
    with api() as client:
        return str(client.get("/variables/loadtest_stop").raise_for_status().json()["value"])


def forget_switch() -> None:
    """Delete it."""
    with api() as client:
        client.delete("/variables/loadtest_stop").raise_for_status()


def generators(bundle: Path) -> list[str]:
    """Command lines of the generators of one run."""
    lines = [process.info["cmdline"] or () for process in psutil.process_iter(["cmdline"])]
    return [" ".join(line) for line in lines if LOCUSTFILE in line and bundle.name in " ".join(line)]


def mark_load_failed() -> None:
    """Mark the running load's task failed, as an operator does on Airflow's page."""
    with api() as client:
        found = client.get("/dags/~/dagRuns/~/taskInstances", params={"state": "running"}).raise_for_status().json()
        task = next(task for task in found["task_instances"] if task["task_id"] == "run_profile")
        path = f"/dags/{task['dag_id']}/dagRuns/{task['dag_run_id']}/taskInstances/run_profile"
        client.patch(path, json={"new_state": "failed"}).raise_for_status()
