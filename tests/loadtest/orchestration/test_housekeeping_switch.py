"""The dead man's switch, date by date on the committed calendar."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from include.loadtest.calendar.loading import CALENDAR_FILE, read_calendar
from include.loadtest.history.upkeep import SuiteVerdict
from include.loadtest.orchestration.housekeeping_switch import Finding, Nights, judge_lost, judge_silence
from include.loadtest.verdict import Verdict

pytestmark = pytest.mark.unit
INSTALLED = datetime(2026, 1, 1, tzinfo=UTC)
CALENDAR = read_calendar(CALENDAR_FILE)


def verdict_at(month: int, day: int, hour: int = 3, verdict: Verdict = Verdict.PASS) -> SuiteVerdict:
    return SuiteVerdict(f"weekly-{month:02}{day:02}", verdict, datetime(2026, month, day, hour, tzinfo=UTC))


def judged(
    last: SuiteVerdict | None, month: int, day: int, installed: datetime = INSTALLED, *, blackouts: bool = True
) -> Finding:
    """What the housekeeping says at 05:30 UTC of a day of 2026; eight days of silence are borne."""
    now = datetime(2026, month, day, 5, 30, tzinfo=UTC)
    return judge_silence(last, installed, 8, now, Nights(CALENDAR, blackouts))


def test_a_missed_sunday_alarms_on_the_monday_after_it() -> None:
    """Sunday 25 January 2026 had a verdict, Sunday 1 February had none."""
    last = verdict_at(1, 25)
    assert [judged(last, 2, day).alarm for day in (1, 2, 3)] == [False, True, True]
    text = judged(last, 2, 2).text
    assert text.startswith("no weekly verdict for more than 8 days: the last weekly verdict is PASS of weekly-0125")
    assert "2026-01-25 03:00 UTC; that is 8.1 days; due was Sun 2026-02-01. Look whether load_test_weekly" in text
    assert "\n" not in text


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.SLA_BREACH, Verdict.ABORTED])
def test_any_verdict_is_a_sign_of_life_and_is_named(verdict: Verdict) -> None:
    """What is watched is that the suite runs, not what it finds."""
    finding = judged(verdict_at(1, 25, verdict=verdict), 1, 29)
    assert finding == Finding(
        False,
        f"the last weekly verdict is {verdict} of weekly-0125, 2026-01-25 03:00 UTC; that is 4.1 days, and the alarm "
        "comes after 8",
    )


def test_a_new_installation_has_time_for_its_first_suite() -> None:
    """Installed on Wednesday 21 January: the first Sunday was missed, so the alarm comes eight days later."""
    installed = datetime(2026, 1, 21, 9, 0, tzinfo=UTC)
    assert not judged(None, 1, 29, installed).alarm
    finding = judged(None, 1, 30, installed)
    assert finding.alarm
    assert "no weekly suite has come to a verdict, and the history is kept since 2026-01-21 09:00 UTC" in finding.text


def test_an_old_verdict_does_not_alarm_right_after_an_installation() -> None:
    """A history that was moved: the later of both counts, and the line says both."""
    finding = judged(verdict_at(1, 4), 1, 29, datetime(2026, 1, 26, tzinfo=UTC))
    assert not finding.alarm
    assert "but the history is kept since 2026-01-26 00:00 UTC; that is 3.2 days" in finding.text


def test_a_sunday_that_the_calendar_skipped_is_silence_as_planned() -> None:
    """Sunday 15 February 2026 is the night before F24 day: green until the next Sunday has been missed as well."""
    last = verdict_at(2, 8)
    assert [judged(last, 2, day).alarm for day in (16, 17, 22, 23)] == [False, False, False, True]
    green, red = judged(last, 2, 17).text, judged(last, 2, 23).text
    assert "as planned: the weekly run of Sun 2026-02-15 is skipped: " in green
    assert "due was Sun 2026-02-22. Look whether" in red
    assert ". By the calendar the weekly run of Sun 2026-02-15 is skipped: " in red


def test_two_skipped_sundays_in_a_row_do_not_alarm(tmp_path: Path) -> None:
    """A window of the calendar's file, here over the turn from February to March; F24 day takes the third Sunday."""
    own = tmp_path / "calendar.yaml"
    text = re.sub(r"(?m)^extra:.*", "", CALENDAR_FILE.read_text(encoding="utf-8"))
    own.write_text(f"{text}\nextra:\n  - {{from: 2026-03-01, to: 2026-03-09, reason: move}}\n", encoding="utf-8")
    nights = Nights(read_calendar(own), has_blackouts=True)
    last = verdict_at(2, 22)
    found = [
        judge_silence(last, INSTALLED, 8, datetime(2026, 3, day, 5, 30, tzinfo=UTC), nights) for day in (10, 14, 16)
    ]
    assert [finding.alarm for finding in found] == [False, False, False]
    assert "Sun 2026-03-01 is skipped: " in found[2].text
    assert "Sun 2026-03-08 is skipped: " in found[2].text
    assert "Sun 2026-03-15 is skipped: " in found[2].text, "the night before an F24 day"
    assert judge_silence(last, INSTALLED, 8, datetime(2026, 3, 23, 5, 30, tzinfo=UTC), nights).alarm


