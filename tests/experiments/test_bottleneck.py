"""The experiment's inputs: which runs are made, and that bundles which are there are diagnosed without any load."""

from collections import Counter
from pathlib import Path

import pytest

from experiments import bottleneck
from experiments.bottleneck import BUNDLES, claims, wanted_cases
from experiments.fault_matrix import BARE, HEALTHY, PAIR, SINGLE
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("seeds", "counts"),
    [
        ("", {SINGLE: 14, HEALTHY: 4, PAIR: 4}),
        ("5", {SINGLE: 70, HEALTHY: 20, PAIR: 12, BARE: 14}),
        ("3-5", {SINGLE: 42, HEALTHY: 12, PAIR: 6, BARE: 14}),
    ],
)
def test_one_seed_is_run_by_default_and_the_full_matrix_with_five(seeds: str, counts: dict[str, int]) -> None:
    """One seed has no runs at a target that exposes little: it is to be over in half an hour."""
    assert Counter(case.group for case in wanted_cases(seeds)) == counts


def test_seeds_that_are_none_are_refused_before_anything_starts() -> None:
    """As bad input."""
    with pytest.raises(ConfigError, match="leave it empty for one"):
        wanted_cases("many")


def test_bundles_that_are_there_are_diagnosed_without_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder is no success, and nothing is recorded into it."""
    monkeypatch.setenv(BUNDLES, str(tmp_path))
    monkeypatch.delattr(bottleneck, "record")
    found = list(claims(lambda _line: None))
    assert [(claim.measured, claim.ok) for claim in found] == [("0 of 0", False), ("0 of 0", False)]
    assert list(tmp_path.iterdir()) == []
