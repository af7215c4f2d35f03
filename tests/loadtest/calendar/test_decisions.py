from datetime import UTC, date, datetime

import pytest

from include.loadtest.calendar import Calendar, read_calendar, refusal, scheduled_skip
from include.loadtest.calendar.loading import CALENDAR_FILE
from include.loadtest.calendar.model import CalendarFile

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def calendar() -> Calendar:
    return read_calendar(CALENDAR_FILE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_manual_run_in_a_blackout_is_refused_with_deadline_end_and_override(calendar: Calendar) -> None:
    """Monday 14 June 2027: F24 is due on Wednesday the 16th."""
    text = refusal(calendar, True, at("2027-06-14T10:00"), False) or ""
    assert text.startswith("no load is sent until the end of Wed 2027-06-16, Italian time")
    assert "F24 payments" in text
    assert "deadline Wed 2027-06-16" in text
    assert "D.Lgs. 241/1997 art. 17 and 18" in text
    assert "ignore_blackout" in text


def test_until_when_counts_the_blackout_that_follows_too(calendar: Calendar) -> None:
    """A window of the company's own begins on the day after the deadline of 16 June 2027."""
    window = {"from": date(2027, 6, 17), "to": date(2027, 6, 20), "reason": "Migration"}
    file = CalendarFile.model_validate({"nights_before": 2, "rules": calendar.file.rules, "extra": [window]})
    text = refusal(Calendar(file, "x.yaml"), True, at("2027-06-14T10:00"), False) or ""
    assert "until the end of Sun 2027-06-20" in text
    text = refusal(Calendar(file, "x.yaml"), True, at("2027-06-18T10:00"), False) or ""
    assert "Migration: Thu 2027-06-17 to Sun 2027-06-20 (key extra)" in text


@pytest.mark.parametrize(
    ("has_blackouts", "moment", "ignored"),
    [(False, "2027-06-14T10:00", False), (True, "2027-06-14T10:00", True), (True, "2027-06-10T10:00", False)],
    ids=["target without blackouts", "overridden", "free day"],
)
def test_otherwise_a_manual_run_may_start(calendar: Calendar, has_blackouts: bool, moment: str, ignored: bool) -> None:
    """Nothing is said."""
    assert refusal(calendar, has_blackouts, at(moment), ignored) is None


@pytest.mark.parametrize(
    ("moment", "refused"),
    [
        ("2027-06-13T21:59", False),  # 23:59 in Italy, in summer time
        ("2027-06-13T22:00", True),  # midnight of the 14th
        ("2027-06-16T21:59", True),
        ("2027-06-16T22:00", False),
        ("2027-02-13T22:30", False),  # 23:30 in Italy, in winter time; F24 is due on the 16th
        ("2027-02-13T23:00", True),
    ],
)
def test_the_date_in_italy_counts(calendar: Calendar, moment: str, refused: bool) -> None:
    """Not UTC's, which is one or two hours behind."""
    assert (refusal(calendar, True, at(moment), False) is not None) == refused


@pytest.mark.parametrize(
    ("moment", "lasts_s", "refused"),
    [("2027-06-13T21:59", 59, False), ("2027-06-13T21:59", 60, True), ("2027-06-12T20:00", 7 * 86_400, True)],
    ids=["ends before midnight", "lasts until midnight", "covers it"],
)
def test_a_load_may_not_last_into_a_blackout(calendar: Calendar, moment: str, lasts_s: int, refused: bool) -> None:
    """The 14th is kept free; the text says so, since the day of the start is not."""
    text = refusal(calendar, True, at(moment), False, lasts_s=lasts_s)
    assert (text is not None) == refused
    assert text is None or text.startswith("the load would last into Mon 2027-06-14, and no load is sent until")


def test_a_scheduled_run_says_why_it_is_skipped(calendar: Calendar) -> None:
    """The weekly before a deadline, and where it gives way; without blackouts only the second."""
    text = scheduled_skip(calendar, True, "weekly", date(2027, 1, 17)) or ""
    assert text.startswith("the weekly run of Sun 2027-01-17 is skipped: F24 payments")
    assert scheduled_skip(calendar, False, "weekly", date(2027, 1, 17)) is None
    for has_blackouts in (True, False):
        text = scheduled_skip(calendar, has_blackouts, "weekly", date(2028, 12, 31)) or ""
        assert text.endswith("the quarterly run has the night of Sun 2028-12-31")


def test_a_larger_run_is_skipped_where_the_calendar_was_changed_after_it_was_set(calendar: Calendar) -> None:
    """On its own night it runs; on a night that has become dark it does not."""
    assert scheduled_skip(calendar, True, "quarterly", date(2027, 7, 1)) is None
    text = scheduled_skip(calendar, True, "quarterly", date(2027, 6, 30)) or ""
    assert text.startswith("the quarterly run of Wed 2027-06-30 is skipped: Income taxes")
    assert scheduled_skip(calendar, False, "quarterly", date(2027, 6, 30)) is None
