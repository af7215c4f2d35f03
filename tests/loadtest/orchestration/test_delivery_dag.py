"""The DAG that delivers what waits: when it runs, and that it says what it did."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowSkipException

from include.loadtest.errors import InfrastructureError
from include.loadtest.orchestration import outstanding, settings
from include.loadtest.publishing.services import Services

pytestmark = pytest.mark.unit
DAG_FILE = Path(__file__).parents[3] / "dags" / "load_test_delivery.py"


@pytest.fixture(scope="module")
def dag() -> Any:
    specification = importlib.util.spec_from_file_location("delivery", DAG_FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.dag


@pytest.fixture
def deliver(dag: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(settings, "history_url", lambda: "postgresql://nowhere/history")
    monkeypatch.setattr(settings, "services", Services)
    return dag.get_task("deliver").python_callable


def test_one_task_every_ten_minutes(dag: Any) -> None:
    """It ends before the next one is due, and never runs twice at once."""
    assert [task.task_id for task in dag.tasks] == ["deliver"]
    assert dag.schedule.expression == "*/10 * * * *"
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    task = dag.get_task("deliver")
    assert (task.retries, task.execution_timeout.total_seconds() < 600) == (0, True)


def test_it_is_skipped_where_nothing_waits(deliver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A green task every ten minutes would look as if something had been delivered."""
    monkeypatch.setattr(outstanding, "deliver_waiting", lambda _url, _services: [])
    with pytest.raises(AirflowSkipException, match="nothing waits"):
        deliver()


def test_it_says_what_it_did(deliver: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A service that is still away is a line, and no failure: that is housekeeping's to tell."""
    caplog.set_level("INFO", "loadtest")
    monkeypatch.setattr(outstanding, "deliver_waiting", lambda _url, _services: ["delivered 2, 1 left", "no answer"])
    deliver()
    assert "delivered 2, 1 left" in caplog.text


def test_without_the_history_it_is_red(deliver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows then what waits."""

    def away(*_: object) -> list[str]:
        raise InfrastructureError("history database h at db:5432: connection refused")

    monkeypatch.setattr(outstanding, "deliver_waiting", away)
    with pytest.raises(AirflowException, match="connection refused"):
        deliver()
