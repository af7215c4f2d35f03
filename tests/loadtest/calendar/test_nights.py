"""The nights of 2027 and 2028 date by date, from deadlines looked up by hand; and what holds for any calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.loadtest.calendar import Calendar, read_calendar
from include.loadtest.calendar.loading import CALENDAR_FILE
from include.loadtest.calendar.model import CalendarFile
from include.loadtest.calendar.nights import MAX_MOVE_DAYS
from include.loadtest.errors import ConfigError

pytestmark = pytest.mark.unit
FIRST, LAST = date(2027, 1, 1), date(2028, 12, 31)
DAY = timedelta(days=1)
SUNDAYS = """
2027-01: 03 10 17 24 31
2027-02: 07 14 21 28
2027-03: 07 14 21 28
2027-04: 04 11 18 25
2027-05: 02 09 16 23 30
2027-06: 06 13 20 27
2027-07: 04 11 18 25
2027-08: 01 08 15 22 29
2027-09: 05 12 19 26
2027-10: 03 10 17 24 31
2027-11: 07 14 21 28
2027-12: 05 12 19 26
2028-01: 02 09 16 23 30
2028-02: 06 13 20 27
2028-03: 05 12 19 26
2028-04: 02 09 16 23 30
2028-05: 07 14 21 28
2028-06: 04 11 18 25
2028-07: 02 09 16 23 30
2028-08: 06 13 20 27
2028-09: 03 10 17 24
2028-10: 01 08 15 22 29
2028-11: 05 12 19 26
2028-12: 03 10 17 24 31
"""
SKIPPED = {
    "2027-01-17": ["F24 payments", "deadline Mon 2027-01-18, shifted from Sat 2027-01-16"],
    "2027-02-14": ["F24 payments", "deadline Tue 2027-02-16"],
    "2027-02-28": ["Quarterly VAT report", "deadline Mon 2027-03-01, shifted from Sun 2027-02-28"],
    "2027-03-14": ["F24 payments", "VAT balance of the year: deadline Tue 2027-03-16"],
    "2027-05-16": ["VAT payment of the quarter: deadline Mon 2027-05-17, shifted from Sun 2027-05-16"],
    "2027-05-30": ["Quarterly VAT report", "deadline Mon 2027-05-31"],
    "2027-10-17": ["F24 payments", "deadline Mon 2027-10-18, shifted from Sat 2027-10-16"],
    "2027-11-14": ["F24 payments", "VAT payment of the quarter: deadline Tue 2027-11-16"],
    "2027-11-28": ["Quarterly VAT report", "second advance (paid by F24): deadline Tue 2027-11-30"],
    "2027-12-26": ["VAT advance payment: deadline Mon 2027-12-27"],
    "2028-01-16": ["F24 payments", "deadline Mon 2028-01-17, shifted from Sun 2028-01-16"],
    "2028-02-27": ["Quarterly VAT report", "deadline Tue 2028-02-29"],
    "2028-04-16": ["F24 payments", "deadline Tue 2028-04-18, shifted from Sun 2028-04-16"],  # Easter
    "2028-04-30": ["VAT return of the year: deadline Tue 2028-05-02, shifted from Sun 2028-04-30"],
    "2028-05-14": ["VAT payment of the quarter: deadline Tue 2028-05-16"],
    "2028-07-16": ["F24 payments", "deadline Mon 2028-07-17, shifted from Sun 2028-07-16"],
    "2028-08-20": ["F24 payments", "deadline Mon 2028-08-21, shifted from Sun 2028-08-20"],
    "2028-09-17": ["F24 payments", "deadline Mon 2028-09-18, shifted from Sat 2028-09-16"],
    "2028-10-01": ["Quarterly VAT report", "deadline Mon 2028-10-02, shifted from Sat 2028-09-30"],
    "2028-10-15": ["F24 payments", "deadline Mon 2028-10-16"],
    "2028-12-17": ["F24 payments", "deadline Mon 2028-12-18, shifted from Sat 2028-12-16"],
    "2028-12-31": ["the quarterly run has the night of Sun 2028-12-31"],
}
MONTHLY = """
2027-01-04 2027-02-01 2027-03-02 2027-04-05 2027-05-03 2027-06-07 2027-07-05 2027-08-02 2027-09-06 2027-10-04
2027-11-01 2027-12-06 2028-01-03 2028-02-07 2028-03-06 2028-04-03 2028-05-03 2028-06-05 2028-07-03 2028-08-07
2028-09-04 2028-10-04 2028-11-06 2028-12-04
"""
QUARTERLY = "2027-03-31 2027-07-01 2027-10-01 2027-12-31 2028-03-31 2028-07-01 2028-10-03 2028-12-31"
MOVED = {
    "2027-03-02": ("2027-03-01", "Quarterly VAT report"),
    "2028-05-03": ("2028-05-01", "VAT return of the year"),
    "2028-10-04": ("2028-10-02", "the quarterly run has the night of Tue 2028-10-03"),
    "2027-07-01": ("2027-06-30", "Income taxes, balance and first advance (paid by F24): deadline Wed 2027-06-30"),
    "2027-10-01": ("2027-09-30", "Quarterly VAT report"),
    "2028-07-01": ("2028-06-30", "Income taxes, balance and first advance (paid by F24): deadline Fri 2028-06-30"),
    "2028-10-03": ("2028-09-30", "Quarterly VAT report (LIPE): deadline Mon 2028-10-02, shifted from Sat 2028-09-30"),
}


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return read_calendar(CALENDAR_FILE)


def made(nights_before: int = 0, rules: list | None = None, extra: list | None = None) -> Calendar:
    file = {"nights_before": nights_before, "rules": rules or [], "extra": extra or []}
    return Calendar(CalendarFile.model_validate(file), "x.yaml")


def window(first: date, last: date) -> dict:
    return {"from": first, "to": last, "reason": "move"}


def test_the_105_weekly_starts_of_two_years(calendar: Calendar) -> None:
    """Every Sunday, also one that is skipped."""
    lines = [line.split(": ") for line in SUNDAYS.split("\n") if line]
    expected = [f"{month}-{day}" for month, days in lines for day in days.split()]
    slots = calendar.slots("weekly", FIRST, LAST)
    assert [str(slot.night) for slot in slots] == expected
    assert len(slots) == 105
    assert all(slot.planned == slot.night and slot.reason is None for slot in slots)


def test_the_22_weekly_starts_that_are_skipped_say_why(calendar: Calendar) -> None:
    """Deadline, its date, the shift; or the run it gives way to. All others run."""
    reasons = {str(slot.night): calendar.weekly_skip(slot.night) for slot in calendar.slots("weekly", FIRST, LAST)}
    skipped = {night: text for night, text in reasons.items() if text}
    assert list(skipped) == list(SKIPPED)
    assert len(skipped) == 22
    for night, texts in SKIPPED.items():
        assert all(text in skipped[night] for text in texts), (night, skipped[night])
    assert "D.P.R. 322/1998 art. 8" in skipped["2028-04-30"]
    assert "rule vat_return" in skipped["2028-04-30"]


@pytest.mark.parametrize(("cadence", "nights"), [("monthly", MONTHLY), ("quarterly", QUARTERLY)])
def test_the_monthly_and_quarterly_starts_of_two_years(calendar: Calendar, cadence, nights: str) -> None:
    """24 and 8; a moved one carries its planned date and the reason, the others carry none."""
    slots = calendar.slots(cadence, FIRST, LAST)
    assert [str(slot.night) for slot in slots] == nights.split()
    assert len(slots) == {"monthly": 24, "quarterly": 8}[cadence]
    for slot in slots:
        planned, reason = MOVED.get(str(slot.night), (str(slot.night), None))
        assert str(slot.planned) == planned
        assert (slot.reason is None) == (reason is None)
        assert reason is None or (reason in slot.reason and f"moved to {slot.night:%a %Y-%m-%d}" in slot.reason)


def test_the_quarter_that_ends_on_a_sunday_has_the_night(calendar: Calendar) -> None:
    """2028-12-31: the quarterly runs, the weekly gives way, also where the target knows no blackouts."""
    assert calendar.slots("quarterly", LAST, LAST)[0].planned == LAST
    assert calendar.weekly_skip(LAST, has_blackouts=False) == calendar.weekly_skip(LAST)
    assert "quarterly run has the night" in (calendar.weekly_skip(LAST) or "")


def test_a_target_without_blackouts_runs_its_weekly_before_deadlines(calendar: Calendar) -> None:
    """Only the larger runs stand in its way."""
    assert calendar.weekly_skip(date(2027, 1, 17), has_blackouts=False) is None


@pytest.mark.parametrize("day", [date(2026, 4, 6), date(2029, 4, 2)])
def test_easter_monday_as_first_monday_is_no_blackout(calendar: Calendar, day: date) -> None:
    """A holiday moves deadlines; it forbids no load by itself."""
    assert calendar.blackout(day) is None
    assert calendar.next_slot("monthly", day - DAY).night == day


def test_a_deadline_on_easter_monday_moves_and_takes_the_first_monday_with_it() -> None:
    """Deadline 2029-04-02 counts on Tuesday the 3rd: 1 to 3 April are dark, the monthly starts on the 4th."""
    rule = {"name": "x", "title": "Tax", "source": "Act 1", "day": 2, "months": [4]}
    slot = made(2, [rule]).next_slot("monthly", date(2029, 4, 1))
    assert (slot.planned, slot.night) == (date(2029, 4, 2), date(2029, 4, 4))
    assert "deadline Tue 2029-04-03, shifted from Mon 2029-04-02" in (slot.reason or "")


def test_a_blackout_is_the_deadline_and_two_nights_before(calendar: Calendar) -> None:
    """F24 of August 2027: Friday the 20th."""
    days = [date(2027, 8, day) for day in range(14, 25)]
    assert [day.day for day in days if calendar.blackout(day)] == [18, 19, 20]


def test_a_blackout_crosses_the_year() -> None:
    """31 December 2027 is a Friday, 2028's a Sunday: the deadline counts on 2 January 2029, a Tuesday."""
    rule = {"name": "x", "title": "Tax", "source": "Act 1", "day": "last", "months": [12]}
    own = made(2, [rule])
    dark = [day for day in (date(2028, 12, 29) + DAY * number for number in range(7)) if own.blackout(day)]
    assert dark == [date(2028, 12, 31), date(2029, 1, 1), date(2029, 1, 2)]