def test_on_a_target_without_blackouts_the_calendar_excuses_no_silence() -> None:
    """The suite starts there on such nights too."""
    assert judged(verdict_at(2, 8), 2, 17, blackouts=False).alarm


def test_a_suite_that_gave_way_to_a_larger_one_is_excused_everywhere() -> None:
    """On Sunday 31 December 2028 the quarterly suite has the night."""
    last = SuiteVerdict("weekly-1224", Verdict.PASS, datetime(2028, 12, 24, 3, tzinfo=UTC))
    now = datetime(2029, 1, 2, 5, 30, tzinfo=UTC)
    finding = judge_silence(last, INSTALLED, 8, now, Nights(CALENDAR, False))
    assert not finding.alarm
    assert "Sun 2028-12-31 is skipped: the quarterly run has the night" in finding.text


def test_a_long_silence_is_still_one_line() -> None:
    """The latest nights are named, the earlier ones counted."""
    now = INSTALLED + timedelta(days=365)
    finding = judge_silence(None, INSTALLED, 8, now, Nights(CALENDAR, True))
    assert finding.alarm
    assert len(finding.text) < 2500
    assert " before" in finding.text


def lost(last: SuiteVerdict | None, month: int, day: int, installed: datetime = INSTALLED) -> Finding:
    """What the housekeeping says of the monthly suite at 05:30 UTC of a day of 2026; told for eight days."""
    now = datetime(2026, month, day, 5, 30, tzinfo=UTC)
    return judge_lost(last, installed, 8, now, Nights(CALENDAR, True), cadence="monthly")


def test_a_lost_night_of_a_larger_suite_alarms_for_some_days() -> None:
    """The monthly night of 6 July 2026 came to nothing: from the next morning on; after eight days only a line."""
    last = verdict_at(6, 2, 5)
    found = {day: lost(last, 7, day) for day in (6, 7, 13, 14)}
    assert [day for day, finding in found.items() if finding.alarm] == [7, 13]
    assert found[7].text.startswith(
        "the monthly suite that was due on Mon 2026-07-06 has come to no verdict: the last monthly verdict is PASS of "
    )
    assert found[14].text == found[7].text
    assert "trigger load_test_monthly by hand" in found[7].text


def test_a_larger_suite_with_a_verdict_or_younger_history_has_lost_nothing() -> None:
    """One that a person has started later makes up for its night; what was due before the installation never ran."""
    assert not lost(verdict_at(7, 8, 9, Verdict.INCONCLUSIVE), 7, 9).alarm
    assert not lost(None, 7, 7, datetime(2026, 7, 6, 9, tzinfo=UTC)).alarm
    assert lost(None, 7, 7).text.count("no monthly suite has come to a verdict") == 1


def test_a_larger_night_that_the_calendar_takes_away_later_is_no_loss(tmp_path: Path) -> None:
    """A night is looked up in the calendar of now, which has moved it."""
    own = tmp_path / "calendar.yaml"
    text = re.sub(r"(?m)^extra:.*", "", CALENDAR_FILE.read_text(encoding="utf-8"))
    own.write_text(f"{text}\nextra:\n  - {{from: 2026-07-06, to: 2026-07-08, reason: move}}\n", encoding="utf-8")
    now = datetime(2026, 7, 8, 5, 30, tzinfo=UTC)
    nights = Nights(read_calendar(own), True)
    assert not judge_lost(verdict_at(6, 2, 5), INSTALLED, 8, now, nights, cadence="monthly").alarm
