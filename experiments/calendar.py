"""All scheduled nights of 2027 and 2028 against a plain computation of its own: no code and no file is shared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from experiments.claims import Claim, Say
from experiments.live_calendar import live_claims
from include.loadtest.calendar import Calendar, read_calendar
from include.loadtest.calendar.loading import CALENDAR_FILE
from include.loadtest.profile.suites import Cadence

NAME = "calendar"
DAY = timedelta(days=1)
FIRST, LAST = date(2027, 1, 1), date(2028, 12, 31)
YEARS = range(2026, 2030)
FEASTS = ((1, 1), (1, 6), (4, 25), (5, 1), (6, 2), (8, 15), (10, 4), (11, 1), (12, 8), (12, 25), (12, 26))
"""Month and day of Italy's national holidays from 2026 on; Easter Monday comes on top."""
EASTER_MONDAYS = (date(2026, 4, 6), date(2027, 3, 29), date(2028, 4, 17), date(2029, 4, 2))
SIXTEENTHS = tuple((month, 20 if month == 8 else 16) for month in range(1, 13))
OTHERS = ((4, 30), (5, 31), (6, 30), (9, 30), (11, 30), (12, 27))
"""Deadlines besides the sixteenths and the last day of February."""


@dataclass(frozen=True)
class Nights:
    """The nights of 2027 and 2028; `skipped` are weekly nights on which nothing weekly runs."""

    weekly: Sequence[date]
    skipped: Sequence[date]
    monthly: Sequence[date]
    quarterly: Sequence[date]


def claims(say: Say) -> Iterator[Claim]:
    """Seconds of computation, then a real Airflow on a night that is free of load."""
    plain = plain_nights()
    calendar = read_calendar(CALENDAR_FILE)
    ours = calendar_nights(calendar)
    say("weekly, monthly and quarterly nights")
    yield from _counted(plain, ours)
    say("single nights")
    yield from _single(calendar)
    say("Airflow's view")
    yield from _airflow(plain)
    yield from live_claims(say)


def _counted(plain: Nights, ours: Nights) -> Iterator[Claim]:
    yield _equal("weekly starts in 2027-2028", 105, plain.weekly, ours.weekly, ())
    yield _equal("weekly starts that are skipped", 22, plain.skipped, ours.skipped, plain.skipped)
    off_monday = [night for night in plain.monthly if night.weekday() != 0]
    yield _equal("monthly starts, off the first Monday", 24, plain.monthly, ours.monthly, off_monday)
    yield _equal("quarterly starts", 8, plain.quarterly, ours.quarterly, plain.quarterly)
    weekly, larger = set(ours.weekly) - set(ours.skipped), [*ours.monthly, *ours.quarterly]
    shared = len(weekly & set(larger)) + len(larger) - len(set(larger))
    disturbing = len(busy_days() & (weekly | set(larger)))
    title = "nights that two runs share, runs in a blackout"
    yield Claim(NAME, title, "0, 0", f"{shared}, {disturbing}", shared == disturbing == 0)


def _equal(title: str, count: int, plain: Sequence[date], ours: Sequence[date], shown: Sequence[date]) -> Claim:
    listed = f": {', '.join(map(str, shown))}" if shown else ""
    equal = len(set(plain) & set(ours))
    return Claim(
        NAME,
        title,
        f"{count}, as a plain computation has them{listed}",
        f"{len(ours)}, of which {equal} equal",
        list(plain) == list(ours) and len(ours) == count,
    )