def test_starts_are_at_two_in_utc_whatever_italy_does_with_its_clocks(calendar: Calendar) -> None:
    """Around both changes of 2027 (28 March, 31 October) nothing shifts, and no start is lost or doubled."""
    for day in (date(2027, 3, 28), date(2027, 10, 31)):
        starts = [slot.start for slot in calendar.slots("weekly", day - 7 * DAY, day + 7 * DAY)]
        start = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
        assert starts == [start - 7 * DAY, start, start + 7 * DAY]


def test_the_next_and_the_last_slot_enclose_a_day(calendar: Calendar) -> None:
    """`next_slot` is later than its day, `last_slot` is that day or earlier."""
    assert calendar.next_slot("quarterly", date(2027, 7, 1)).night == date(2027, 10, 1)
    assert calendar.last_slot("quarterly", date(2027, 7, 1)).night == date(2027, 7, 1)
    assert calendar.last_slot("quarterly", date(2027, 6, 30)).night == date(2027, 3, 31)
    assert calendar.last_slot("monthly", date(2028, 10, 3)).night == date(2028, 9, 4)


def test_starts_that_meet_on_one_night_are_one() -> None:
    """Dark from 1 January to 20 February 2027: the monthly of both months starts on the 21st, once, and says so."""
    own = made(extra=[window(date(2027, 1, 1), date(2027, 2, 20))])
    first, second = own.slots("monthly", date(2027, 1, 1), date(2027, 3, 5))
    assert (first.planned, first.night) == (date(2027, 2, 1), date(2027, 2, 21))
    assert "stands for the start planned for Mon 2027-01-04 too" in (first.reason or "")
    assert "move: Fri 2027-01-01 to Sat 2027-02-20 (key extra)" in (first.reason or "")
    assert second.night == date(2027, 3, 1)


