"""The graph's policy: order, retries, trigger rules, teardown, form."""

import importlib.util
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from include.loadtest.orchestration.waiting import WhenTargetIsFree
from include.loadtest.profile import profile_names
from include.loadtest.profile.suites import load_suite, suite_names

pytestmark = pytest.mark.unit
DAGS = Path(__file__).parents[3] / "dags"


DAG_IDS = [
    "load_test_alarm_selftest",
    "load_test_delivery",
    "load_test_housekeeping",
    "load_test_manual",
    "load_test_monthly",
    "load_test_pre_release",
    "load_test_pull_request",
    "load_test_quarterly",
    "load_test_weekly",
]
MEASURED = ["warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history", "diagnose"]
RUN = [*MEASURED, "publish"]


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


def test_what_starts_by_itself_and_what_waits_for_a_person() -> None:
    """Three cadences, whose nights the calendar's tests assert, and what looks after them; nothing is caught up."""
    dags = {dag_id.removeprefix("load_test_"): read_dag(dag_id) for dag_id in DAG_IDS}
    assert {name for name, dag in dags.items() if dag.schedule is not None} == {
        *("weekly", "monthly", "quarterly", "housekeeping", "delivery", "alarm_selftest"),
    }
    assert {name: dags[name].timetable.cadence for name in ("weekly", "monthly", "quarterly")} == {
        name: name for name in ("weekly", "monthly", "quarterly")
    }
    assert not any(dag.catchup for dag in dags.values())
    assert all(dag.max_active_runs == 1 for dag in dags.values() if dag.schedule is not None)


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
    assert weekly.get_task("confirm").upstream_task_ids == {f"{name}.publish" for name in order}
    assert all("confirm" in weekly.get_task(f"{name}.gate").upstream_task_ids for name in order)
    # A run's gate says what its repeats left undecided: the suite's verdict knows it.
    assert weekly.get_task("publish_suite").upstream_task_ids == {f"{name}.gate" for name in order}
    cleanup = weekly.get_task("cleanup_users")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun
    assert [task.task_id for task in weekly.tasks if not task.downstream_task_ids] == ["gate"]
    assert weekly.get_task("publish_suite").trigger_rule == "all_done"
    assert all(task.retries == 0 for task in weekly.tasks if task.task_id.endswith(("preflight", "run_profile")))


def test_stages_follow_each_other_and_the_gate_is_last(dag) -> None:
    """The order of the design; users are cleaned up after the metrics are safe."""
    order = ["preflight", "seed_users", "warm_cache", "run_profile", "collect_metrics", "validate_sla", "diff_history"]
    order += ["diagnose", "confirm", "publish", "gate"]
    for earlier, later in pairwise(order):
        assert later in dag.get_task(earlier).downstream_task_ids
    assert dag.get_task("cleanup_users").upstream_task_ids >= {"publish"}
    assert dag.get_task("cleanup_users").downstream_task_ids == {"gate"}


def test_a_load_is_never_retried(dag) -> None:
    """A repeat of a load is a new run; elsewhere an infrastructure fault or a killed process may pass.

    A red verdict is not retried: the gate raises the exception that Airflow does not retry.
    """
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert all(retries[name] == 0 for name in ("preflight", "run_profile", "generators", "confirm"))
    assert all(retries[name] == 1 for name in ("validate_sla", "diagnose", "gate"))
    assert all(retries[name] > 0 for name in ("seed_users", "warm_cache", "diff_history", "publish", "cleanup_users"))


def test_what_no_verdict_tells_is_told_as_a_fault(dag) -> None:
    """Up to the verdict a failed stage is one of its reasons; afterwards, and where there is none, Slack is told."""
    telling = {task.task_id.split(".")[-1] for task in dag.tasks if task.on_failure_callback}
    assert telling == {"publish", "publish_suite", "review", "cleanup_users", "gate"}


def test_later_stages_run_whatever_happened_before(dag) -> None:
    """A failed stage must not hide the verdict, and users are removed whenever preflight was passed."""
    for name in ("collect_metrics", "validate_sla", "diff_history", "diagnose", "confirm", "publish", "gate"):
        assert dag.get_task(name).trigger_rule == "all_done"
    cleanup = dag.get_task("cleanup_users")
    assert cleanup.is_teardown
    assert not cleanup.on_failure_fail_dagrun
    # After a failed setup Airflow would run nothing more, whatever the trigger rules: no report, no message.
    assert not any(task.is_setup for task in dag.tasks)


def test_the_form_has_bounds_and_help(dag) -> None:
    """Every field has a title and help; numbers have a range; profiles, suites and targets are the committed ones."""
    schemas = {name: dag.params.get_param(name).schema for name in dag.params}
    assert list(schemas) == [
        *("profile", "suite", "users", "duration_s", "engine", "generators", "target", "reason", "ignore_blackout"),
        *("confirm_production", "profile_yaml"),
    ]
    assert schemas["suite"]["enum"] == [None, *suite_names()]
    helped = [dag.params.get_param(name).description or schema["description_md"] for name, schema in schemas.items()]
    assert all(helped)
    assert all(schema["title"] for schema in schemas.values())
    assert schemas["profile"]["enum"] == [*profile_names(), None]
    for name in ("profile", "suite"):
        assert set(schemas[name]["values_display"]) == {str(value) for value in schemas[name]["enum"]}
    assert (schemas["users"]["minimum"], schemas["users"]["maximum"]) == (1, 200)
    assert schemas["target"]["enum"] == ["compose_demo", "demo", "pratikoai"]


