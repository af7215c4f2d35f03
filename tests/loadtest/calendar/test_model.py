from datetime import date

import pytest

from include.loadtest.calendar.model import Rule

pytestmark = pytest.mark.unit


def rule(**changed: object) -> Rule:
    return Rule.model_validate({"name": "x", "title": "T", "source": "S", "day": 16, "months": [7, 8], **changed})


def test_august_has_a_day_of_its_own() -> None:
    """The other months keep theirs."""
    assert rule(august_day=20).dates(2027) == [date(2027, 7, 16), date(2027, 8, 20)]
    assert rule().dates(2027) == [date(2027, 7, 16), date(2027, 8, 16)]


def test_last_is_the_last_day_of_each_month() -> None:
    """Of February in a leap year too."""
    own = rule(day="last", months=[9, 2])
    assert own.dates(2028) == [date(2028, 2, 29), date(2028, 9, 30)]
    assert own.dates(2027) == [date(2027, 2, 28), date(2027, 9, 30)]
