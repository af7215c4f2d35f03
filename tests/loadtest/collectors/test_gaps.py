import json
from pathlib import Path

import pytest

from include.loadtest.bundle import Bundle
from include.loadtest.collectors.gaps import read_gaps
from include.loadtest.collectors.schedule import GapLog

pytestmark = pytest.mark.unit


def test_gaps_of_all_files_come_by_their_start(tmp_path: Path) -> None:
    """Each with source, start, end, reason and the readings that were missed; one that never ended has no end."""
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.resources_dir.mkdir(parents=True)
    first, second = (GapLog(bundle.resources_dir / f"gaps-{pid}.json") for pid in (2, 1))
    gap = first.begin("redis", 1_700_000_000, "gone")
    gap.end_s, gap.missed = 1_700_000_010, 2
    first.write()
    second.begin("postgres", 1_600_000_000, "no answer within 3 s")
    assert read_gaps(bundle) == [
        {"source": "postgres", "start": "2020-09-13T12:26:40.000000Z", "end": None, "reason": "no answer within 3 s",
         "missed": 0},
        {"source": "redis", "start": "2023-11-14T22:13:20.000000Z", "end": "2023-11-14T22:13:30.000000Z",
         "reason": "gone", "missed": 2},
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["[{", "[1]", '[{"source": "x"}]', "3"])
def test_a_file_that_cannot_be_read_is_a_gap_of_its_own(tmp_path: Path, text: str) -> None:
    """Nothing is known of what it said; that is told, not hidden."""
    bundle = Bundle(tmp_path / "smoke-1")
    bundle.resources_dir.mkdir(parents=True)
    (bundle.resources_dir / "gaps-7.json").write_text(text)
    (gap,) = read_gaps(bundle)
    assert gap["reason"] == "gaps-7.json cannot be read"
    assert json.dumps(gap)


def test_without_gaps_the_list_is_empty(tmp_path: Path) -> None:
    """Also where nothing was collected at all."""
    assert read_gaps(Bundle(tmp_path / "smoke-1")) == []
