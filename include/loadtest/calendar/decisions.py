"""Whether a run may start: what the calendar says to a person's run and to a scheduled one."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from include.loadtest.calendar.deadlines import ONE_DAY, day_text
from include.loadtest.calendar.nights import Calendar
from include.loadtest.profile.suites import Cadence

ITALY = ZoneInfo("Europe/Rome")


def italian_date(moment: datetime) -> date:
    """The date in Italy at an aware moment."""
    return moment.astimezone(ITALY).date()


def refusal(
    calendar: Calendar, target_has_blackouts: bool, moment: datetime, ignore_blackout: bool, *, lasts_s: float = 0.0
) -> str | None:
    """Why a run is refused at that moment; None where it may start. `lasts_s`: seconds from then to its load's end.

    Names what forbids it, until when, and the override. Raises ConfigError: no free day within two months.
    """
    if ignore_blackout or not target_has_blackouts:
        return None
    first, last = italian_date(moment), italian_date(moment + timedelta(seconds=lasts_s))
    days = (first + ONE_DAY * number for number in range((last - first).days + 1))
    found = next(filter(None, map(calendar.blackout, days)), None)
    if found is None:
        return None
    end = calendar.next_free(found.day) - ONE_DAY
    reaching = "" if found.day == first else f"the load would last into {day_text(found.day)}, and "
    return (
        f"{reaching}no load is sent until the end of {day_text(end)}, Italian time, not to disturb the target's users: "
        f"{found.text()}; start the run with ignore_blackout if it must run now"
    )


def scheduled_skip(calendar: Calendar, target_has_blackouts: bool, cadence: Cadence, night: date) -> str | None:
    """Why a scheduled run of that night is skipped; None where it runs.

    The weekly gives way to a larger run of the night, and is skipped in a blackout. A larger run lies on a free night
    unless the calendar's file was changed after the run was set: then it is skipped too. Raises ConfigError as
    `Calendar.next_slot` does.
    """
    if cadence == "weekly":
        reason = calendar.weekly_skip(night, has_blackouts=target_has_blackouts)
    else:
        found = calendar.blackout(night) if target_has_blackouts else None
        reason = found.text() if found else None
    return f"the {cadence} run of {day_text(night)} is skipped: {reason}" if reason else None
