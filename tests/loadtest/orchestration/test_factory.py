"""The graph's policy: order, retries, trigger rules, teardown, form."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit
DAGS = Path(__file__).parents[3] / "dags"


@pytest.fixture(scope="module")
def dag():
    specification = importlib.util.spec_from_file_location("load_test_manual", DAGS / "load_test_manual.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["load_test_manual"] = module
    specification.loader.exec_module(module)
    return module.dag


def test_the_exact_set_of_dags() -> None:
    """A file that Airflow would not see is a test that never runs."""
    assert sorted(path.stem for path in DAGS.glob("*.py")) == ["load_test_manual"]


def test_stages_follow_each_other_and_the_gate_is_last(dag) -> None:
    """The order of the design; users are cleaned up after the metrics are safe."""
    order = ["preflight", "seed_users", "warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history"]
    order += ["publish", "gate"]
    for earlier, later in pairwise(order):
        assert later in dag.get_task(earlier).downstream_task_ids
    assert dag.get_task("cleanup_users").upstream_task_ids >= {"publish"}
    assert dag.get_task("cleanup_users").downstream_task_ids == {"gate"}
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["gate"]


def test_neither_a_load_nor_a_verdict_is_retried(dag) -> None:
    """A repeat of a load is a new run; infrastructure faults elsewhere may pass."""
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert all(retries[name] == 0 for name in ("preflight", "run_profile", "validate_sla", "gate"))
    assert all(retries[name] > 0 for name in ("seed_users", "warm_cache", "diff_history", "publish", "cleanup_users"))


def test_later_stages_run_whatever_happened_before(dag) -> None:
    """A failed stage must not hide the verdict, and users are removed whenever preflight was passed."""
    for name in ("collect_metrics", "validate_sla", "diff_history", "publish", "gate"):
        assert dag.get_task(name).trigger_rule == "all_done"
    cleanup = dag.get_task("cleanup_users")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun
    assert dag.get_task("preflight").is_setup


def test_the_form_has_bounds_and_help(dag) -> None:
    """Every field has a title and a description; numbers have a range; targets are the committed ones."""
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert list(schemas) == ["profile", "users", "duration_s", "engine", "target", "reason", "profile_yaml"]
    assert all(schema["title"] and dag.params.get_param(name).description for name, schema in schemas.items())
    assert (schemas["users"]["minimum"], schemas["users"]["maximum"]) == (1, 200)
    assert schemas["target"]["enum"] == ["demo", "pratikoai"]


def test_nothing_is_scheduled_and_nothing_is_caught_up(dag) -> None:
    """A manual run starts when a person says so."""
    assert dag.schedule is None
    assert dag.catchup is False
