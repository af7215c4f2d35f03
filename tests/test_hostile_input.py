"""What must not be run is not run: hostile profiles, parameters and inputs are refused in one line, or stay text."""

import os
import time
from pathlib import Path

import pytest

from include.loadtest.orchestration.order import RunOrder
from tests.helpers.hostile import LONG, PARAMS, Hostile, cases, is_one_clear_line

pytestmark = pytest.mark.unit
CANARY = Path("/tmp/loadtest-canary")
CASES = cases(CANARY)
WITHIN_S = 5.0


def test_there_are_more_than_a_hundred() -> None:
    """Profiles, parameters and inputs."""
    assert len(CASES) >= 100
    assert {case.kind for case in CASES} == {"profile", "params", "inputs"}


@pytest.mark.parametrize("case", CASES, ids=[f"{number} {case.kind}" for number, case in enumerate(CASES)])
def test_it_is_refused_in_one_line_or_stays_text(case: Hostile) -> None:
    """Within a bounded time, and nothing was run."""
    began_s = time.monotonic()
    said = case.give()
    assert (said == "text") is (case.fate == "text"), said
    assert is_one_clear_line(said), (case.name, said[:300])
    assert time.monotonic() - began_s < WITHIN_S
    assert not CANARY.exists()


def test_a_parameter_names_no_file_of_the_worker(tmp_path: Path) -> None:
    """Not even one that is a valid profile, nor by a link."""
    file = tmp_path / "smoke.yaml"
    file.write_text(Path("include/profiles/smoke.yaml").read_text())
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    for path in (file, link, os.path.relpath(file)):
        said = Hostile("a file", "params", {"profile": str(path)}).give()
        assert "unknown profile" in said


def test_a_text_is_kept_as_it_is() -> None:
    """A template in a reason is not filled in."""
    text = "{{ 7 * 7 }} ${HOME} $(id) %s {0}"
    assert RunOrder.from_params({**PARAMS, "reason": text}).document()["reason"] == text
    assert len(RunOrder.from_params({**PARAMS, "reason": "x" * LONG}).reason) == LONG
