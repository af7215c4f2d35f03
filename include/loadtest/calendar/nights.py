"""Which nights are free of load, and on which nights the scheduled runs start.

The quarterly run is placed first, then the monthly: each moves to the next night that is free. The weekly run is never
moved: it is skipped on a night that is not free, or that another run has.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile

from include.loadtest.calendar.deadlines import ONE_DAY, Deadline, day_text, deadlines_of
from include.loadtest.calendar.model import CalendarFile, Window
from include.loadtest.calendar.planned import planned_nights
from include.loadtest.errors import ConfigError
from include.loadtest.profile.suites import Cadence

START = time(2, tzinfo=UTC)
"""Start of every scheduled run. In Italy it is 3 or 4 o'clock then, so a night has one date in both."""
MAX_MOVE_DAYS = 60
"""A run that would have to move further is not moved: the calendar is wrong."""
DAYS_AHEAD = 366
_REACH = timedelta(days=MAX_MOVE_DAYS)
_TWO_QUARTERS = timedelta(days=2 * 92)


@dataclass(frozen=True)
class Blackout:
    """Why no load may be sent on a date (Italy's)."""

    day: date
    deadlines: tuple[Deadline, ...]
    windows: tuple[Window, ...]

    def text(self) -> str:
        """Each deadline with its date, rule and source, and each window."""
        windows = [
            f"{window.reason}: {day_text(window.first)} to {day_text(window.last)} (key extra)"
            for window in self.windows
        ]
        return "; ".join([*(deadline.text() for deadline in self.deadlines), *windows])


@dataclass(frozen=True)
class Slot:
    """A scheduled start: `night` is its date, `planned` the date it would have on a free night, `reason` why it moved.

    Where one night takes two planned starts of a cadence, `planned` is the later, and `reason` says so.
    """

    cadence: Cadence
    night: date
    planned: date
    reason: str | None = None

    @property
    def start(self) -> datetime:
        """The moment, UTC."""
        return datetime.combine(self.night, START)


@dataclass(frozen=True)
class Calendar:
    """Blackouts and slots by one file; `path` is for messages. Days are Italy's dates, which are UTC's at a start."""

    file: CalendarFile
    path: str
    _by_year: dict[int, Mapping[date, tuple[Deadline, ...]]] = field(default_factory=dict, repr=False, compare=False)

    def blackout(self, day: date) -> Blackout | None:
        """What forbids load on that date; None on a free one."""
        ahead = [day + ONE_DAY * nights for nights in range(self.file.nights_before + 1)]
        deadlines = tuple(deadline for near in ahead for deadline in self._deadlines(near))
        windows = tuple(window for window in self.file.extra if window.first <= day <= window.last)
        return Blackout(day, deadlines, windows) if deadlines or windows else None

    def next_free(self, day: date) -> date:
        """That date or the next one without a blackout. Raises ConfigError where there is none in MAX_MOVE_DAYS."""
        return self._first_free(day, self._forbidden)[0]

    def next_deadline(self, day: date) -> Deadline | None:
        """The first deadline on that date or within a year after it; None where the file has none."""
        ahead = (day + ONE_DAY * days for days in range(DAYS_AHEAD))
        return next((found[0] for near in ahead if (found := self._deadlines(near))), None)

    def weekly_skip(self, night: date, *, has_blackouts: bool = True) -> str | None:
        """Why the weekly run of that night is skipped; None where it runs.

        It gives way to a larger run also on a target without blackouts.
        """
        forbidden = self._forbidden(night) if has_blackouts else None
        larger: tuple[Cadence, ...] = ("quarterly", "monthly")
        taken = (_taken(cadence, night) for cadence in larger if self.slots(cadence, night, night))
        return forbidden or next(taken, None)

    def next_slot(self, cadence: Cadence, after: date) -> Slot:
        """The first slot on a night later than `after`. Raises ConfigError where a slot finds no free night."""
        return next(self._slots_after(cadence, after))

    def last_slot(self, cadence: Cadence, day: date) -> Slot:
        """The last slot on that night or an earlier one. Raises ConfigError as `next_slot` does."""
        return self.slots(cadence, day - _TWO_QUARTERS, day)[-1]

    def slots(self, cadence: Cadence, first: date, last: date) -> list[Slot]:
        """The slots on the nights from `first` to `last`, both included. Raises ConfigError as `next_slot` does."""
        return list(takewhile(lambda slot: slot.night <= last, self._slots_after(cadence, first - ONE_DAY)))

    def _slots_after(self, cadence: Cadence, after: date) -> Iterator[Slot]:
        """Slots in the order of their nights; those that share a night are one.

        A later plan never has an earlier night than an earlier plan, so planned starts are placed one by one.
        """
        placed = (self._placed(cadence, planned) for planned in planned_nights(cadence, after - _REACH))
        slot = next(slot for slot in placed if slot.night > after)
        for following in placed:
            if following.night == slot.night:
                slot = _merged(slot, following)
            else:
                yield slot
                slot = following

    def _placed(self, cadence: Cadence, planned: date) -> Slot:
        if cadence == "weekly":
            return Slot(cadence, planned, planned)
        night, reasons = self._first_free(planned, self._forbidden if cadence == "quarterly" else self._not_monthly)
        if night == planned:
            return Slot(cadence, night, planned)
        reason = f"planned for {day_text(planned)}, moved to {day_text(night)}: {'; '.join(reasons)}"
        return Slot(cadence, night, planned, reason)

    def _first_free(self, day: date, why_not: Callable[[date], str | None]) -> tuple[date, list[str]]:
        """The first date from `day` on that nothing forbids, and what forbade those before it."""
        reasons: list[str] = []
        for days in range(MAX_MOVE_DAYS + 1):
            night = day + ONE_DAY * days
            reason = why_not(night)
            if reason is None:
                return night, list(dict.fromkeys(reasons))
            reasons.append(reason)
        raise ConfigError(
            f"{self.path}: no free night from {day_text(day)} within {MAX_MOVE_DAYS} days; "
            f"shorten nights_before, rules or extra (the last is: {reasons[-1]})"
        )

    def _forbidden(self, night: date) -> str | None:
        found = self.blackout(night)
        return found.text() if found else None

    def _not_monthly(self, night: date) -> str | None:
        if self.slots("quarterly", night, night):
            return _taken("quarterly", night)
        return self._forbidden(night)

    def _deadlines(self, day: date) -> tuple[Deadline, ...]:
        if day.year not in self._by_year:
            self._by_year[day.year] = deadlines_of(self.file.rules, day.year)
        return self._by_year[day.year].get(day, ())


def _taken(cadence: Cadence, night: date) -> str:
    return f"the {cadence} run has the night of {day_text(night)}"


def _merged(earlier: Slot, later: Slot) -> Slot:
    note = f"it stands for the start planned for {day_text(earlier.planned)} too"
    return Slot(later.cadence, later.night, later.planned, "; ".join(filter(None, [note, later.reason])))
