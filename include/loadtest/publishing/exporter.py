"""`python -m include.loadtest.publishing.exporter`: a page for Prometheus to scrape.

While a load runs, its own figures and the collectors' readings; always what the history says of the last runs.
`LOADTEST_EXPORTER_ADDRESS` (127.0.0.1:9646) is where it listens, `LOADTEST_RESULTS_URI` the folder of the bundles,
`LOADTEST_HISTORY_URL` the history, `LOADTEST_DEFAULT_TARGET` the target whose weekly verdict is awaited.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.calendar import load_calendar
from include.loadtest.errors import ConfigError, LoadTestError
from include.loadtest.history.database import connect
from include.loadtest.history.latest import latest_runs, verdict_times
from include.loadtest.history.upkeep import installed_at, last_suite_verdict
from include.loadtest.live.tail import LiveRun
from include.loadtest.profile.thresholds import Thresholds, load_thresholds
from include.loadtest.publishing import (
    DEFAULT_TARGET_VARIABLE,
    EXPORTER_ADDRESS,
    EXPORTER_VARIABLE,
    HISTORY_VARIABLE,
    RESULTS_FOLDER,
    RESULTS_VARIABLE,
)
from include.loadtest.publishing.exposition_page import CONTENT_TYPE, page
from include.loadtest.publishing.history_page import WEEKLY, History, history_families, weekly_silence
from include.loadtest.publishing.live_page import RunningRun, live_families
from include.loadtest.target.settings import DEFAULT_TARGET, load_target_file

LOG = logging.getLogger("loadtest.exporter")
ROOT = Path(__file__).parents[3]
LIVE_EVERY_S, HISTORY_EVERY_S = 2.0, 15.0
RUNNING_WITHIN_S = 60.0
"""A load whose last part is older has ended, or was killed: parts are closed every few seconds."""
MAX_RUNS = 8
BAD_INPUT = 2


class Exporter:
    """Reads in the background, so that a scrape waits for no disk and no database."""

    def __init__(self, results: Path | None, thresholds: Thresholds, history_url: str | None, target: str) -> None:
        self._results, self._thresholds = results, thresholds
        self._history_url, self._target = history_url, target
        self._runs: dict[str, RunningRun] = {}
        self._history: History | None = None
        self._lock = threading.Lock()
        self._told: set[str] = set()

    def poll_live(self) -> None:
        """Find the loads that run now and take in what they have written since the last call."""
        if self._results is None:
            return
        running = {bundle.run_id: bundle for bundle in running_bundles(self._results, time.time())}
        # A load that has run for long is read up to now first: no scrape waits for that.
        new = {
            run_id: _opened(bundle, self._thresholds) for run_id, bundle in running.items() if run_id not in self._runs
        }
        with self._lock:
            self._runs = {run_id: own for run_id, own in {**self._runs, **new}.items() if run_id in running}
            for own in self._runs.values():
                own.live.poll()

    def poll_history(self) -> None:
        """Read the history anew; what it said before is not told again where it does not answer."""
        if self._history_url is None:
            return
        try:
            self._history = read_history(self._history_url, self._target, datetime.now(UTC))
        except LoadTestError as error:
            self._history = History(is_up=False)
            self._note(error)

    def page(self) -> str:
        """The page as it is now."""
        history = self._history
        with self._lock:
            families = live_families(list(self._runs.values()), time.time())
        return page([*families, *(history_families(history) if history else ())])

    def start(self) -> None:
        """Poll in the background from now on, as long as this process lives."""
        for poll, every_s in ((self.poll_live, LIVE_EVERY_S), (self.poll_history, HISTORY_EVERY_S)):
            threading.Thread(target=self._repeat, args=(poll, every_s), daemon=True).start()

    def _repeat(self, poll: Callable[[], None], every_s: float) -> None:
        while True:
            try:
                poll()
            except Exception as error:  # noqa: BLE001 - a bundle that vanishes while it is read must not end the page
                self._note(error)
            time.sleep(every_s)

    def _note(self, error: Exception) -> None:
        """Each fault once."""
        text = f"{type(error).__name__}: {error}"
        if text not in self._told:
            self._told.add(text)
            LOG.warning("%s", text)


def running_bundles(results: Path, now_s: float) -> Iterator[Bundle]:
    """Bundles below `results` whose load is being sent: parts come, and the manifest has no account of its end yet."""
    found = 0
    for folder in results.iterdir() if results.is_dir() else ():
        bundle = Bundle(folder)
        if run.RUN_ID_PATTERN.match(folder.name) and _last_part_s(bundle) > now_s - RUNNING_WITHIN_S:
            if bundle.has(run.MANIFEST) and "load" not in bundle.read(run.MANIFEST):
                found += 1
                yield bundle
            if found == MAX_RUNS:
                return


def _last_part_s(bundle: Bundle) -> float:
    """When a part was last closed; a folder's own time says so."""
    folders = (bundle.samples_dir, bundle.resources_dir)
    return max((folder.stat().st_mtime for folder in folders if folder.is_dir()), default=0.0)


