"""Each part's name is told once; a folder of thousands is not listed anew at every look, and nothing is missed."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from include.loadtest.live.parts import FEW, LIST_EVERY, PartNames

pytestmark = pytest.mark.unit


def touch(folder: Path, writer: str, *numbers: int) -> list[str]:
    names = [f"{writer}-{number:06d}.parquet" for number in numbers]
    for name in names:
        (folder / name).touch()
    return names


@pytest.fixture
def listings(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for each listing of a folder."""
    found: list[object] = []
    scandir: Callable[[Any], Any] = os.scandir

    def counted(path: Any) -> Any:
        found.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", counted)
    return found


def test_each_name_is_told_once_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    """Before there is a folder there are none; late numbers and new writers are found."""
    parts = PartNames(tmp_path / "samples")
    assert list(parts.new()) == []
    (tmp_path / "samples").mkdir()
    first = touch(tmp_path / "samples", "w0-17", 0, 2)
    (tmp_path / "samples" / ".w0-17-000003.parquet.tmp").touch()
    assert list(parts.new()) == first
    assert list(parts.new()) == []
    later = touch(tmp_path / "samples", "w0-17", 1) + touch(tmp_path / "samples", "w1-18", 0)
    assert list(parts.new()) == later


def test_what_was_not_taken_is_told_again(tmp_path: Path) -> None:
    """A reader that fails at a part goes on with the next one."""
    names = touch(tmp_path, "w0-17", 0, 1, 2)
    parts = PartNames(tmp_path)
    assert next(parts.new()) == names[0]
    assert list(parts.new()) == names[1:]


def test_a_long_load_costs_a_listing_at_every_tenth_look_only(tmp_path: Path, listings: list[object]) -> None:
    """Each writer's next parts are seen at once; what comes out of turn with the next listing."""
    parts = PartNames(tmp_path)
    touch(tmp_path, "w0-17", *range(FEW))
    assert len(list(parts.new())) == FEW
    listings.clear()
    for look in range(1, LIST_EVERY):
        if look == 5:
            late = touch(tmp_path, "w0-17", FEW + 100) + touch(tmp_path, "w1-18", 0)
        own = touch(tmp_path, "w0-17", FEW + 2 * look, FEW + 2 * look + 1)
        if look == 1:
            own = touch(tmp_path, "w0-17", FEW, FEW + 1) + own
        assert list(parts.new()) == own
    assert listings == []
    assert list(parts.new()) == late
    assert len(listings) == 1
