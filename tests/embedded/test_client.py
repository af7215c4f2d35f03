import time
from collections.abc import Iterator

import pytest

from include.embedded.client import AirflowClient, ApiError, ApiUnavailableError, TaskInstance
from tests.embedded.conftest import RESET, ScriptedAirflow

pytestmark = pytest.mark.unit
TASK = TaskInstance(task_id="run_profile", map_index=-1, try_number=2, state="running", start=None, end=None)


@pytest.fixture
def client(airflow_api: ScriptedAirflow) -> Iterator[AirflowClient]:
    client = AirflowClient(airflow_api.url, "admin", "secret", patience_s=5)
    yield client
    client.close()


def test_logs_in_once_and_uses_its_token(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """Two calls need one login."""
    airflow_api.on("GET /dags/d/dagRuns/r", (200, {"state": "running"}))
    assert [client.run_state("d", "r") for _ in range(2)] == ["running", "running"]
    assert airflow_api.logins == 1


def test_renews_an_expired_login(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """A 401 leads to a new login, not to a failure."""
    airflow_api.on("GET /dags/d/dagRuns/r", (200, {"state": "running"}))
    client.run_state("d", "r")
    airflow_api.logins += 1  # the server takes another token from now on
    assert client.run_state("d", "r") == "running"
    assert airflow_api.logins == 3


def test_repeats_through_resets_and_server_errors(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """A cut connection and a 503 are tried again."""
    airflow_api.on("GET /dags/d/dagRuns/r", RESET, (503, {}), (200, {"state": "success"}))
    assert client.run_state("d", "r") == "success"


def test_gives_up_within_its_patience(airflow_api: ScriptedAirflow) -> None:
    """An API that stays broken ends in one error that names the last problem."""
    airflow_api.on("GET /dags/d/dagRuns/r", (500, {}))
    client = AirflowClient(airflow_api.url, "admin", "secret", patience_s=1)
    with pytest.raises(ApiUnavailableError, match="HTTP 500"):
        client.run_state("d", "r")


def test_gives_up_at_once_when_airflow_is_known_to_be_gone(airflow_api: ScriptedAirflow) -> None:
    """Patience ends when the caller says that waiting is vain."""
    airflow_api.on("GET /dags/d/dagRuns/r", RESET)
    client = AirflowClient(airflow_api.url, "admin", "secret", patience_s=600, is_alive=lambda: False)
    started_s = time.monotonic()
    with pytest.raises(ApiUnavailableError):
        client.run_state("d", "r")
    assert time.monotonic() - started_s < 60


def test_does_not_repeat_a_refused_call(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """A 422 is the caller's fault: one attempt, and the answer's text is in the error."""
    airflow_api.on("POST /dags/d/dagRuns", (422, {"detail": "users must be an integer"}))
    with pytest.raises(ApiError, match="users must be an integer"):
        client.trigger("d", "r", {"users": "x"})
    assert len(airflow_api.requests) == 1


def test_a_repeated_trigger_starts_one_run(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """When the first answer was lost, the conflict of the second attempt means that the run exists."""
    airflow_api.on("POST /dags/d/dagRuns", RESET, (409, {"detail": "exists"}))
    client.trigger("d", "r", {"users": 3})
    assert {str(body["dag_run_id"]) for _, _, body in airflow_api.requests} == {"r"}
    assert airflow_api.requests[-1][2]["conf"] == {"users": 3}


def test_reads_a_log_from_where_it_stopped(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """The position goes back to the API; lines keep logger, level, time and what was raised."""
    event = {"timestamp": "2026-01-01T00:00:00Z", "event": "go", "level": "INFO", "logger": "loadtest"}
    failed = {
        "event": "Task failed with exception",
        "level": "error",
        "error_detail": [{"exc_type": "E", "exc_value": "why"}],
    }
    path = "GET /dags/d/dagRuns/r/taskInstances/run_profile/logs/2"
    airflow_api.on(
        path,
        (200, {"content": [event, "plain"], "continuation_token": "p1"}),
        (200, {"content": [failed], "continuation_token": None}),
    )
    lines, position = client.log_lines("d", "r", TASK, None)
    assert [(line.logger, line.level, line.text) for line in lines] == [
        ("loadtest", "info", "go"),
        ("", "info", "plain"),
    ]
    rest, end = client.log_lines("d", "r", TASK, position)
    assert airflow_api.requests[-1][1]["token"] == ["p1"]
    assert (rest[0].exception, end) == ("E: why", None)


def test_an_xcom_that_was_not_pushed_is_none(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """Absent is None, never an invented value."""
    airflow_api.on("GET /dags/d/dagRuns/r/taskInstances/gate/xcomEntries/verdict", (200, {"value": "PASS"}))
    assert client.xcom("d", "r", "gate", "verdict") == "PASS"
    assert client.xcom("d", "r", "gate", "bundle") is None


def test_health_makes_one_attempt(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """Waiting for a start is the caller's business."""
    with pytest.raises(ApiUnavailableError):
        client.health()
    assert len(airflow_api.requests) == 1


def test_all_tasks_are_found_also_where_they_are_many(airflow_api: ScriptedAirflow, client: AirflowClient) -> None:
    """Airflow gives a hundred at a time, whatever it is asked for; mapped tasks come last."""
    entry = {"task_id": "t", "map_index": -1, "try_number": 1, "state": None, "start_date": None, "end_date": None}
    path = "GET /dags/d/dagRuns/r/taskInstances"
    airflow_api.on(
        path, (200, {"task_instances": [entry] * 100}), (200, {"task_instances": [entry | {"map_index": 1}] * 12})
    )
    found = client.task_instances("d", "r")
    assert (len(found), found[-1].label) == (112, "t[1]")
    assert [asked["offset"] for _, asked, _ in airflow_api.requests] == [["0"], ["100"]]