def _opened(bundle: Bundle, thresholds: Thresholds) -> RunningRun:
    manifest = bundle.read(run.MANIFEST)
    target = manifest["target"]
    live = LiveRun(bundle, thresholds)
    live.poll()
    return RunningRun(live, manifest["profile"]["name"], target["name"], bool(target.get("shares_host")))


def read_history(url: str, target: str, now: datetime) -> History:
    """What the page says of the last runs. Raises LoadTestError where the history cannot be read."""
    engine = connect(url)
    last, since = last_suite_verdict(engine, WEEKLY, target), installed_at(engine)
    since = since if last is None else max(since, last.at)
    has_blackouts = load_target_file(target).blackouts
    silence = weekly_silence(since.astimezone(UTC), now, load_calendar(), has_blackouts=has_blackouts)
    return History(latest_runs(engine), verdict_times(engine), target, silence.total_seconds())


class _Handler(BaseHTTPRequestHandler):
    """Answers GET /metrics."""

    exporter: Exporter
    timeout = 10

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404, "the figures are at /metrics")
            return
        content = self.exporter.page().encode()
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing: a scrape every few seconds is no news."""


def server(exporter: Exporter, address: tuple[str, int]) -> ThreadingHTTPServer:
    """An HTTP server that listens; port 0 takes a free one. Raises OSError where the address is taken."""
    handler = type("Handler", (_Handler,), {"exporter": exporter})
    made = ThreadingHTTPServer(address, handler)
    made.daemon_threads = True
    return made


def address_of(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to listen on. Raises ConfigError."""
    text = environment.get(EXPORTER_VARIABLE) or EXPORTER_ADDRESS
    host, _, port = text.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"{EXPORTER_VARIABLE}: {text!r} is no address; write host:port, such as {EXPORTER_ADDRESS}")
    return host.strip("[]"), int(port)


def results_folder(environment: Mapping[str, str]) -> Path | None:
    """Where bundles are written while their load runs; None where they are kept on no disk of this machine."""
    text = environment.get(RESULTS_VARIABLE) or str(ROOT / RESULTS_FOLDER)
    if "://" in text and not text.startswith("file://"):
        return None
    return Path(text.removeprefix("file://"))


def main() -> int:
    """Serve until it is ended; exit code 2 for settings that make no sense."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    environment = os.environ
    try:
        exporter = Exporter(
            results_folder(environment),
            load_thresholds(),
            environment.get(HISTORY_VARIABLE) or None,
            environment.get(DEFAULT_TARGET_VARIABLE) or DEFAULT_TARGET,
        )
        address = address_of(environment)
        listening = server(exporter, address)
    except (ConfigError, OSError) as error:
        LOG.error("exporter: %s", error)
        return BAD_INPUT
    if not environment.get(HISTORY_VARIABLE):
        LOG.info("no %s: verdicts of earlier runs are not told", HISTORY_VARIABLE)
    if results_folder(environment) is None:
        LOG.info("%s is no folder of this machine: running loads are not told", RESULTS_VARIABLE)
    exporter.start()
    LOG.info("figures for Prometheus: http://%s:%d/metrics", address[0], listening.server_address[1])
    listening.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