def _single(calendar: Calendar) -> Iterator[Claim]:
    """The nights that are easily wrong, each by hand."""
    by_hand: tuple[tuple[str, Cadence, date, date], ...] = (
        ("quarter ends on a Sunday", "quarterly", date(2028, 12, 31), date(2028, 12, 31)),
        ("quarter ends on an F24 day", "quarterly", date(2027, 6, 30), date(2027, 7, 1)),
        ("Easter Monday is the first Monday", "monthly", date(2026, 4, 6), date(2026, 4, 6)),
        ("Easter Monday is the first Monday", "monthly", date(2029, 4, 2), date(2029, 4, 2)),
        ("deadline of 30 September 2028, a Saturday", "quarterly", date(2028, 9, 30), date(2028, 10, 3)),
        ("the monthly gives way to that quarterly", "monthly", date(2028, 10, 2), date(2028, 10, 4)),
    )
    for title, cadence, planned, night in by_hand:
        slot = calendar.next_slot(cadence, planned - DAY)
        holds = (slot.planned, slot.night) == (planned, night) and (slot.reason is not None) == (planned != night)
        yield Claim(NAME, f"{title}: {planned}", str(night), f"{slot.night} ({slot.reason or 'as planned'})", holds)
    reason = calendar.weekly_skip(LAST)
    holds = reason is not None and "quarterly" in reason
    yield Claim(NAME, f"the weekly start of {LAST}", "gives way to the quarterly", str(reason), holds)


def _airflow(plain: Nights) -> Iterator[Claim]:
    """What Airflow's scheduler asks the timetable, start after start."""
    wanted: dict[Cadence, Sequence[date]] = {
        "weekly": plain.weekly,
        "monthly": plain.monthly,
        "quarterly": plain.quarterly,
    }
    for cadence, nights in wanted.items():
        starts = [datetime(night.year, night.month, night.day, 2, tzinfo=UTC) for night in nights]
        found = airflow_starts(cadence)
        equal = len(set(starts) & set(found))
        text = f"{len(found)}, of which {equal} equal"
        yield Claim(
            NAME, f"{cadence} starts by Airflow's timetable", f"{len(starts)}, 02:00 UTC", text, starts == found
        )


def airflow_starts(cadence: Cadence) -> list[datetime]:
    """The starts of 2027 and 2028 by successive calls of the timetable."""
    from airflow.sdk.timezone import coerce_datetime
    from airflow.timetables.base import DataInterval, TimeRestriction

    from include.loadtest.orchestration.timetables import CadenceTimetable

    earliest = coerce_datetime(datetime(2027, 1, 1, tzinfo=UTC))
    latest = coerce_datetime(datetime(2029, 1, 1, tzinfo=UTC))
    restriction = TimeRestriction(earliest, latest, catchup=True)
    starts: list[datetime] = []
    last: DataInterval | None = None
    timetable = CadenceTimetable.deserialize(CadenceTimetable(cadence).serialize())
    while info := timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction):
        starts.append(info.run_after)
        last = info.data_interval
    return starts


def calendar_nights(calendar: Calendar) -> Nights:
    """By the package."""
    weekly = [slot.night for slot in calendar.slots("weekly", FIRST, LAST)]
    return Nights(
        weekly,
        [night for night in weekly if calendar.weekly_skip(night)],
        [slot.night for slot in calendar.slots("monthly", FIRST, LAST)],
        [slot.night for slot in calendar.slots("quarterly", FIRST, LAST)],
    )


def plain_nights() -> Nights:
    """By the tables of this file."""
    busy = busy_days()
    days = [FIRST + DAY * number for number in range((LAST - FIRST).days + 1)]
    quarterly = [_free(day, busy) for day in days if (day + DAY).day == 1 and day.month % 3 == 0]
    monthly = [_free(day, busy | set(quarterly)) for day in days if day.weekday() == 0 and day.day <= 7]
    weekly = [day for day in days if day.weekday() == 6]
    return Nights(weekly, [day for day in weekly if day in busy | {*quarterly, *monthly}], monthly, quarterly)


def busy_days() -> set[date]:
    """Deadlines and the two days before each, from the end of 2026 to the end of 2029."""
    named = [date(year, month, day) for year in YEARS for month, day in (*SIXTEENTHS, *OTHERS)]
    named += [date(year, 3, 1) - DAY for year in YEARS]
    return {_open(day) - DAY * before for day in named for before in range(3)}


def _open(day: date) -> date:
    while day.weekday() > 4 or (day.month, day.day) in FEASTS or day in EASTER_MONDAYS:
        day += DAY
    return day


def _free(day: date, busy: set[date]) -> date:
    while day in busy:
        day += DAY
    return day
