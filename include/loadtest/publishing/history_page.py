"""What the history says of the last runs, as families of Prometheus' text format. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.loadtest.calendar import Calendar, scheduled_skip
from include.loadtest.errors import ConfigError
from include.loadtest.history.latest import LatestRun, VerdictTime
from include.loadtest.profile.suites import Cadence
from include.loadtest.publishing.exposition_page import Family, Line

WEEKLY: Cadence = "weekly"
CYCLE = timedelta(days=7)
LOOK_AHEAD = timedelta(days=60)
"""A start that counts is found within that: neither blackouts nor larger runs take every week for so long."""
VERDICT, METRIC, VERDICT_TIME = "loadtest_verdict", "loadtest_metric", "loadtest_verdict_timestamp_seconds"
SILENCE_START = "loadtest_weekly_silence_start_timestamp_seconds"
HISTORY_UP, CONFIGURATION_OK = "loadtest_history_up", "loadtest_configuration_ok"


@dataclass(frozen=True)
class History:
    """What was read of the history at one moment.

    `silence_start`: see there; None where calendar or target file do not say it.
    """

    latest: Sequence[LatestRun] = ()
    times: Sequence[VerdictTime] = ()
    target: str = ""
    silence_start: datetime | None = None
    is_up: bool = True


def silence_start(since: datetime, calendar: Calendar, *, has_blackouts: bool) -> datetime:
    """From when on the silence of the weekly suite counts: its last verdict, or a week before its next start.

    `since`: the last verdict, or the installation. A start that the calendar skips owes no verdict, so the next one
    that is not skipped counts. Over a limit of a week or more the silence is exactly when the daily dead man's switch
    alarms. A moment, not a length: it stays right while the history cannot be asked. Raises ConfigError for a calendar
    without free nights.
    """
    starts = (slot for slot in calendar.slots(WEEKLY, since.date(), (since + LOOK_AHEAD).date()) if since < slot.start)
    for slot in starts:
        if scheduled_skip(calendar, has_blackouts, WEEKLY, slot.night) is None:
            return max(since, slot.start - CYCLE)
    raise ConfigError(f"calendar: all nights of the weekly suite are skipped for {LOOK_AHEAD.days} days")


def history_families(history: History) -> list[Family]:
    """Verdict, its time and the figures of the last run of each profile; nothing but the 0 where it cannot be read."""
    start = history.silence_start
    return [
        Family(HISTORY_UP, "gauge", "Whether the history database answered.", [Line({}, int(history.is_up))]),
        Family(
            *(CONFIGURATION_OK, "gauge", "Whether the calendar and the target's file say when a verdict is due."),
            [Line({}, int(start is not None))] if history.is_up else [],
        ),
        Family(
            *(VERDICT, "gauge", "1 for the verdict of the last run of a profile on a target."),
            [Line({**_of(run), "verdict": run.verdict}, 1) for run in history.latest],
        ),
        Family(
            *(VERDICT_TIME, "gauge", "When the last run with a verdict ended, by profile, target and suite."),
            [Line({**_of(time), "suite": time.suite}, time.at.timestamp()) for time in history.times],
        ),
        Family(
            *(
                METRIC,
                "gauge",
                "Figure of the last run of a profile: all requests of the hold, in the metric's own unit.",
            ),
            [
                Line({**_of(run), "metric": name}, value)
                for run in history.latest
                for name, value in run.metrics.items()
            ],
        ),
        Family(
            *(SILENCE_START, "gauge", "When the silence of the weekly suite began; skipped nights move it on."),
            [] if start is None else [Line({"target": history.target}, start.timestamp())],
        ),
    ]


def _of(run: LatestRun | VerdictTime) -> dict[str, str]:
    return {"profile": run.profile, "target": run.target}
