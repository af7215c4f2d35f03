"""What is expected after a fault is compared with everything that was found."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.aftermath import Aftermath, Expected, sample_rows

pytestmark = pytest.mark.unit
FOUND = Aftermath(
    verdict="INCONCLUSIVE",
    reasons=("stage_failed",),
    samples=7,
    report=True,
    users=0,
    locks=0,
    processes=0,
    token_file=False,
    shown="INCONCLUSIVE",
)
EXPECTED = Expected(("INCONCLUSIVE",), "stage_failed")


def test_what_was_expected_is_met() -> None:
    """By exactly this."""
    assert EXPECTED.met_by(FOUND)


@pytest.mark.parametrize(
    "difference",
    [
        {"verdict": "PASS", "shown": "PASS"},
        {"shown": "none"},
        {"reasons": ("generator_died",)},
        {"samples": 0},
        {"report": False},
        {"users": 1},
        {"locks": 1},
        {"processes": 1},
        {"token_file": True},
    ],
)
def test_any_difference_is_seen(difference: dict) -> None:
    """A verdict that is not shown, data that is lost, anything that is left."""
    assert not EXPECTED.met_by(replace(FOUND, **difference))


def test_a_part_that_cannot_be_read_counts_no_rows(tmp_path: Path) -> None:
    """As where the disk was full."""
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "w0.parquet").write_bytes(b"PAR1")
    assert sample_rows(tmp_path) == 0
