"""The plugin costs those nothing who load it for other reasons: the app is made at its first request."""

import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from include.loadtest.orchestration.web.mounting import PREFIX, VIEWS, LazyApp

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[4]
PROBE = """
import sys
import airflow.plugins_manager
before = set(sys.modules)
sys.path.insert(0, "plugins")
import loadtest_web
print(sorted(name for name in set(sys.modules) - before))
"""


def test_the_plugin_imports_nothing_but_its_own_small_module(tmp_path: Path) -> None:
    """The scheduler, the DAG processor and every task load plugins; none of them needs a web app."""
    environment = {"PATH": "/usr/bin:/bin", "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    probe = subprocess.run(
        [sys.executable, "-c", PROBE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert probe.returncode == 0, probe.stderr
    package = "include.loadtest.orchestration.web"
    names = ["include", "include.loadtest", "include.loadtest.orchestration", package, f"{package}.mounting"]
    assert probe.stdout.splitlines()[-1] == str([*names, "loadtest_web"])


def test_the_app_is_made_once_at_the_first_request(tokens: dict[str, str]) -> None:
    """Then it answers as if it had been there."""
    lazy = LazyApp()
    outer = FastAPI()
    outer.mount(PREFIX, lazy)
    assert lazy._app is None
    client = TestClient(outer, cookies={"_token": tokens["viewer"]})
    assert client.get("/loadtest/").status_code == 200
    made = lazy._app
    assert client.get("/loadtest/docs/").status_code == 200
    assert lazy._app is made


def test_airflow_takes_the_views() -> None:
    """By the model of its own API: an entry of the navigation, a tab of a DAG run, one of a task; no route twice."""
    from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse

    views = [ExternalViewResponse.model_validate(view) for view in VIEWS]
    assert [view.destination for view in views] == ["nav", "dag_run", "task_instance"]
    assert len({view.url_route for view in views}) == len(views)
    assert not any(view.href.startswith(("/", "http")) for view in views)
