"""What the manual DAG skips."""

import pytest

from include.loadtest.orchestration.choice import run_group, unwanted

pytestmark = pytest.mark.unit
TASKS = [
    *("choose", "preflight", "run_profile", "gate"),
    *("suite.preflight", "suite.cleanup_users", "suite.gate"),
    *(f"suite.{run_group(number)}.{name}" for number in (1, 2, 10) for name in ("preflight", "gate")),
]


def test_one_run_skips_the_whole_suite() -> None:
    """Not one task of the group is started only to find that there is nothing to do."""
    assert unwanted(TASKS, None) == [name for name in TASKS if name.startswith("suite.")]


@pytest.mark.parametrize("runs", [1, 2])
def test_a_suite_skips_the_single_run_and_the_runs_that_it_has_not(runs: int) -> None:
    """Of two runs the tenth is not the first, whatever its name begins with."""
    skipped = set(unwanted(TASKS, runs))
    kept = {
        *("choose", "suite.preflight", "suite.cleanup_users", "suite.gate"),
        *(f"suite.run_{number}.{name}" for number in range(1, runs + 1) for name in ("preflight", "gate")),
    }
    assert skipped == set(TASKS) - kept
