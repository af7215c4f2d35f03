from collections.abc import Iterator
from typing import Any

import pytest

from include.embedded.client import AirflowClient
from include.embedded.follow import follow
from tests.embedded.conftest import ScriptedAirflow

pytestmark = pytest.mark.unit
RUN = "/dags/d/dagRuns/r"


@pytest.fixture
def client(airflow_api: ScriptedAirflow) -> Iterator[AirflowClient]:
    client = AirflowClient(airflow_api.url, "admin", "secret", patience_s=5)
    yield client
    client.close()


def task(task_id: str, state: str | None, *, try_number: int = 1, start: str | None = "2026-01-01T10:00:00Z") -> Any:
    common = {"map_index": -1, "try_number": try_number, "end_date": None}
    return common | {"task_id": task_id, "state": state, "start_date": start}


def line(text: str, *, logger: str = "loadtest", level: str = "info", **more: Any) -> dict[str, Any]:
    return {"event": text, "logger": logger, "level": level, "timestamp": "2026-01-01T10:00:01Z"} | more


def log(*lines: dict[str, Any], position: str | None = None) -> tuple[int, dict[str, Any]]:
    return 200, {"content": list(lines), "continuation_token": position}


def tasks(*found: Any) -> tuple[int, dict[str, Any]]:
    return 200, {"task_instances": list(found)}


def said(client: AirflowClient) -> tuple[Any, list[str]]:
    lines: list[str] = []
    outcome = follow(client, "d", "r", say=lines.append, poll_s=0.01)
    return outcome, [" ".join(text.split()[1:]) for text in lines]


def test_relays_states_and_own_lines_once_and_in_order(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """Each state change and each line of the load test is shown once; Airflow's chatter and debug lines are not."""
    airflow_api.on(f"GET {RUN}", (200, {"state": "running"}), (200, {"state": "running"}), (200, {"state": "success"}))
    airflow_api.on(
        f"GET {RUN}/taskInstances",
        tasks(task("a", None, start=None)),
        tasks(task("a", "running")),
        tasks(task("a", "success")),
    )
    airflow_api.on(
        f"GET {RUN}/taskInstances/a/logs/1",
        log(line("one\ntwo"), line("chatter", logger="airflow.task"), position="p"),
        log(line("three", logger="task.stdout"), line("four", level="debug")),
    )
    airflow_api.on(f"GET {RUN}/taskInstances/gate/xcomEntries/verdict", (200, {"value": "WARN"}))
    airflow_api.on(f"GET {RUN}/taskInstances/gate/xcomEntries/bundle", (200, {"value": "/b"}))
    outcome, lines = said(client)
    assert lines == ["a running", "a | one", "a | two", "a | three", "a success"]
    assert (outcome.state, outcome.verdict, outcome.bundle) == ("success", "WARN", "/b")


def test_shows_the_ordered_group_only(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """The manual DAG holds a run and a suite: what was not ordered, or skipped before it began, is not shown."""
    airflow_api.on(f"GET {RUN}", (200, {"state": "success"}))
    airflow_api.on(
        f"GET {RUN}/taskInstances",
        tasks(
            *(task("a", "success"), task("suite.a", "skipped"), task("suite.b", "skipped", start=None)),
            task("suite.c", "skipped") | {"end_date": task("suite.c", "skipped")["start_date"]},
        ),
    )
    for name in ("a", "suite.a"):
        airflow_api.on(f"GET {RUN}/taskInstances/{name}/logs/1", log())
    for group in ("", "suite."):
        for key in ("verdict", "bundle"):
            value = f"{group}{key}"
            airflow_api.on(f"GET {RUN}/taskInstances/{group}gate/xcomEntries/{key}", (200, {"value": value}))
    shown = {}
    for group in ("", "suite."):
        lines: list[str] = []
        outcome = follow(client, "d", "r", say=lines.append, group=group, poll_s=0.01)
        shown[group] = ([" ".join(text.split()[1:]) for text in lines], outcome.verdict)
    assert shown == {
        "": (["a running", "a success"], "verdict"),
        "suite.": (["suite.a skipped"], "suite.verdict"),
    }


def test_names_what_failed_when_there_is_no_verdict(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """A run that ended without a verdict has none, and what was raised is shown."""
    airflow_api.on(f"GET {RUN}", (200, {"state": "failed"}))
    airflow_api.on(
        f"GET {RUN}/taskInstances", tasks(task("a", "failed"), task("b", "upstream_failed"), task("gate", "failed"))
    )
    raised = line("Task failed", logger="task", level="error", error_detail=[{"exc_type": "E", "exc_value": "no disk"}])
    airflow_api.on(f"GET {RUN}/taskInstances/a/logs/1", log(raised))
    outcome, lines = said(client)
    assert (outcome.verdict, outcome.bundle, outcome.failed_tasks) == (None, None, ("a", "gate"))
    assert lines == ["a running", "a | E: no disk", "a failed", "b upstream_failed", "gate running", "gate failed"]


def test_reads_the_log_of_each_try(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """A retried task starts a new log; the end of the first one is not lost."""
    airflow_api.on(f"GET {RUN}", (200, {"state": "running"}), (200, {"state": "success"}))
    airflow_api.on(
        f"GET {RUN}/taskInstances",
        tasks(task("a", "up_for_retry")),
        tasks(task("a", "success", try_number=2)),
    )
    airflow_api.on(f"GET {RUN}/taskInstances/a/logs/1", log(line("first")))
    airflow_api.on(f"GET {RUN}/taskInstances/a/logs/2", log(line("second")))
    _, lines = said(client)
    assert lines == ["a running", "a | first", "a up_for_retry", "a running", "a | second", "a success"]
