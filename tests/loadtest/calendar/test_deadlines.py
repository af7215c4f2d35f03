from datetime import date

import pytest

from include.loadtest.calendar.deadlines import deadlines_of, national_holidays, working_day
from include.loadtest.calendar.model import Rule

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("named", "counts"),
    [
        ("2027-06-16", "2027-06-16"),  # a Wednesday
        ("2027-01-16", "2027-01-18"),  # a Saturday
        ("2028-04-16", "2028-04-18"),  # Easter Sunday, then Easter Monday
        ("2028-04-30", "2028-05-02"),  # a Sunday, then 1 May
        ("2026-10-04", "2026-10-05"),  # St Francis, a holiday since 2026, on a Sunday
        ("2027-10-04", "2027-10-05"),  # the same on a Monday
        ("2028-12-24", "2028-12-27"),  # a Sunday, then Christmas and St Stephen's day
        ("2028-12-30", "2029-01-02"),  # a Saturday, then a Sunday, then New Year's day
    ],
)
def test_a_deadline_moves_to_the_next_working_day(named: str, counts: str) -> None:
    """Off weekends, national holidays and any row of them."""
    assert working_day(date.fromisoformat(named)) == date.fromisoformat(counts)


def test_no_towns_feast_is_a_national_holiday() -> None:
    """24 June (Florence, Genoa, Turin), 29 June (Rome) and 7 December (Milan) are working days of 2027."""
    assert not national_holidays(2027) & {date(2027, 6, 24), date(2027, 6, 29), date(2027, 12, 7)}


def test_deadlines_of_a_year_are_those_that_count_in_it() -> None:
    """31 December 2028, a Sunday, counts in 2029; 31 December 2027 counts in its own year."""
    rule = Rule.model_validate({"name": "x", "title": "T", "source": "S", "day": "last", "months": [12]})
    assert list(deadlines_of([rule], 2028)) == []
    assert list(deadlines_of([rule], 2027)) == [date(2027, 12, 31)]
    ((deadline,), *_) = deadlines_of([rule], 2029).values()
    assert (deadline.named, deadline.day) == (date(2028, 12, 31), date(2029, 1, 2))
    assert deadline.text() == "T: deadline Tue 2029-01-02, shifted from Sun 2028-12-31 (rule x: S)"
