"""When load may be sent: blackouts from a file, and the nights of the scheduled runs."""

from include.loadtest.calendar.decisions import refusal, scheduled_skip
from include.loadtest.calendar.loading import load_calendar, read_calendar
from include.loadtest.calendar.nights import Blackout, Calendar, Slot

__all__ = ["Blackout", "Calendar", "Slot", "load_calendar", "read_calendar", "refusal", "scheduled_skip"]