def test_the_manual_dag_holds_a_run_and_a_suite_of_any_committed_length(dag) -> None:
    """The first task leads to both; the suite's graph is that of a suite, with as many runs as the longest one has."""
    longest = max(len(load_suite(name).runs) for name in suite_names())
    groups = [f"suite.run_{number}" for number in range(1, longest + 1)]
    assert dag.get_task("choose").downstream_task_ids == {"preflight", "suite.preflight"}
    before = "suite.seed_users"
    for group in groups:
        assert dag.get_task(f"{group}.preflight").upstream_task_ids == {before}
        before = f"{group}.publish"
    # The runs that a suite has not are skipped at once: what follows the runs must wait for those that it has.
    assert dag.get_task("suite.confirm").upstream_task_ids == {f"{group}.publish" for group in groups}
    assert not dag.has_task(f"suite.run_{longest + 1}.preflight")
    assert [task.task_id for task in dag.tasks if not task.downstream_task_ids] == ["gate", "suite.gate"]


def test_several_generators_are_tasks_beside_the_one_that_leads_them(dag, weekly) -> None:
    """As many as `warm_cache` says, none for one; the figures wait for them, and their ends colour nothing."""
    for graph, group in ((dag, ""), (dag, "suite.run_1."), (weekly, "baseline.")):
        generators = graph.get_task(f"{group}generators")
        assert generators.is_mapped
        assert generators.upstream_task_ids == {f"{group}warm_cache"}
        assert generators.downstream_task_ids == {f"{group}collect_metrics"}
        assert generators.trigger_rule == "all_success"
        load = graph.get_task(f"{group}run_profile")
        assert load.upstream_task_ids == {f"{group}warm_cache"}
        assert load.priority_weight > generators.priority_weight  # who leads gets a slot before them
        assert graph.get_task(f"{group}collect_metrics").trigger_rule == "all_done"


def test_every_preflight_that_takes_a_target_waits_without_a_worker(dag, weekly) -> None:
    """A run by itself and a suite as a whole may have to wait for their target; a suite's runs have it."""
    waiting = {task.task_id for task in [*dag.tasks, *weekly.tasks] if isinstance(task, WhenTargetIsFree)}
    assert waiting == {"preflight", "suite.preflight"}


def test_a_pull_requests_run_is_never_repeated_and_has_one_profile() -> None:
    """Minutes count there: no confirming runs, and the form offers nothing but the smoke profile."""
    dag = read_dag("load_test_pull_request")
    assert not dag.has_task("confirm")
    assert {*RUN, "generators", "preflight", "seed_users", "cleanup_users", "gate"} == set(dag.task_ids)
    assert dag.params.get_param("profile").schema["enum"] == ["smoke"]


def test_a_release_asks_after_the_clean_up_and_its_gate_waits_for_the_answer() -> None:
    """The target is free while a person thinks; rejected, unanswered or approved: the gate has the last word."""
    dag = read_dag("load_test_pre_release")
    assert dag.get_task("ask_for_approval").upstream_task_ids == {"cleanup_users"}
    assert dag.get_task("approve_warning").upstream_task_ids == {"ask_for_approval"}
    assert dag.get_task("gate").upstream_task_ids == {"publish", "cleanup_users", "approve_warning"}
    assert dag.get_task("gate").trigger_rule == "all_done"
    assert dag.get_task("approve_warning").response_timeout.total_seconds() == 24 * 3600
    assert dag.params.get_param("profile").schema["enum"] == ["peak_hours"]
    assert dag.has_task("confirm")


def test_the_monthly_suite_ends_with_its_review() -> None:
    """Capacity and recommendations are written from its runs before the users go."""
    dag = read_dag("load_test_monthly")
    assert dag.get_task("review").upstream_task_ids == {"publish_suite"}
    assert dag.get_task("cleanup_users").upstream_task_ids == {"review"}
    assert not dag.has_task("propose_baselines")


def test_the_quarterly_suite_frees_its_target_before_it_asks_about_baselines() -> None:
    """Nine runs, the review, clean-up; then a proposal, a person, and what the person decided."""
    dag = read_dag("load_test_quarterly")
    assert [entry.profile for entry in load_suite("quarterly").runs if entry.duration_s] == [], "full durations"
    assert {"italian_market", "custom_scenarios", "soak"} < {entry.profile for entry in load_suite("quarterly").runs}
    assert dag.get_task("propose_baselines").upstream_task_ids == {"cleanup_users"}
    assert dag.get_task("decide_baselines").upstream_task_ids == {"propose_baselines"}
    assert dag.get_task("pin_baselines").upstream_task_ids == {"decide_baselines"}
    assert (dag.get_task("decide_baselines").options, dag.get_task("decide_baselines").defaults) == (
        ["Pin", "Reject", "Later"],
        ["Later"],
    )


def test_nothing_is_scheduled_and_nothing_is_caught_up(dag) -> None:
    """A manual run starts when a person says so."""
    assert dag.schedule is None
    assert dag.catchup is False
