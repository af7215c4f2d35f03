"""The graph's policy: order, retries, trigger rules, teardown, form."""

import importlib.util
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from include.loadtest.orchestration.baseline_actions import ACTIONS

pytestmark = pytest.mark.unit
DAGS = Path(__file__).parents[3] / "dags"


DAG_IDS = [
    *("load_test_baselines", "load_test_full_suite", "load_test_manual", "load_test_quick", "load_test_weekly"),
]
RUN = ["warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history", "publish"]


def read_dag(dag_id: str):
    specification = importlib.util.spec_from_file_location(dag_id, DAGS / f"{dag_id}.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[dag_id] = module
    specification.loader.exec_module(module)
    return module.dag


@pytest.fixture(scope="module")
def dag():
    return read_dag("load_test_manual")


@pytest.fixture(scope="module")
def weekly():
    return read_dag("load_test_weekly")


@pytest.mark.parametrize("dag_id", DAG_IDS)
def test_the_exact_set_of_dags(dag_id: str) -> None:
    """A file that Airflow would not see is a test that never runs; a DAG has its file's name."""
    assert sorted(path.stem for path in DAGS.glob("*.py")) == DAG_IDS
    assert read_dag(dag_id).dag_id == dag_id


def test_the_weekly_suite_starts_on_sundays_at_two(weekly) -> None:
    """The next slots after a Wednesday."""
    from airflow.serialization.encoders import coerce_to_core_timetable
    from airflow.timetables.base import DataInterval, TimeRestriction

    timetable = coerce_to_core_timetable(weekly.timetable)  # what the scheduler makes of it
    slots, last = [], None
    for _ in range(3):
        restriction = TimeRestriction(datetime(2026, 11, 25, tzinfo=UTC), None, catchup=True)
        found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        slots.append(found.run_after)
        last = DataInterval.exact(found.run_after)
    assert [f"{slot:%a %Y-%m-%d %H:%M}" for slot in slots] == [
        "Sun 2026-11-29 02:00",
        "Sun 2026-12-06 02:00",
        "Sun 2026-12-13 02:00",
    ]
    assert weekly.catchup is False
    assert weekly.max_active_runs == 1


def test_a_suites_runs_follow_each_other_whatever_became_of_the_one_before(weekly) -> None:
    """Users first, six task groups in the suite's order, the suite's verdict, clean-up as a teardown, one gate."""
    order = ["baseline", "normal_day", "peak_hours", "tax_deadline", "stress_test", "spike_test"]
    before = "seed_users"
    for name in order:
        assert weekly.get_task(f"{name}.preflight").upstream_task_ids == {before}
        assert weekly.get_task(f"{name}.preflight").trigger_rule == "all_done"
        for earlier, later in pairwise(["preflight", *RUN]):
            assert f"{name}.{later}" in weekly.get_task(f"{name}.{earlier}").downstream_task_ids
        before = f"{name}.publish"
    assert weekly.get_task("confirm").upstream_task_ids == {before}
    assert weekly.get_task("publish_suite").upstream_task_ids == {"confirm"}
    assert all("confirm" in weekly.get_task(f"{name}.gate").upstream_task_ids for name in order)
    cleanup = weekly.get_task("cleanup_users")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun
    assert [task.task_id for task in weekly.tasks if not task.downstream_task_ids] == ["gate"]
    assert all(weekly.get_task(f"{name}.gate").downstream_task_ids == {"gate"} for name in order)
    assert all(task.retries == 0 for task in weekly.tasks if task.task_id.endswith(("preflight", "run_profile")))


def test_stages_follow_each_other_and_the_gate_is_last(dag) -> None:
    """The order of the design; users are cleaned up after the metrics are safe."""
    order = ["preflight", "seed_users", "warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history"]
    order += ["confirm", "publish", "gate"]
    for earlier, later in pairwise(order):
        assert later in dag.get_task(earlier).downstream_task_ids
    assert dag.get_task("cleanup_users").upstream_task_ids >= {"publish"}
    assert dag.get_task("cleanup_users").downstream_task_ids == {"gate"}
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["gate"]


def test_a_load_is_never_retried(dag) -> None:
    """A repeat of a load is a new run; elsewhere an infrastructure fault or a killed process may pass.

    A red verdict is not retried: the gate raises the exception that Airflow does not retry.
    """
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert all(retries[name] == 0 for name in ("preflight", "run_profile", "confirm"))
    assert all(retries[name] == 1 for name in ("validate_sla", "gate"))
    assert all(retries[name] > 0 for name in ("seed_users", "warm_cache", "diff_history", "publish", "cleanup_users"))


def test_later_stages_run_whatever_happened_before(dag) -> None:
    """A failed stage must not hide the verdict, and users are removed whenever preflight was passed."""
    for name in ("collect_metrics", "validate_sla", "diff_history", "confirm", "publish", "gate"):
        assert dag.get_task(name).trigger_rule == "all_done"
    cleanup = dag.get_task("cleanup_users")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun
    # After a failed setup Airflow would run nothing more, whatever the trigger rules: no report, no message.
    assert not any(task.is_setup for task in dag.tasks)


def test_the_form_has_bounds_and_help(dag) -> None:
    """Every field has a title and a description; numbers have a range; targets are the committed ones."""
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert list(schemas) == ["profile", "users", "duration_s", "engine", "target", "reason", "profile_yaml"]
    assert all(schema["title"] and dag.params.get_param(name).description for name, schema in schemas.items())
    assert (schemas["users"]["minimum"], schemas["users"]["maximum"]) == (1, 200)
    assert schemas["target"]["enum"] == ["demo", "pratikoai"]


def test_baselines_are_one_task_that_is_not_repeated() -> None:
    """Started by a person; a form with every action, and help for each field; one change at a time."""
    dag = read_dag("load_test_baselines")
    (task,) = dag.tasks
    assert (task.task_id, task.retries, dag.schedule, dag.max_active_runs) == ("change_baselines", 0, None, 1)
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert schemas["action"]["enum"] == list(ACTIONS)
    assert dag.params.get_param("action").value == "list", "what a careless click does"
    assert all(schema["title"] and dag.params.get_param(name).description for name, schema in schemas.items())


def test_nothing_is_scheduled_and_nothing_is_caught_up(dag) -> None:
    """A manual run starts when a person says so."""
    assert dag.schedule is None
    assert dag.catchup is False