def test_a_calendar_without_a_free_night_is_an_error() -> None:
    """It ends, and says where to look."""
    rules = [
        {"name": f"d{day}", "title": "Tax", "source": "Act 1", "day": day, "months": list(range(1, 13))}
        for day in range(1, 29, 3)
    ]
    with pytest.raises(ConfigError, match=r"x\.yaml: no free night from .* within 60 days; shorten nights_before"):
        made(7, rules).next_slot("quarterly", date(2027, 1, 1))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    rules = [
        {
            "name": f"r{number}",
            "title": "Tax",
            "source": "Act 1",
            "day": draw(st.one_of(st.integers(1, 28), st.just("last"))),
            "months": sorted(draw(st.sets(st.integers(1, 12), min_size=1))),
        }
        for number in range(draw(st.integers(0, 5)))
    ]
    extra = []
    for _ in range(draw(st.integers(0, 3))):
        first = date(2027, 1, 1) + DAY * draw(st.integers(0, 500))
        extra.append(window(first, first + DAY * draw(st.integers(0, 20))))
    return made(draw(st.integers(0, 3)), rules, extra)


def longest_darkness(own: Calendar) -> int:
    """Nights in a row without a free one; a quarterly may have taken one more."""
    longest = dark = 0
    for number in range(-MAX_MOVE_DAYS, (LAST - FIRST).days + 3 * MAX_MOVE_DAYS):
        dark = dark + 1 if own.blackout(FIRST + DAY * number) else 0
        longest = max(longest, dark)
    return longest


