from datetime import date
from itertools import islice

import pytest

from include.loadtest.calendar.planned import planned_nights

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("cadence", "first", "expected"),
    [
        ("weekly", date(2026, 11, 25), ["2026-11-29", "2026-12-06", "2026-12-13"]),
        ("weekly", date(2026, 11, 29), ["2026-11-29", "2026-12-06", "2026-12-13"]),
        ("monthly", date(2026, 11, 2), ["2026-11-02", "2026-12-07", "2027-01-04"]),
        ("monthly", date(2026, 11, 3), ["2026-12-07", "2027-01-04", "2027-02-01"]),
        ("quarterly", date(2027, 12, 31), ["2027-12-31", "2028-03-31", "2028-06-30"]),
        ("quarterly", date(2028, 1, 1), ["2028-03-31", "2028-06-30", "2028-09-30"]),
    ],
)
def test_plans_begin_on_that_day_or_later(cadence, first: date, expected: list[str]) -> None:
    """Sundays, first Mondays, last days of quarters; a year's end makes no difference."""
    assert [str(night) for night in islice(planned_nights(cadence, first), 3)] == expected
