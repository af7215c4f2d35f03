"""Watches the thresholds while the load is sent, with or without a Prometheus server: log, alerts.json, the outbox.

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
from typing import TYPE_CHECKING, Any

from include.loadtest import run
from include.loadtest.errors import printable
from include.loadtest.live.watch import Alert, Watch
from include.loadtest.orchestration.context import RunContext
from include.loadtest.orchestration.deliveries import harmless, put
from include.loadtest.orchestration.live_file import ShownLoad
from include.loadtest.profile.thresholds import LIVE_METRICS, load_thresholds
from include.loadtest.publishing.message import Message, alert_message
from include.loadtest.publishing.slack_rows import reply_row
from include.loadtest.reporting.alerts import alert_text

if TYPE_CHECKING:
    from include.loadtest.live.tail import LiveRun

LOG = logging.getLogger("loadtest")
POLL_S = 2.0
WATCH_JOIN_S, OUTBOX_JOIN_S = 30.0, 3.0
"""How long the stage waits for the last look, which only reads files, and then for rows that are under way."""
MAX_MESSAGES = 20
"""A figure that swings around its limit must not fill the channel; the log and alerts.json go on."""


@contextmanager
def live_watch(context: RunContext) -> Iterator[None]:
    """Watch for the length of a block; the last parts that were closed in it are looked at, too."""
    watcher = LiveWatcher(context, ShownLoad(context))
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
    shown: ShownLoad
    ended: threading.Event = field(default_factory=threading.Event)
    fault: str | None = None
    _told: set[str] = field(default_factory=set)

    def run(self) -> None:
        """Poll until the load has ended, then once more; alerts.json is there in the end. Raises nothing."""
        try:
            from include.loadtest.live.tail import LiveRun  # pyarrow, which stages without a load do without

            thresholds = load_thresholds()
            live = LiveRun(self.context.bundle, thresholds)
            watch = Watch(thresholds.live, shares_host=self.context.target.shares_host)
        except Exception as error:  # noqa: BLE001 - the load goes on, whatever is wrong with its watch
            self._note(error)
            self._write(not_watched(self.fault))
            return
        self.shown.begin(thresholds)
        channel = _Channel(self.context)
        is_last = False
        while not is_last:
            is_last = self.ended.wait(POLL_S)
            try:
                self._look(live, watch, channel)
            except Exception as error:  # noqa: BLE001 - as above
                self._note(error)
        self._write(document(watch, self.fault))
        self.shown.ended(live, alert_entries(watch))
        channel.close()

    def _look(self, live: "LiveRun", watch: Watch, channel: "_Channel") -> None:
        now_s = time.time()
        live.poll(now_s)
        changed = watch.update(now_s, live.figures(now_s))
        for alert in changed:
            LOG.warning("%s", _line(alert))
        if changed:
            self._write(document(watch, self.fault))
        for alert in changed:
            channel.tell(alert)
        self.shown.look(live, alert_entries(watch))

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
    return {"schema": 1, "alerts": alert_entries(watch), "without_data": watch.without_data, "fault": fault}


def alert_entries(watch: Watch) -> list[dict[str, Any]]:
    """The alerts that have begun, in order."""
    return [_entry(alert) for alert in watch.alerts]


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
    """Slack's thread of this run: the beginning and the end of each alert is a reply. Webhooks have no threads.

    What is for information only is not told. A thread of its own puts the rows into the outbox, one after the other: a
    history database that hangs holds up no look at the thresholds. They are delivered beside the load.
    """

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._told = 0
        self._waiting: queue.Queue[tuple[str, Message] | None] = queue.Queue(MAX_MESSAGES + 1)  # and the end
        self._writer: threading.Thread | None = None
        if _has_thread(context):
            self._writer = threading.Thread(target=self._write, name="live-watch-outbox", daemon=True)
            self._writer.start()

    def tell(self, alert: Alert) -> None:
        """Have the beginning or end of an alert told; waits for nothing."""
        if self._writer is None or alert.shared_host or self._told == MAX_MESSAGES:
            return
        self._told += 1
        run_id = self._context.bundle.run_id
        message = alert_message(_entry(alert), run_id=run_id, target=self._context.target_name, link=self._context.link)
        edge = "begin" if alert.until_s is None else "end"
        self._waiting.put_nowait((f"alert-{self._told}-{alert.threshold.id}-{edge}", message))

    def close(self) -> None:
        """Wait a little for what is under way."""
        if self._writer is None:
            return
        self._waiting.put_nowait(None)
        self._writer.join(OUTBOX_JOIN_S)
        if self._writer.is_alive():
            LOG.warning("the outbox has not taken all alerts of this load; alerts.json and the log have them")

    def _write(self) -> None:
        while (told := self._waiting.get()) is not None:
            with harmless("an alert is not in Slack"):
                put(self._context, reply_row(self._context.bundle.run_id, *told))


def _has_thread(context: RunContext) -> bool:
    """Also where Airflow cannot say what is set up: thresholds are watched without Slack, too."""
    with harmless("no alerts of this load in Slack"):
        return context.services.has_thread
    return False
