"""Earlier runs on the page, and how long the weekly suite has owed a verdict."""

from datetime import UTC, datetime, timedelta

import pytest

from include.loadtest.calendar import load_calendar, scheduled_skip
from include.loadtest.errors import ConfigError
from include.loadtest.history.latest import LatestRun, VerdictTime
from include.loadtest.history.upkeep import SuiteVerdict
from include.loadtest.orchestration.housekeeping_switch import Nights, judge_silence
from include.loadtest.profile.thresholds import load_thresholds
from include.loadtest.publishing import history_page as module
from include.loadtest.publishing.exposition_page import page
from include.loadtest.publishing.history_page import History, history_families, silence_start
from include.loadtest.verdict import Verdict

pytestmark = pytest.mark.unit
SUNDAY = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def lines(history: History) -> list[str]:
    return [line for line in page(history_families(history)).splitlines() if not line.startswith("#")]


def test_the_last_run_of_each_profile_is_told_with_its_figures() -> None:
    """Verdict, time by suite, metrics in their own units."""
    run = LatestRun("smoke", "demo", "WARN", {"latency_p95_ms": 812.5})
    history = History([run], [VerdictTime("smoke", "demo", "weekly", SUNDAY)], "demo", SUNDAY)
    assert lines(history) == [
        "loadtest_history_up 1",
        "loadtest_configuration_ok 1",
        'loadtest_verdict{profile="smoke",target="demo",verdict="WARN"} 1',
        f'loadtest_verdict_timestamp_seconds{{profile="smoke",target="demo",suite="weekly"}} {int(SUNDAY.timestamp())}',
        'loadtest_metric{profile="smoke",target="demo",metric="latency_p95_ms"} 812.5',
        f'loadtest_weekly_silence_start_timestamp_seconds{{target="demo"}} {int(SUNDAY.timestamp())}',
    ]


def test_a_history_that_is_away_tells_nothing_else() -> None:
    """Above all no old verdicts as if they were of now."""
    assert lines(History(is_up=False)) == ["loadtest_history_up 0"]


def test_a_faulty_configuration_is_told_apart_from_a_history_that_is_away() -> None:
    """The verdicts are known then, only the silence is not."""
    assert lines(History()) == ["loadtest_history_up 1", "loadtest_configuration_ok 0"]


@pytest.mark.parametrize("days", [0.1, 0.5, 6])
def test_silence_counts_from_the_verdict(days: float) -> None:
    """One by hand within the week counts, too: the next start is a week or less away."""
    since = SUNDAY + timedelta(days=days)
    assert silence_start(since, load_calendar(), has_blackouts=False) == since


@pytest.mark.parametrize("has_blackouts", [True, False])
def test_it_is_over_the_limit_exactly_when_the_dead_mans_switch_alarms(has_blackouts: bool) -> None:
    """Through a year, hour by hour around each limit, skipped nights included."""
    calendar, days = load_calendar(), load_thresholds().silence_days
    nights, alarms = Nights(calendar, has_blackouts), 0
    for week in range(52):
        last = SUNDAY + timedelta(weeks=week)
        for hours in (24, 7 * 24, 8 * 24 - 1, 8 * 24 + 1, 9 * 24, 15 * 24 - 2, 15 * 24 + 1, 22 * 24 + 1):
            now = last + timedelta(hours=hours)
            finding = judge_silence(SuiteVerdict("weekly-1", Verdict.PASS, last), SUNDAY, days, now, nights)
            silence = now - silence_start(last, calendar, has_blackouts=has_blackouts)
            assert (silence > timedelta(days=days)) is finding.alarm, (last, now, finding.text)
            alarms += finding.alarm
    assert alarms > 52


def test_a_night_that_the_calendar_skips_owes_no_verdict() -> None:
    """The one in this year's calendar is found, so that the test above has met one: silence counts a week later."""
    calendar = load_calendar()
    sundays = [SUNDAY + timedelta(weeks=week) for week in range(52)]
    skipped = [day for day in sundays if scheduled_skip(calendar, True, "weekly", day.date())]
    assert skipped
    before = skipped[0] - timedelta(days=6)
    started = silence_start(before, calendar, has_blackouts=True)
    assert skipped[0] - timedelta(hours=6) < started < skipped[0] + timedelta(hours=6)
    assert silence_start(before, calendar, has_blackouts=False) == before


def test_a_calendar_without_free_nights_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no long silence."""
    monkeypatch.setattr(module, "scheduled_skip", lambda *_: "skipped")
    with pytest.raises(ConfigError, match="all nights of the weekly suite"):
        silence_start(SUNDAY, load_calendar(), has_blackouts=True)
