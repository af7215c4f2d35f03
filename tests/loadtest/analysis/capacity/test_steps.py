"""Steps are those that ran whole; one that brings too little is told from one that nobody can tell."""

import pytest

from include.loadtest.analysis.capacity.steps import first_without_gain, gains, steps_of
from tests.helpers.stepped_runs import stage_entry, stepped_bundle, stepped_profile
from tests.loadtest.analysis.capacity.conftest import made_steps

pytestmark = pytest.mark.unit


def test_the_steps_end_where_one_was_cut(tmp_path) -> None:
    """The third of four ran for half its time: two steps are left, none after it."""
    profile = stepped_profile()
    bundle = stepped_bundle(tmp_path, profile, [10, 20, 30, 40], lambda _: {})
    metrics = bundle.read("metrics.json")
    metrics["stages"][2]["seconds"] = 30.0
    steps = steps_of(profile, bundle.read("manifest.json"), metrics)
    assert [step.users for step in steps] == [10, 20]
    assert (steps[0].end_us - steps[0].start_us) == 60_000_000


def test_a_run_without_phases_has_no_steps() -> None:
    """Nothing ran."""
    assert steps_of(stepped_profile(), {}, {"stages": [stage_entry("hold", "hold", 40, 60, 1)]}) == []


@pytest.mark.parametrize(
    ("rates", "expected"),
    [((10.0, 20.0), True), ((20.0, 20.5), False), ((20.0, 17.0), False), ((1.0, 1.4), None), ((0.0, 20.0), None)],
)
def test_gain_is_told_only_where_the_counts_tell(rates: tuple[float, float], expected: bool | None) -> None:
    """Twice the users in each: proportional, flat, falling, too few answers, none at all."""
    before, after = made_steps([(20, rates[0]), (40, rates[1])])
    assert gains(before, after) is expected


def test_the_first_step_without_gain_is_found() -> None:
    """The fourth brings no more than the third."""
    steps = made_steps([(20, 20.0), (40, 40.0), (60, 55.0), (80, 55.0)], seconds=300)
    assert first_without_gain(steps) == 3
    assert first_without_gain(steps[:3]) is None


def test_a_throughput_has_the_interval_of_its_count() -> None:
    """1200 answers: about 1.96 / sqrt(1200) = 5.7 % to each side; 10 are too few."""
    step, few = made_steps([(20, 20.0), (40, 1 / 6)])
    low, high = step.throughput_interval_rpm or (0, 0)
    assert (low, high) == (pytest.approx(1134, abs=1), pytest.approx(1270, abs=1))
    assert few.throughput_interval_rpm is None
