from pathlib import Path
from typing import Any

import pytest

from tests.embedded.conftest import ScriptedAirflow
from tests.github.conftest import ROOT, Runner, script

pytestmark = pytest.mark.integration
RUN = "github__77_1"
PAUSED, UNPAUSED = (200, {"is_paused": True}), (200, {"is_paused": False})
MANUAL, WEEKLY, PULL_REQUEST = "load_test_manual", "load_test_weekly", "load_test_pull_request"


def script_run(
    api: ScriptedAirflow, dag_id: str, run_id: str, *, verdict: str | None, state: str = "success", group: str = ""
) -> None:
    """A run of one task that has ended."""
    path = f"/dags/{dag_id}/dagRuns/{run_id}"
    task = {"task_id": f"{group}gate", "map_index": -1, "try_number": 1, "state": state,
            "start_date": "2026-11-29T02:00:00Z", "end_date": "2026-11-29T02:00:01Z"}  # fmt: skip
    api.on(f"GET {path}", (200, {"state": "running"}), (200, {"state": state}))
    api.on(f"GET {path}/taskInstances", (200, {"task_instances": [task]}))
    api.on(f"GET {path}/taskInstances/{group}gate/logs/1", (200, {"content": [], "continuation_token": None}))
    if verdict is not None:
        for key, value in (("verdict", verdict), ("bundle", "s3://results/smoke-1")):
            api.on(f"GET {path}/taskInstances/{group}gate/xcomEntries/{key}", (200, {"value": value}))


def script_dag(api: ScriptedAirflow, dag_id: str, paused: tuple[int, Any]) -> None:
    api.on(f"GET /dags/{dag_id}", paused)
    api.on(f"PATCH /dags/{dag_id}", (200, {}))
    api.on(f"POST /dags/{dag_id}/dagRuns", (200, {}))


def triggered(api: ScriptedAirflow) -> list[tuple[str, dict[str, Any]]]:
    """DAG and conf of each run that was started."""
    posts = [(call, body) for call, _, body in api.requests if call.startswith("POST ")]
    return [(call.split("/")[2], body["conf"]) for call, body in posts]


@pytest.fixture
def values(airflow_api: ScriptedAirflow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setattr("include.embedded.follow.time.sleep", lambda _: None)
    return {
        "AIRFLOW_URL": airflow_api.url,
        "AIRFLOW_USER": "ci",
        "AIRFLOW_PASSWORD": "secret",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_SERVER_URL": "https://github.example",
        "GITHUB_REPOSITORY": "studio/load-tests",
        "GITHUB_RUN_ID": "77",
        "GITHUB_RUN_ATTEMPT": "1",
    }


def main(values: dict[str, str]) -> int:
    code: int = script("trigger_airflow").main(values)
    return code


def test_the_step_starts_a_pull_requests_dag_and_takes_its_verdict(
    runner: Runner,
    airflow_api: ScriptedAirflow,
) -> None:
    """As a process of its own: the last two lines are those of `make run`, the page is an output."""
    script_dag(airflow_api, PULL_REQUEST, UNPAUSED)
    script_run(airflow_api, PULL_REQUEST, RUN, verdict="PASS")
    output = runner.temp / "load_test.txt"
    names = ("SUITE", "USERS", "DURATION_S", "ENGINE", "GENERATORS", "TARGET", "IGNORE_BLACKOUT", "AIRFLOW_TOKEN")
    inputs = dict.fromkeys(names, "")
    done = runner.run(
        "load-test",
        "Let the configured Airflow send the load",
        **inputs,
        PROFILE="smoke",
        AIRFLOW_URL=airflow_api.url,
        AIRFLOW_USER="ci",
        AIRFLOW_PASSWORD="secret",
        PYTHONPATH=str(ROOT),
        LOAD_TEST_OUTPUT=str(output),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert output.read_text().splitlines()[-2:] == ["verdict: PASS", "bundle: s3://results/smoke-1"]
    assert runner.outputs() == {"page": f"{airflow_api.url}/dags/{PULL_REQUEST}/runs/{RUN}"}
    reason = "GitHub pull_request: https://github.example/studio/load-tests/actions/runs/77"
    assert triggered(airflow_api) == [(PULL_REQUEST, {"reason": reason})]


@pytest.mark.parametrize(("verdict", "code"), [("WARN", 0), ("SLA_BREACH", 1), ("INCONCLUSIVE", 1), (None, 1)])
def test_the_verdict_is_the_exit_code(
    airflow_api: ScriptedAirflow,
    values: dict,
    capsys: pytest.CaptureFixture[str],
    verdict: str | None,
    code: int,
) -> None:
    """A run that went green without a verdict is as red as a breach."""
    script_dag(airflow_api, MANUAL, UNPAUSED)
    script_run(airflow_api, MANUAL, RUN, verdict=verdict)
    assert main(values | {"PROFILE": "peak_hours"}) == code
    captured = capsys.readouterr()
    assert (f"verdict: {verdict}\n" in captured.out) == (verdict is not None)
    assert ("without a verdict" in captured.err) == (verdict is None)


def test_the_forms_inputs_are_the_conf(airflow_api: ScriptedAirflow, values: dict) -> None:
    """Checked here by the rules of `make run`, with whole numbers as numbers; a paused DAG stays unpaused."""
    script_dag(airflow_api, MANUAL, PAUSED)
    script_run(airflow_api, MANUAL, RUN, verdict="PASS")
    given = {"PROFILE": "peak_hours", "USERS": "20", "DURATION_S": "60", "TARGET": "demo", "IGNORE_BLACKOUT": "yes"}
    assert main(values | given) == 0
    [(dag_id, conf)] = triggered(airflow_api)
    assert dag_id == MANUAL
    expected = {"profile": "peak_hours", "users": 20, "duration_s": 60, "target": "demo", "ignore_blackout": True}
    assert expected.items() <= conf.items()
    patches = [body for call, _, body in airflow_api.requests if call.startswith("PATCH ")]
    assert patches == [{"is_paused": False}], "pausing it again would freeze other people's runs"


def test_a_token_replaces_the_login(airflow_api: ScriptedAirflow, values: dict) -> None:
    """No password is sent where a token is given."""
    script_dag(airflow_api, MANUAL, UNPAUSED)
    script_run(airflow_api, MANUAL, RUN, verdict="PASS")
    assert main(values | {"PROFILE": "smoke", "AIRFLOW_TOKEN": "token-0"}) == 0
    assert airflow_api.logins == 0


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"PROFILE": "peak_huors"}, 2, "did you mean peak_hours?"),
        ({"PROFILE": "smoke", "USERS": "many"}, 2, "USERS: "),
        ({"PROFILE": "smoke", "AIRFLOW_URL": "airflow.example"}, 2, "no http or https address"),
        ({"PROFILE": "smoke", "AIRFLOW_URL": "http://airflow.example"}, 2, "use https"),
        ({"PROFILE": "smoke", "AIRFLOW_PASSWORD": ""}, 2, "give the secret AIRFLOW_TOKEN"),
        ({"PROFILE": "smoke", "AIRFLOW_TOKEN": "old"}, 1, "Airflow refused the secret AIRFLOW_TOKEN"),
        ({"PROFILE": "smoke"}, 2, "Airflow does not know the DAG load_test_manual"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    values: dict, capsys: pytest.CaptureFixture[str], given: dict, code: int, text: str
) -> None:
    """Bad input is 2, an Airflow that refuses is 1; nothing is tried again that cannot help."""
    assert main(values | given) == code
    captured = capsys.readouterr()
    assert text in captured.err
    assert len(captured.err.splitlines()) == 1
    assert "verdict" not in captured.out


