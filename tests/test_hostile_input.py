"""What must not be run is not run: hostile profiles, parameters and inputs are refused in one line, or stay text."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.loadtest.orchestration.order import RunOrder
from tests.helpers.hostile import LONG, PARAMS, Hostile, cases, is_one_clear_line

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[1]
KINDS = [case.kind for case in cases(Path("canary"))]


@pytest.fixture(scope="module")
def canary() -> Iterator[Path]:
    """A file that something would have made if it had run: of this test alone, in a path that a title has room for."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "canary"


@pytest.fixture(scope="module")
def orders(canary: Path) -> list[Hostile]:
    return cases(canary)


def test_there_are_more_than_a_hundred(orders: list[Hostile]) -> None:
    """Profiles, parameters and inputs; some of each of the first two are kept as text."""
    assert len(orders) >= 100
    assert {case.kind for case in orders} == {"profile", "params", "inputs"}
    assert {case.kind for case in orders if case.fate == "text"} >= {"profile", "params"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", range(len(KINDS)), ids=[f"{number} {kind}" for number, kind in enumerate(KINDS)])
def test_it_is_refused_in_one_line_or_stays_text(orders: list[Hostile], canary: Path, number: int) -> None:
    """Within a bounded time, and nothing was run."""
    case = orders[number]
    said = case.give()
    assert (said == "text") is (case.fate == "text"), said
    assert is_one_clear_line(said), (case.name, said[:300])
    assert not canary.exists()


def test_a_parameter_names_no_file_of_the_worker(tmp_path: Path) -> None:
    """Not even one that is a valid profile, nor by a link."""
    file = tmp_path / "smoke.yaml"
    file.write_text((ROOT / "include/profiles/smoke.yaml").read_text())
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    for path in (file, link, os.path.relpath(file, Path.cwd())):
        said = Hostile("a file", "params", {"profile": str(path)}).give()
        assert "unknown profile" in said


def test_a_text_is_kept_as_it_is() -> None:
    """A template in a reason is not filled in."""
    text = "{{ 7 * 7 }} ${HOME} $(id) %s {0}"
    assert RunOrder.from_params({**PARAMS, "reason": text}).document()["reason"] == text
    assert len(RunOrder.from_params({**PARAMS, "reason": "x" * LONG}).reason) == LONG
