"""The dead man's switch: says when the weekly suite has been silent for too long, or a larger one lost its night."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.loadtest.calendar import Calendar, Slot, scheduled_skip
from include.loadtest.calendar.deadlines import day_text
from include.loadtest.history.upkeep import SuiteVerdict
from include.loadtest.profile.suites import Cadence

SUITE: Cadence = "weekly"
DAG_ID = "load_test_weekly"
LARGER: tuple[Cadence, ...] = ("monthly", "quarterly")
CYCLE_DAYS = 7
_DAY = timedelta(days=1)
_NAMED = 4


@dataclass(frozen=True)
class Finding:
    """Whether a person has to look, and a line that says why or why not."""

    alarm: bool
    text: str


@dataclass(frozen=True)
class Nights:
    """The nights on which suites start: the calendar, and whether its blackouts hold for the target."""

    calendar: Calendar
    has_blackouts: bool

    def between(self, after: datetime, until: datetime) -> tuple[list[str], list[str]]:
        """The weekly starts after a moment, up to another: those that were due, and why the others were skipped."""
        due, skipped = [], []
        for slot in self.calendar.slots(SUITE, after.date(), until.date()):
            if after < slot.start <= until:
                why = scheduled_skip(self.calendar, self.has_blackouts, SUITE, slot.night)
                skipped.append(why) if why else due.append(day_text(slot.night))
        return due, skipped

    def latest(self, cadence: Cadence, until: datetime) -> Slot:
        """The last start up to that moment."""
        slot = self.calendar.last_slot(cadence, until.date())
        return slot if slot.start <= until else self.calendar.last_slot(cadence, slot.night - _DAY)


def judge_silence(
    last: SuiteVerdict | None, installed_at: datetime, days: float, now: datetime, nights: Nights
) -> Finding:
    """Alarm when the last weekly verdict is more than `days` days old; the installation counts as one.

    Any verdict counts, INCONCLUSIVE too: what is watched is that the suite runs, not what it finds. A start that the
    calendar skipped asks for no verdict, and the latest one has `days` - 7 days for its suite: where no other was due,
    silence is no alarm. Raises ConfigError for a calendar without free nights.
    """
    since = (installed_at if last is None else max(installed_at, last.at)).astimezone(UTC)
    silent_days = (now - since) / timedelta(days=1)
    known = f"{_known(last, installed_at)}; that is {silent_days:.1f} days"
    if silent_days <= days:
        return Finding(False, f"{known}, and the alarm comes after {days:g}")
    due, skipped = nights.between(since, now - timedelta(days=days - CYCLE_DAYS))
    by_calendar = _some(skipped, "; ")
    if not due:
        return Finding(False, f"{known}, as planned: {by_calendar or 'no start was due yet'}")
    text = (
        f"no weekly verdict for more than {days:g} days: {known}; due was {_some(due, ', ')}. Look whether {DAG_ID} is "
        "paused, whether scheduler and workers live, and into the log of its last run"
    )
    return Finding(True, f"{text}. By the calendar {by_calendar}" if skipped else text)


def judge_lost(
    last: SuiteVerdict | None, installed_at: datetime, days: float, now: datetime, nights: Nights, *, cadence: Cadence
) -> Finding:
    """Alarm when the latest night of a larger suite has passed without a verdict: from the day after, for `days` days.

    It is not started again by itself, and the next night may be months away; later the line alone says so.
    Raises ConfigError for a calendar without free nights.
    """
    since = (installed_at if last is None else max(installed_at, last.at)).astimezone(UTC)
    slot, known = nights.latest(cadence, now - _DAY), _known(last, installed_at, cadence)
    if slot.start <= since:
        return Finding(False, known)
    text = (
        f"the {cadence} suite that was due on {day_text(slot.night)} has come to no verdict: {known}. It is not "
        f"started again by itself. Look whether load_test_{cadence} is paused, whether scheduler and workers live, and "
        f"into the log of its last run; then trigger load_test_{cadence} by hand"
    )
    return Finding(now - slot.start <= _DAY * days, text)


def _known(last: SuiteVerdict | None, installed_at: datetime, suite: Cadence = SUITE) -> str:
    installed = f"the history is kept since {_shown(installed_at)}"
    if last is None:
        return f"no {suite} suite has come to a verdict, and {installed}"
    told = f"the last {suite} verdict is {last.verdict} of {last.suite_run_id}, {_shown(last.at)}"
    return told if last.at >= installed_at else f"{told}, but {installed}"


def _some(texts: Sequence[str], between: str) -> str:
    """The latest few; how many came before them."""
    earlier = len(texts) - _NAMED
    return between.join(texts[-_NAMED:]) + (f", and {earlier} before" if earlier > 0 else "")


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
