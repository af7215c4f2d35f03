"""A stepped bundle becomes the part `capacity` of the diagnosis."""

import json

import pytest

from include.loadtest.analysis.capacity import capacity_of
from include.loadtest.bundle import Bundle
from include.loadtest.profile import find_profile, load_profile
from tests.helpers.stepped_runs import stepped_bundle, stepped_profile

pytestmark = pytest.mark.unit
PLAN = "plan: {normal_users: 20, peak_factor: 2, growth_pct_a_month: 5}"
RATES = [10, 20, 30, 40]


def one_core(rate: float) -> dict[tuple[str, str], float]:
    """20 ms of the process an answer; a pool of 10 that is far from its end."""
    return {
        ("process", "app_busiest_process_cpu_cores"): 0.02 * rate,
        ("app", "db_pool_size"): 10.0,
        ("app", "db_pool_used"): 0.05 * rate,
    }


def test_the_first_resource_to_end_is_predicted_from_the_steps(tmp_path) -> None:
    """One core at 20 ms ends at 3000 req/min; steps up to 2400 were tested."""
    profile = stepped_profile(plan=PLAN)
    found = capacity_of(stepped_bundle(tmp_path, profile, RATES, one_core), profile)
    assert found is not None
    json.dumps(found, allow_nan=False)
    assert found["tested"] == {"users": 40, "rpm": 2400}
    assert found["bottleneck"] == "application_process"
    assert found["maximum"]["rpm"] == pytest.approx(3000, rel=0.02)
    assert [(row["resource"], row["beyond_reach"]) for row in found["resources"]] == [
        ("application_process", False),
        ("database_pool", True),
    ]
    assert found["not_measured"] == ["host_cpu", "database_server"]
    assert found["breaking_point"]["text"] == "not reached up to 40 users"
    assert [step["gains"] for step in found["steps"]] == [None, True, True, True]
    assert "Not measured, so it may end earlier: host cpu, database server." in found["sentence"]


def test_growth_meets_the_limit_between_what_was_carried_and_what_ends(tmp_path) -> None:
    """20 users growing by 5 %: 40 after 15 months, about 50 after 19 (20 x 1.05^18 = 48.1, x 1.05^19 = 50.5)."""
    profile = stepped_profile(plan=PLAN)
    found = capacity_of(stepped_bundle(tmp_path, profile, RATES, one_core), profile)
    assert found is not None
    normal = found["plan"]["loads"]["normal"]
    assert normal["earliest_months"] == 15
    assert normal["latest_months"] in (19, 20)
    assert found["plan"]["loads"]["peak"]["earliest_months"] == 0


def test_a_profile_without_a_plan_has_none(tmp_path) -> None:
    """And the sentence says nothing of growth."""
    profile = stepped_profile()
    found = capacity_of(stepped_bundle(tmp_path, profile, RATES, one_core), profile)
    assert found is not None
    assert found["plan"] is None
    assert "growth" not in found["sentence"].lower()


def test_saturation_is_measured_and_its_resource_named(tmp_path) -> None:
    """The last step brings no more. The core is used to 92 %."""
    profile = stepped_profile(each_s=120)
    rows = {"breaking_point_users": 40.0}
    bundle = stepped_bundle(tmp_path, profile, [20, 30, 45, 46], one_core, rows=rows)
    found = capacity_of(bundle, profile)
    assert found is not None
    assert found["maximum"]["state"] == "measured"
    assert found["breaking_point"]["text"] == "between 30 and 40 users: a limit is broken"
    assert (
        "What ended is the application's busiest process (an event loop has one core) (92 % used" in found["sentence"]
    )


def test_saturation_by_what_was_not_measured_names_nothing(tmp_path) -> None:
    """The core is used to 62 %: something else ended."""
    profile = stepped_profile(each_s=120)
    bundle = stepped_bundle(tmp_path, profile, [10, 20, 30, 31], one_core)
    found = capacity_of(bundle, profile)
    assert found is not None
    assert found["bottleneck"] is None
    assert "What ended is not known: no resource that was measured was nearly used up." in found["sentence"]


def test_other_loads_and_runs_without_metrics_have_no_capacity(tmp_path) -> None:
    """A steady load has one step; a run that sent no load has none."""
    assert capacity_of(Bundle(tmp_path / "x"), load_profile(find_profile("peak_hours"))) is None
    assert capacity_of(Bundle(tmp_path / "y"), stepped_profile()) is None


def test_a_run_that_ended_before_its_first_step_did_says_so(tmp_path) -> None:
    """No step: nothing is known, nothing is raised."""
    profile = stepped_profile(plan=PLAN)
    bundle = stepped_bundle(tmp_path, profile, [5], one_core)
    metrics = bundle.read("metrics.json")
    metrics["stages"][0]["seconds"] = 3.0
    bundle.write("metrics.json", metrics)
    found = capacity_of(bundle, profile)
    assert found is not None
    assert found["maximum"]["text"] == "not known: no step ran to its end"
    assert found["tested"] == {"users": None, "rpm": None}
    assert found["plan"]["sentence"] == "When growth meets the limit is not known: no limit was found."
