"""Watches the thresholds while the load is sent, with or without a Prometheus server: log, alerts.json, Slack's thread.

It runs in a thread of its own beside the load, and nothing that goes wrong in it reaches the load. It reads the parts
of the bundle as they are closed; it never touches the manifest, which the load's own stage writes.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.loadtest import run
from include.loadtest.errors import LoadTestError, printable
from include.loadtest.live.tail import LiveRun
from include.loadtest.live.watch import Alert, Watch
from include.loadtest.orchestration.context import RunContext
from include.loadtest.profile.thresholds import LIVE_METRICS, load_thresholds
from include.loadtest.publishing.message import Message, notice
from include.loadtest.publishing.slack import SlackSettings, send
from include.loadtest.reporting.alerts import alert_text

LOG = logging.getLogger("loadtest")
POLL_S = 2.0
WATCH_JOIN_S, SLACK_JOIN_S = 30.0, 3.0
"""How long the stage waits for the last look, which only reads files, and then for messages that are under way."""
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
        thread.join(WATCH_JOIN_S)


@dataclass
class LiveWatcher:
    """What the thread does. `fault`: the first thing that went wrong in it, so alerts may be missing."""

    context: RunContext
    ended: threading.Event = field(default_factory=threading.Event)
    fault: str | None = None
    _told: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Poll until the load has ended, then once more; alerts.json is there in the end. Raises nothing."""
        try:
            thresholds = load_thresholds()
            live = LiveRun(self.context.bundle, thresholds)
            watch = Watch(thresholds.live, shares_host=self.context.target.shares_host)
        except Exception as error:  # noqa: BLE001 - the load goes on, whatever is wrong with its watch
            self._note(error)
            self._write(not_watched(self.fault))
            return
        channel = _Channel(self.context)
        is_last = False
        while not is_last:
            is_last = self.ended.wait(POLL_S)
            try:
                self._look(live, watch, channel)
            except Exception as error:  # noqa: BLE001 - as above
                self._note(error)
        self._write(document(watch, self.fault))
        channel.close()

    def _look(self, live: LiveRun, watch: Watch, channel: "_Channel") -> None:
        now_s = time.time()
        live.poll(now_s)
        changed = watch.update(now_s, live.figures(now_s))
        for alert in changed:
            LOG.warning("%s", _line(alert))
        if changed:
            self._write(document(watch, self.fault))
        for alert in changed:
            channel.tell(alert)

    def _write(self, content: Mapping[str, Any]) -> None:
        try:
            self.context.bundle.write(run.ALERTS, content)
        except (OSError, ValueError) as error:
            self._note(error)

    def _note(self, error: Exception) -> None:
        """Once each: the same fault comes again with every poll."""
        text = printable(f"{type(error).__name__}: {error}", 500)
        self.fault = self.fault or text
        if text not in self._told:
            self._told.add(text)
            LOG.warning("the live watch of the thresholds failed, the load goes on: %s", text)


def document(watch: Watch, fault: str | None) -> dict[str, Any]:
    """The content of alerts.json; `until` null: it was on when the load ended. `without_data`: was not watched.

    `fault`: what went wrong in the watch itself, null for nothing.
    """
    alerts = [_entry(alert) for alert in watch.alerts]
    return {"schema": 1, "alerts": alerts, "without_data": watch.without_data, "fault": fault}


def not_watched(fault: str | None) -> dict[str, Any]:
    """alerts.json of a run that nothing could watch."""
    return {"schema": 1, "alerts": [], "without_data": sorted(LIVE_METRICS), "fault": fault}


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

    What is for information only is not sent. A thread of its own sends, one message after the other: a Slack that hangs
    holds up no look at the thresholds, and one that is set up wrongly costs a line in the log.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._parent: str | None = None
        self._told = 0
        self._waiting: queue.Queue[Message | None] = queue.Queue(MAX_MESSAGES + 1)  # and the end
        self._sender: threading.Thread | None = None
        settings = _thread_settings(context)
        if settings is not None:
            self._sender = threading.Thread(target=self._send, args=(settings,), name="live-watch-slack", daemon=True)
            self._sender.start()

    def tell(self, alert: Alert) -> None:
        """Have the beginning or end of an alert sent; waits for nothing."""
        if self._sender is None or alert.shared_host or self._told == MAX_MESSAGES:
            return
        self._told += 1
        mark = "🔔" if alert.until_s is None else "✅"
        title = f"{alert.threshold.id}: {self._context.bundle.run_id} on {self._context.target_name}"
        self._waiting.put_nowait(notice(title, _line(alert), self._context.link, mark))

    def close(self) -> None:
        """Wait a little for what is under way; what takes longer is sent as long as this process lives."""
        if self._sender is None:
            return
        self._waiting.put_nowait(None)
        self._sender.join(SLACK_JOIN_S)
        if self._sender.is_alive():
            LOG.warning("Slack has not taken all alerts of this load yet; alerts.json and the log have them")

    def _send(self, settings: SlackSettings) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                taken = send(settings, message, thread=self._parent)
                self._parent = self._parent or taken
            except Exception as error:  # noqa: BLE001 - the next message may get through
                LOG.warning("an alert is not in Slack: %s", error)


def _thread_settings(context: RunContext) -> SlackSettings | None:
    """Only a bot token can write into a thread; None where there is none, or where the connection is faulty."""
    try:
        settings = context.slack_settings()
    except Exception as error:  # noqa: BLE001 - thresholds are watched without Slack, too
        # Another's text may quote the connection.
        reason = error if isinstance(error, LoadTestError) else type(error).__name__
        LOG.warning("no alerts of this load in Slack: %s", reason)
        return None
    return settings if settings and settings.token and settings.channel else None
