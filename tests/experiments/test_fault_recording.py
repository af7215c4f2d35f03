"""What is recorded beside the bundles, and the load that all runs of the fault matrix share."""

from pathlib import Path

import pytest

from experiments.fault_matrix import HOLD_S, RAMP_UP_S, Case, cases
from experiments.fault_recording import profile_yaml
from experiments.fault_truth import is_recorded, note_truth, read_truth
from include.loadtest.profile import load_profile_text

pytestmark = pytest.mark.unit


def test_the_profile_is_a_valid_one_of_a_ramp_and_a_short_hold() -> None:
    """Its name is not that of a committed profile, so no history mixes the two."""
    profile = load_profile_text(profile_yaml(8), "bottleneck")
    assert (profile.name, profile.users) == ("bottleneck", 8)
    assert [(stage.name, stage.end_s - stage.start_s) for stage in profile.stages()] == [
        ("ramp_up", RAMP_UP_S),
        ("hold", HOLD_S),
    ]


def test_a_run_counts_as_recorded_with_its_bundle_and_the_same_plan(tmp_path: Path) -> None:
    """Where the plan has changed since, it is recorded anew."""
    case = next(case for case in cases((1,), with_bare=False) if case.plants)
    assert not is_recorded(tmp_path, case)
    note_truth(tmp_path, case)
    assert not is_recorded(tmp_path, case)
    (tmp_path / case.name).mkdir()
    (tmp_path / case.name / "manifest.json").write_text("{}")
    assert is_recorded(tmp_path, case)
    assert not is_recorded(tmp_path, Case(case.name, case.group, case.seed, users=case.users + 1, plants=case.plants))


def test_runs_are_added_to_the_truth(tmp_path: Path) -> None:
    """None is lost by the next one."""
    first, second, *_ = cases((1,), with_bare=False)
    note_truth(tmp_path, first)
    note_truth(tmp_path, second)
    assert list(read_truth(tmp_path)) == [first.name, second.name]
