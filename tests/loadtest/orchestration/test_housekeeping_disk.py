"""A disk that is nearly full is red, and the line says what fills it."""

import os
from pathlib import Path

import pytest

from include.loadtest.errors import ConfigError
from include.loadtest.orchestration.housekeeping_disk import check_disk
from include.loadtest.orchestration.housekeeping_rules import DiskRules

pytestmark = pytest.mark.unit
ENOUGH = DiskRules(min_free_bytes=0, min_free_inodes=0, named_bundles=2)
MORE_THAN_ANY = 10**18


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three bundles, of 1, 3 and 2 MB; the smallest one links to a large file, and a link to a bundle lies beside."""
    for run_id, size in (("small", 1), ("large", 3), ("middle", 2)):
        (tmp_path / "results" / run_id / "samples").mkdir(parents=True)
        (tmp_path / "results" / run_id / "samples" / "part.parquet").write_bytes(b"x" * size * 1_000_000)
    (tmp_path / "huge").write_bytes(b"x" * 9_000_000)
    (tmp_path / "results" / "small" / "link").symlink_to(tmp_path / "huge")
    (tmp_path / "results" / "linked").symlink_to(tmp_path / "results" / "large")
    return tmp_path / "results"


def test_enough_room_is_one_line(results: Path) -> None:
    """Also where the folder is not there yet: then the one above it is on the same disk."""
    assert check_disk(results, ENOUGH).startswith(f"the file system of {results} has ")
    assert check_disk(results / "not" / "yet", ENOUGH).startswith(f"the file system of {results} has ")


def test_too_few_free_bytes_name_the_biggest_bundles_and_what_to_do(results: Path) -> None:
    """As many as the file says, links counted as themselves."""
    with pytest.raises(ConfigError) as caught:
        check_disk(results, ENOUGH.model_copy(update={"min_free_bytes": MORE_THAN_ANY}))
    text = str(caught.value)
    assert "fewer than min_free_bytes (1,000,000,000.0 GB)" in text
    assert "The biggest bundles: large (3.0 MB, 1 files), middle (2.0 MB, 1 files). Move bundles away" in text
    assert "retention.samples_days in include/profiles/housekeeping.yaml" in text
    assert "\n" not in text


def test_too_few_free_inodes_are_red_too(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk can be full of small files; a file system without a fixed number of them has enough."""
    real = os.statvfs(results)

    def told(files: int, free: int) -> None:
        fields = [*real[:5], files, free, free, *real[8:]]
        monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result(fields))

    rules = ENOUGH.model_copy(update={"min_free_inodes": 50})
    told(1000, 49)
    with pytest.raises(ConfigError, match=r"49 inodes are free, fewer than min_free_inodes \(50\)"):
        check_disk(results, rules)
    told(1000, 50)
    assert check_disk(results, rules).endswith("and 50 inodes free")
    told(0, 0)
    assert check_disk(results, rules).endswith("and inodes without a limit free")


def test_a_full_disk_without_bundles_says_so(tmp_path: Path) -> None:
    """Something else fills it."""
    with pytest.raises(ConfigError, match="No bundle is to blame"):
        check_disk(tmp_path / "results", ENOUGH.model_copy(update={"min_free_bytes": MORE_THAN_ANY}))
