"""Which experiments run, and what a claim's line says."""

import pytest

from experiments.claims import Claim, wanted
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit
KNOWN, DEFAULT = ("faults", "profiles", "walk"), ("faults", "profiles")


def test_names_are_taken_once_in_their_order_and_the_default_for_none() -> None:
    """Blanks and empty fields count for nothing."""
    assert wanted("walk, faults,,walk", KNOWN, DEFAULT) == ["walk", "faults"]
    assert wanted(" ", KNOWN, DEFAULT) == ["faults", "profiles"]


def test_an_unknown_name_is_refused_with_the_nearest_one() -> None:
    """Nothing runs by mistake."""
    with pytest.raises(ConfigError, match=r"ONLY: unknown experiment 'fault'; .*faults"):
        wanted("profiles,fault", KNOWN, DEFAULT)


@pytest.mark.parametrize(("ok", "end"), [(True, "| ok"), (False, "| FAIL")])
def test_a_line_has_five_fields_whatever_the_texts_hold(ok: bool, end: str) -> None:
    """No text adds a field or a line."""
    line = Claim("faults", "a | b", "users=0\n", "x", ok).line()
    assert line.count("|") == 4
    assert "\n" not in line
    assert line.endswith(end)
