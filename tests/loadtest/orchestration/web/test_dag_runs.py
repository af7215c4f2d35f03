"""From a DAG run to the page of what it tested, without Airflow's database: by the hash in the ids."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from include.loadtest import run
from include.loadtest.orchestration import settings
from include.loadtest.orchestration.web import dag_runs
from include.loadtest.orchestration.web.dag_runs import DagRun, dag_run_of, task_group
from tests.helpers.web_bundles import begun_suite, concluded_run, dag_run_page

pytestmark = pytest.mark.unit
AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
NAME = "manual__2026-11-20T10:00:00+00:00"


def _id(profile: str, dag_id: str = "load_test_manual") -> str:
    return run.run_id_for(profile, AT, settings.owner_name(dag_id, NAME))


def _asked(viewer: TestClient, dag_id: str = "load_test_manual", task: str = "") -> str:
    answer = viewer.get(f"/loadtest/dag-runs/{dag_id}/{NAME}", params={"task": task} if task else None)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_a_dag_run_leads_to_its_run(viewer: TestClient, results: Path) -> None:
    """Another DAG run's of the same moment does not count, nor does one whose short hash only looks alike."""
    concluded_run(results, _id("smoke"), dag_run=dag_run_page("load_test_manual", NAME.replace(":", "%3A")))
    concluded_run(results, _id("smoke", "load_test_pull_request"))
    concluded_run(results, "soak-20261119-100000-" + _id("smoke")[-6:], dag_run=dag_run_page("load_test_manual", "x"))
    assert _asked(viewer) == f"/loadtest/runs/{_id('smoke')}"


def test_a_suites_dag_run_leads_to_the_suite_and_a_task_to_its_run(viewer: TestClient, results: Path) -> None:
    """The task's group says which run; a task of the suite itself leads to the suite."""
    dag_id = "load_test_weekly"
    begun_suite(results, _id("weekly", dag_id), "smoke", "baseline")
    for profile in ("smoke", "baseline"):
        concluded_run(results, _id(profile, dag_id))
    assert _asked(viewer, dag_id) == f"/loadtest/suites/{_id('weekly', dag_id)}"
    assert _asked(viewer, dag_id, "publish_suite") == f"/loadtest/suites/{_id('weekly', dag_id)}"
    assert _asked(viewer, dag_id, "baseline.run_profile") == f"/loadtest/runs/{_id('baseline', dag_id)}"


def test_groups_of_the_manual_dag_are_counted() -> None:
    """Its graph is the same for all suites; a run by itself is in no group."""
    suite = {"runs": [{"profile": "smoke"}, {"profile": "baseline"}]}
    assert task_group("load_test_manual", suite, "baseline") == "suite.run_2."
    assert task_group("load_test_manual", suite, "soak") == ""
    assert task_group("load_test_manual", {"runs": ["smoke"]}, "smoke") == ""
    assert task_group("load_test_weekly", suite, "baseline") == "baseline."
    assert task_group("load_test_manual", None, "baseline") == ""


def test_a_dag_run_without_a_load_test(viewer: TestClient) -> None:
    """Every DAG has the tab: 404, in one line that says so."""
    answer = viewer.get("/loadtest/dag-runs/load_test_housekeeping/scheduled__1")
    assert answer.status_code == 404
    assert answer.json()["detail"].startswith("There is no load test of the DAG run scheduled__1 of load_test_house")


def test_what_the_history_has_serves_where_bundles_have_gone(
    viewer: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked only then: the hash stands in its ids too."""
    asked: list[str] = []
    monkeypatch.setattr(dag_runs, "_recorded", lambda ending: asked.append(ending) or [_id("smoke")])
    assert _asked(viewer) == f"/loadtest/runs/{_id('smoke')}"
    assert asked == [f"-{_id('smoke')[-6:]}"]


def test_the_way_back_is_in_the_manifest() -> None:
    """The address that preflight wrote; of an earlier release the lock's owner; else nobody knows."""
    page = "https://airflow.example/af/dags/load_test_manual/runs/a%3Ab"
    assert dag_run_of({"dag_run": page}) == DagRun("load_test_manual", "a:b", "https://airflow.example/af")
    owner = "load_test_manual/a:b at https://airflow.example/af"
    assert dag_run_of({"lease": {"owner": owner}}) == DagRun("load_test_manual", "a:b", "https://airflow.example/af")
    assert dag_run_of({"lease": owner}) is None
    assert dag_run_of({"dag_run": "javascript:1/dags/a/runs/b", "lease": {"owner": "somebody"}}) is None