def test_the_week_follows_the_run_that_airflow_started_itself(airflow_api: ScriptedAirflow, values: dict) -> None:
    """A second run beside the scheduled one would be a load that nobody ordered."""
    script_dag(airflow_api, WEEKLY, UNPAUSED)
    airflow_api.on(f"GET /dags/{WEEKLY}/dagRuns", (200, {"dag_runs": [{"dag_run_id": "scheduled__1"}]}))
    script_run(airflow_api, WEEKLY, "scheduled__1", verdict="WARN")
    assert main(values | {"GITHUB_EVENT_NAME": "schedule", "SUITE": "weekly"}) == 0
    assert triggered(airflow_api) == []
    query = next(query for call, query, _ in airflow_api.requests if call == f"GET /dags/{WEEKLY}/dagRuns")
    assert (query["run_type"], query["order_by"]) == (["scheduled"], ["-run_after"])


def test_a_week_that_airflows_calendar_skips_is_told(
    airflow_api: ScriptedAirflow,
    values: dict,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Green without a verdict: only here, and the output says that nothing ran."""
    script_dag(airflow_api, WEEKLY, UNPAUSED)
    airflow_api.on(f"GET /dags/{WEEKLY}/dagRuns", (200, {"dag_runs": [{"dag_run_id": "scheduled__1"}]}))
    script_run(airflow_api, WEEKLY, "scheduled__1", verdict=None)
    assert main(values | {"GITHUB_EVENT_NAME": "schedule", "SUITE": "weekly"}) == 0
    assert "skipped=yes" in (tmp_path / "output").read_text()
    assert "no load was sent" in capsys.readouterr().out


def test_a_failed_week_without_a_verdict_is_red(airflow_api: ScriptedAirflow, values: dict) -> None:
    """A run that broke is not one that was skipped."""
    script_dag(airflow_api, WEEKLY, UNPAUSED)
    airflow_api.on(f"GET /dags/{WEEKLY}/dagRuns", (200, {"dag_runs": [{"dag_run_id": "scheduled__1"}]}))
    script_run(airflow_api, WEEKLY, "scheduled__1", verdict=None, state="failed")
    assert main(values | {"GITHUB_EVENT_NAME": "schedule", "SUITE": "weekly"}) == 1


def test_a_week_that_airflow_does_not_schedule_is_started(airflow_api: ScriptedAirflow, values: dict) -> None:
    """A paused weekly DAG stays paused: unpausing it would start its slot too. The manual DAG runs the suite."""
    script_dag(airflow_api, WEEKLY, PAUSED)
    script_dag(airflow_api, MANUAL, UNPAUSED)
    script_run(airflow_api, MANUAL, RUN, verdict="PASS", group="suite.")
    assert main(values | {"GITHUB_EVENT_NAME": "schedule", "SUITE": "weekly"}) == 0
    [(dag_id, conf)] = triggered(airflow_api)
    assert (dag_id, conf["suite"]) == (MANUAL, "weekly")
    assert not [call for call, _, _ in airflow_api.requests if call == f"PATCH /dags/{WEEKLY}"]


def test_a_scheduled_week_that_never_came_is_red(
    airflow_api: ScriptedAirflow,
    values: dict,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Airflow says that it schedules the suite, and has no run: somebody has to look."""
    module = script("trigger_airflow")
    monkeypatch.setattr(module.scheduled_run, "__kwdefaults__", {"patience_s": 0.0})
    script_dag(airflow_api, WEEKLY, UNPAUSED)
    airflow_api.on(f"GET /dags/{WEEKLY}/dagRuns", (200, {"dag_runs": []}))
    assert main(values | {"GITHUB_EVENT_NAME": "schedule", "SUITE": "weekly"}) == 1
    assert triggered(airflow_api) == []
