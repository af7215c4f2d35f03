"""The capacity experiment: its profile is valid, its claims fail where they should, its months are counted by hand."""

from typing import Any

import pytest

from experiments.capacity import Result, _all_within, _months_by_hand, _predicted, _refused
from experiments.capacity_loads import CONFIGURATIONS, RECOVERY, is_used_up, profile_yaml
from include.loadtest.profile import load_profile_text
from tests.helpers.stepped_runs import stepped_bundle, stepped_profile

pytestmark = pytest.mark.unit


def result(measured: float = 1000.0, predicted: float | None = 1050.0, tested: float = 690.0, **low: Any) -> Result:
    first = {"resource": "database_pool", "max_rpm": predicted, "max_low_rpm": None, "max_high_rpm": None}
    refused = {"text": "not predicted: more than 1.5 x what was tested; test up to 41 users", "rpm": None}
    return Result(
        CONFIGURATIONS[0],
        measured,
        tested,
        first,
        {"maximum": {"state": "predicted"}},
        {"maximum": refused | low, "tested": {"rpm": 400.0}},
    )


def test_the_profile_of_each_load_is_valid() -> None:
    """A steady one, and one in steps with a plan."""
    limits = {"p95_limit_ms": 8000, "error_rate_limit": 0.05, "least_user_throughput_share": 0.8}
    steps = {"kind": "steps", "steps": 5, "probe_users": 1, "breaking_point": limits, "recovery": RECOVERY}
    assert load_profile_text(profile_yaml({"ramp_up_s": 5, "duration_s": 45}, 0.1), "a").think_time_s.mean_s == 0.1
    stepped = load_profile_text(profile_yaml({"ramp_up_s": 120, "duration_s": 30, "shape": steps}, 3.0), "b")
    assert stepped.think_time_s.mean_s == pytest.approx(3.0)
    assert stepped.plan is not None


@pytest.mark.parametrize(
    ("made", "ok"),
    [
        (result(), True),
        (result(predicted=1149.0), True),
        (result(predicted=1160.0), False),
        (result(predicted=840.0), False),
        (result(predicted=None), False),
        (result(tested=710.0), False),
    ],
)
def test_a_prediction_counts_within_15_per_cent_and_from_at_most_70(made: Result, ok: bool) -> None:
    """An error beyond it, none at all, or a range that was tested too far fails."""
    assert _predicted(made).ok is ok
    assert _all_within([result(), made]).ok is ok


def test_another_resource_than_the_planted_one_fails() -> None:
    """The figure may be right by chance."""
    made = result()
    wrong = Result(**{**vars(made), "first": {**made.first, "resource": "thread_pool"}})
    assert not _predicted(wrong).ok


def test_a_figure_where_it_should_be_refused_fails() -> None:
    """And so does another text."""
    assert _refused([result()]).ok
    assert not _refused([result(), result(rpm=1000.0)]).ok
    assert not _refused([result(text="predicted: 1,000 req/min")]).ok


def test_months_are_counted_one_by_one() -> None:
    """50 users at 5 % meet 100 in the 15th month; what is there already needs none."""
    assert (_months_by_hand(50, 100), _months_by_hand(100, 100), _months_by_hand(50, None)) == (15, 0, None)


@pytest.mark.parametrize(
    ("own", "app", "used_up"), [(1.9, 0.95, True), (1.9, 0.7, True), (0.4, 0.7, False), (0.4, 0.95, True)]
)
def test_a_saturated_load_has_used_up_what_it_should(tmp_path, own: float, app: float, used_up: bool) -> None:
    """The machine's CPU is full: by the target itself, or by others while the application has room."""
    values = {
        ("host", "cpu_pct"): 99.0, ("host", "cores"): 2.0, ("process", "app_cpu_cores"): own,
        ("process", "app_busiest_process_cpu_cores"): app,
    }  # fmt: skip
    profile = stepped_profile(steps=2)
    bundle = stepped_bundle(tmp_path, profile, [10, 10], lambda _: values)
    assert is_used_up(bundle, profile, {"application_process", "host_cpu"}) is used_up
    assert not is_used_up(bundle, profile, {"database_pool"})
