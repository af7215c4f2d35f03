"""On which nights a cadence's runs start where every night is free."""

import calendar
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count

from include.loadtest.profile.suites import Cadence

SUNDAY = calendar.SUNDAY
MONTHS = 12


def planned_nights(cadence: Cadence, first: date) -> Iterator[date]:
    """Sundays, first Mondays, or last days of quarters, from `first` on, without end."""
    if cadence == "weekly":
        sunday = first + timedelta(days=(SUNDAY - first.weekday()) % 7)
        yield from (sunday + timedelta(weeks=week) for week in count())
    night_of = _first_monday if cadence == "monthly" else _last_day
    step = 1 if cadence == "monthly" else 3
    for number in count(first.year * MONTHS + (first.month - 1) // step * step + step - 1, step):
        night = night_of(number // MONTHS, number % MONTHS + 1)
        if night >= first:
            yield night


def _first_monday(year: int, month: int) -> date:
    return date(year, month, 1 + (calendar.MONDAY - date(year, month, 1).weekday()) % 7)


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