@given(own=calendars())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_for_any_calendar_no_two_runs_share_a_night_and_none_is_in_a_blackout(own: Calendar) -> None:
    """And a run is never earlier than planned; every planned start has its run."""
    try:
        larger = [*own.slots("monthly", FIRST, LAST), *own.slots("quarterly", FIRST, LAST)]
    except ConfigError:
        assert longest_darkness(own) >= MAX_MOVE_DAYS
        return
    weekly = [slot for slot in own.slots("weekly", FIRST, LAST) if not own.weekly_skip(slot.night)]
    nights = [slot.night for slot in (*larger, *weekly)]
    assert len(nights) == len(set(nights))
    assert not [night for night in nights if own.blackout(night)]
    assert all(timedelta(0) <= slot.night - slot.planned <= MAX_MOVE_DAYS * DAY for slot in larger)
    assert all(slot.reason for slot in larger if slot.night > slot.planned)
    free_quarter_ends = {
        day
        for day in (FIRST + DAY * number for number in range((LAST - FIRST).days + 1))
        if (day + DAY).day == 1 and day.month % 3 == 0 and not own.blackout(day)
    }
    assert free_quarter_ends <= {slot.night for slot in larger if slot.cadence == "quarterly"}


def test_the_next_deadline_is_today_or_the_first_one_after() -> None:
    """With its rule; a calendar without rules has none."""
    calendar = read_calendar(CALENDAR_FILE)
    found = calendar.next_deadline(date(2027, 3, 2))
    assert found is not None
    assert (found.day, found.rule.day) == (date(2027, 3, 16), 16)
    assert calendar.next_deadline(found.day) == found
    assert calendar.blackout(found.day) is not None
    empty = Calendar(calendar.file.model_copy(update={"rules": ()}), "made")
    assert empty.next_deadline(date(2027, 3, 1)) is None
