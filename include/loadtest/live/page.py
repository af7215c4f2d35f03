"""What the page of a running load shows, as a bounded document: figures of now, their limits, their history. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.live.history import History
from include.loadtest.live.page_figures import (
    ENDED,
    MAIN,
    PLANNED,
    RESOURCES,
    Figures,
    Moment,
    Row,
    known_figures,
)
from include.loadtest.live.requests import RATE_WINDOW_S
from include.loadtest.profile import Profile, Stage
from include.loadtest.profile.thresholds import Thresholds

if TYPE_CHECKING:
    from include.loadtest.live.tail import LiveRun  # pyarrow, which a stage without a load does without

MAX_ALERTS = 50
MAX_SCENARIOS = 40

Alerts = Sequence[Mapping[str, Any]]
"""Entries of alerts.json, in the order in which they began."""


class LoadPage:
    """Follows one load, look by look. Times in seconds since the epoch."""

    def __init__(self, profile: Profile, thresholds: Thresholds, *, shares_host: bool) -> None:
        self._profile, self._thresholds = profile, thresholds
        self._stages = profile.stages()
        self._figures = Figures(profile, thresholds, shares_host=shares_host)
        self._history = History()

    def look(self, live: "LiveRun", now_s: float, alerts: Alerts) -> Row:
        """The document of now, which goes into the history."""
        known = known_figures(live, now_s)
        offset_s = None if live.began_s is None else now_s - live.began_s
        stage = None if offset_s is None else self._stage_at(offset_s)
        moment = Moment(live, now_s, stage.phase if stage else None, known)
        planned = self._figures.planned_users(moment)
        if known:
            self._history.note(now_s, known if planned is None else {**known, PLANNED: planned})
        left_s = None if offset_s is None else max(0.0, self._profile.load_s - offset_s)
        return self._document(live, alerts) | {
            "at": _utc(now_s),
            "ended": None,
            "left_s": _tenth(left_s),
            "may_end_sooner": self._profile.checks is not None,
            "phase": None if stage is None or offset_s is None else _phase(stage, offset_s),
            "figures": [self._figures.row(key, moment) for key in MAIN],
            "resources": [self._figures.row(key, moment) for key in RESOURCES],
        }

    def ended(self, live: "LiveRun", now_s: float, alerts: Alerts) -> Row:
        """The document that stays after the load: no figure is of now any more."""
        moment = Moment(live, now_s, None, {})
        gone = {"why": ENDED, "planned": None}
        return self._document(live, alerts) | {
            "at": _utc(now_s),
            "ended": _utc(now_s),
            "left_s": None,
            "may_end_sooner": False,
            "phase": None,
            "figures": [self._figures.row(key, moment) | gone for key in MAIN],
            "resources": [self._figures.row(key, moment) | gone for key in RESOURCES],
        }

    def _document(self, live: "LiveRun", alerts: Alerts) -> Row:
        """What is the same while the load is sent and after it."""
        began_s = live.began_s
        return {
            "began": None if began_s is None else _utc(began_s),
            "until": None if began_s is None else _utc(began_s + self._profile.load_s),
            "phases": [] if began_s is None else [_span(stage, began_s) for stage in self._stages],
            "window_s": self._thresholds.window_s,
            "rate_window_s": RATE_WINDOW_S,
            "requests": _requests(live),
            "alerts": [dict(alert) for alert in alerts[-MAX_ALERTS:]],
            "alerts_left_out": max(0, len(alerts) - MAX_ALERTS),
            "unreadable_parts": live.unreadable,
            "history": self._history.document(),
        }

    def _stage_at(self, offset_s: float) -> Stage | None:
        """The stage of the shape at an offset from the first intended start; None after the last one."""
        return next((stage for stage in self._stages if offset_s < stage.end_s), None)


def closed(load: Mapping[str, Any]) -> Row:
    """A load's document after its process has gone: its last look stays as totals and history, none of it is of now.

    A process that was killed could not write the load's end: what is known of that is its last sign of life.
    """
    if load["ended"] is not None:
        return dict(load)
    return dict(load) | {
        "ended": load["at"],
        "left_s": None,
        "may_end_sooner": False,
        "phase": None,
        "figures": [_gone(row) for row in load["figures"]],
        "resources": [_gone(row) for row in load["resources"]],
    }


def _gone(row: Mapping[str, Any]) -> Row:
    limits = [limit | {"beyond": False} for limit in row["limits"]]
    return dict(row) | {"value": None, "text": None, "why": ENDED, "planned": None, "limits": limits}


def _phase(stage: Stage, offset_s: float) -> Row:
    return {"name": stage.phase, "stage": stage.name, "left_s": _tenth(stage.end_s - max(offset_s, 0.0))}


def _span(stage: Stage, began_s: float) -> Row:
    """A stage as it is planned."""
    start, end = _utc(began_s + stage.start_s), _utc(began_s + stage.end_s)
    return {"name": stage.phase, "stage": stage.name, "start": start, "end": end}


def _requests(live: "LiveRun") -> Row:
    """Totals since the load began; `cut`: those that were under way when it ended."""
    by_scenario: dict[str, Counter[str]] = {}
    for (scenario, outcome), count in live.requests.totals.items():
        by_scenario.setdefault(scenario, Counter())[outcome] += count
    largest = sorted(by_scenario.items(), key=lambda own: (-own[1].total(), own[0]))
    total = sum(by_scenario.values(), Counter[str]())
    scenarios = [{"scenario": name} | _counts(counts) for name, counts in largest[:MAX_SCENARIOS]]
    return _counts(total) | {"scenarios": scenarios}


def _counts(outcomes: Counter[str]) -> Row:
    cut, good = outcomes["censored"], outcomes["ok"]
    return {"n": outcomes.total(), "ok": good, "failed": outcomes.total() - good - cut, "cut": cut}


def _utc(moment_s: float) -> str:
    return run.utc_text(datetime.fromtimestamp(moment_s, UTC))


def _tenth(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
