"""What the history says of the last runs, as families of Prometheus' text format. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.loadtest.calendar import Calendar, scheduled_skip
from include.loadtest.history.latest import LatestRun, VerdictTime
from include.loadtest.profile.suites import Cadence
from include.loadtest.publishing.exposition_page import Family, Line

WEEKLY: Cadence = "weekly"
CYCLE = timedelta(days=7)
VERDICT, METRIC, SILENCE = "loadtest_verdict", "loadtest_metric", "loadtest_weekly_silence_seconds"
VERDICT_TIME, HISTORY_UP = "loadtest_verdict_timestamp_seconds", "loadtest_history_up"


@dataclass(frozen=True)
class History:
    """What was read of the history at one moment; `silence_s`: see `weekly_silence`, None where it is not known."""

    latest: Sequence[LatestRun] = ()
    times: Sequence[VerdictTime] = ()
    target: str = ""
    silence_s: float | None = None
    is_up: bool = True


def weekly_silence(since: datetime, now: datetime, calendar: Calendar, *, has_blackouts: bool) -> timedelta:
    """How long the weekly suite has owed a verdict, counted from a week before the first start that gave none.

    `since`: its last verdict, or the installation. A start that the calendar skipped owes nothing, so silence after it
    is none: so does the daily dead man's switch judge it. Raises ConfigError for a calendar without free nights.
    """
    starts = (slot for slot in calendar.slots(WEEKLY, since.date(), now.date()) if since < slot.start <= now)
    due = (slot.start for slot in starts if scheduled_skip(calendar, has_blackouts, WEEKLY, slot.night) is None)
    first = next(due, None)
    return timedelta(0) if first is None else now - max(since, first - CYCLE)


def history_families(history: History) -> list[Family]:
    """Verdict, its time and the figures of the last run of each profile; nothing but the 0 where it cannot be read."""
    return [
        Family(HISTORY_UP, "gauge", "Whether the history database answered.", [Line({}, int(history.is_up))]),
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
            *(SILENCE, "gauge", "How long the weekly suite has owed a verdict; skipped nights owe none."),
            [] if history.silence_s is None else [Line({"target": history.target}, history.silence_s)],
        ),
    ]


def _of(run: LatestRun | VerdictTime) -> dict[str, str]:
    return {"profile": run.profile, "target": run.target}
