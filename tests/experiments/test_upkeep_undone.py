"""A safeguard that is taken away shows in the invariant that it is for, and only then."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest

from experiments import upkeep_undone
from experiments.upkeep_undone import ALL, Undone, undone_claims

pytestmark = pytest.mark.integration
NEVER_WEEKLY = {
    f"experiments.{module}.load_cadences": lambda: ("monthly", "quarterly")
    for module in ("upkeep_years", "upkeep_airflow")
}


@pytest.mark.parametrize(("instead", "holds"), [(NEVER_WEEKLY, True), ({}, False)], ids=["undone", "in place"])
def test_what_is_undone_has_to_break_its_invariant(instead: Mapping[str, Any], holds: bool) -> None:
    """Sunday's suite never starts; with all in place nothing breaks, and the claim fails."""
    one = Undone("weekly starts", 3, 1, instead, ("each slot told",))
    with patch.object(upkeep_undone, "ALL", (one,)):
        (claim,) = undone_claims("upkeep", lambda _text: None)
    assert claim.ok == holds
    assert claim.measured.startswith(f"broken each slot told: {1 if holds else 0}; besides: ")


def test_each_name_that_is_undone_exists() -> None:
    """A safeguard that was renamed is no longer taken away."""
    for one in ALL:
        with upkeep_undone._without(one):
            assert one.breaks
