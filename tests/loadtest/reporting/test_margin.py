"""How far a figure is from its limit: in % of it, and which of several is nearest."""

import pytest

from include.loadtest.reporting.margin import closest, margin_pct
from tests.loadtest.reporting.conftest import SLO

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("comparator", "observed", "limit", "room_pct"),
    [("<", 900.0, 1000.0, 10.0), ("<=", 1100.0, 1000.0, -10.0), (">", 60.0, 50.0, 20.0), (">=", 40.0, 50.0, -20.0)],
)
def test_room_is_positive_within_and_negative_beyond(comparator, observed, limit, room_pct) -> None:
    """For either direction of a limit."""
    slo = SLO | {"comparator": comparator, "observed": observed, "limit": limit}
    assert margin_pct(slo) == pytest.approx(room_pct)


@pytest.mark.parametrize("missing", [{"observed": None}, {"limit": 0}])
def test_without_a_figure_or_with_a_limit_of_zero_there_is_no_percentage(missing) -> None:
    """Nothing is made up."""
    assert margin_pct(SLO | missing) is None


def test_the_closest_is_a_critical_limit_that_was_judged() -> None:
    """A warning limit that is nearer comes behind; what was not judged does not count."""
    far = SLO | {"metric": "far", "observed": 100.0, "outcome": "met"}
    near = SLO | {"metric": "near", "observed": 3500.0, "outcome": "near"}
    warning = SLO | {"metric": "warning", "observed": 3900.0, "outcome": "met", "level": "warning"}
    unjudged = SLO | {"metric": "unjudged", "observed": 3999.0, "outcome": "not_judged"}
    found = closest([far, warning, near, unjudged])
    assert found is not None
    assert (found[0]["metric"], found[1]) == ("near", pytest.approx(12.5))
    assert closest([unjudged]) is None
