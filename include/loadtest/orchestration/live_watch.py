"""Watches the thresholds while the load is sent, with or without a Prometheus server: log, alerts.json, Slack's thread.

It runs in a thread of its own beside the load, and nothing that goes wrong in it reaches the load. It reads the parts
of the bundle as they are closed; it never touches the manifest, which the load's own stage writes.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.loadtest import run
from include.loadtest.errors import LoadTestError
from include.loadtest.live.tail import LiveRun
from include.loadtest.live.watch import Alert, Watch
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile.thresholds import Thresholds, load_thresholds
from include.loadtest.publishing.message import notice
from include.loadtest.publishing.slack import SlackSettings, send
from include.loadtest.reporting.alerts import alert_text

LOG = logging.getLogger("loadtest")
POLL_S = 2.0
JOIN_S = 3.0
"""A Slack that hangs must not hold up the stage."""
MAX_MESSAGES = 20
"""A figure that swings around its limit must not fill the channel; the log and alerts.json go on."""


@contextmanager
def live_watch(context: RunContext) -> Iterator[None]:
    """Watch for the length of a block; the last parts that were closed in it are looked at, too."""
    watcher = LiveWatcher(context)
    thread = threading.Thread(target=watcher.run, name="live-watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        watcher.ended.set()
        thread.join(JOIN_S)


@dataclass
class LiveWatcher:
    """What the thread does."""

    context: RunContext
    thresholds: Thresholds | None = None
    ended: threading.Event = field(default_factory=threading.Event)
    _told: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Poll until the load has ended, then once more. Raises nothing."""
        try:
            thresholds = self.thresholds or load_thresholds()
            live = LiveRun(self.context.bundle, thresholds)
            watch = Watch(thresholds.live, shares_host=self.context.target.shares_host)
            channel = _Channel(self.context)
        except Exception as error:  # noqa: BLE001 - the load goes on, whatever is wrong with its watch
            self._note(error)
            return
        is_last = False
        while not is_last:
            is_last = self.ended.wait(POLL_S)
            try:
                self._look(live, watch, channel, is_last=is_last)
            except Exception as error:  # noqa: BLE001 - as above
                self._note(error)

    def _look(self, live: LiveRun, watch: Watch, channel: "_Channel", *, is_last: bool) -> None:
        now_s = time.time()
        live.poll(now_s)
        changed = watch.update(now_s, live.figures(now_s))
        for alert in changed:
            LOG.warning("%s", _line(alert))
        if changed or is_last:
            self.context.bundle.write(run.ALERTS, document(watch))
        for alert in changed:
            try:
                channel.tell(alert)
            except LoadTestError as error:
                self._note(error)

    def _note(self, error: Exception) -> None:
        """Once each: the same fault comes again with every poll."""
        text = f"{type(error).__name__}: {error}"
        if text not in self._told:
            self._told.add(text)
            LOG.warning("the live watch of the thresholds failed, the load goes on: %s", text)


def document(watch: Watch) -> dict[str, Any]:
    """The content of alerts.json; `until` null: it was on when the load ended. `without_data`: was not watched."""
    return {"schema": 1, "alerts": [_entry(alert) for alert in watch.alerts], "without_data": watch.without_data}


def _entry(alert: Alert) -> dict[str, Any]:
    threshold = alert.threshold
    return {
        "id": threshold.id,
        "metric": threshold.metric,
        "value": alert.value,
        "limit": threshold.limit,
        "unit": threshold.unit,
        "severity": alert.severity,
        "since": _moment(alert.since_s),
        "until": None if alert.until_s is None else _moment(alert.until_s),
        "text": _text(alert),
        "page": threshold.page,
    }


def _text(alert: Alert) -> str:
    return alert_text(alert.threshold, alert.value, shared_host=alert.shared_host)


def _line(alert: Alert) -> str:
    """For the log and Slack: the beginning, or the end."""
    if alert.until_s is None:
        return f"alert {alert.threshold.id}: {_text(alert)}; what to do: {alert.threshold.page}"
    return f"alert {alert.threshold.id} is over after {alert.until_s - alert.since_s:.0f} s; worst: {_text(alert)}"


def _moment(moment_s: float) -> str:
    return run.utc_text(datetime.fromtimestamp(moment_s, UTC))


class _Channel:
    """Slack's thread of this run: its first alert is the parent, all further ones lie below it. Webhooks have none.

    What is for information only is not sent.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._parent: str | None = None
        self._sent = 0
        settings = context.slack_settings()
        self._settings: SlackSettings | None = settings if settings and settings.token and settings.channel else None

    def tell(self, alert: Alert) -> None:
        """Send the beginning or end of an alert. Raises InfrastructureError."""
        if self._settings is None or alert.shared_host or self._sent >= MAX_MESSAGES:
            return
        self._sent += 1
        mark = "🔔" if alert.until_s is None else "✅"
        title = f"{alert.threshold.id}: {self._context.bundle.run_id} on {self._context.target_name}"
        message = notice(title, _line(alert), self._context.link, mark)
        taken = send(self._settings, message, thread=self._parent)
        self._parent = self._parent or taken
