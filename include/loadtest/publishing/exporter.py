"""`python -m include.loadtest.publishing.exporter`: a page for Prometheus to scrape.

While a load runs, its own figures and the collectors' readings; always what the history says of the last runs.
`LOADTEST_EXPORTER_ADDRESS` (127.0.0.1:9646) is where it listens, `LOADTEST_RESULTS_URI` the folder of the bundles,
`LOADTEST_HISTORY_URL` the history, `LOADTEST_DEFAULT_TARGET` the target whose weekly verdict is awaited.
"""

import ipaddress
import logging
import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.calendar import load_calendar
from include.loadtest.errors import ConfigError, printable
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
from include.loadtest.publishing.history_page import WEEKLY, History, history_families, silence_start
from include.loadtest.publishing.live_page import RunningRun, live_families
from include.loadtest.target.settings import DEFAULT_TARGET, load_target_file

LOG = logging.getLogger("loadtest.exporter")
ROOT = Path(__file__).parents[3]
LIVE_EVERY_S, HISTORY_EVERY_S = 2.0, 15.0
RUNNING_WITHIN_S = 60.0
"""A load whose last part is older has ended, or was killed: parts are closed every few seconds."""
OLD_S = 60.0
"""What was read longer ago is not told as if it were of now: whoever reads it hangs."""
HISTORY_TIMEOUT_S = 5
"""To connect, and for each of the few statements."""
MAX_RUNS, MAX_CONNECTIONS = 8, 16
BAD_INPUT = 2

Note = Callable[[str, Exception], None]
"""Takes where something went wrong, and what."""


@dataclass(frozen=True)
class _Text:
    """A part of the page; `at_s`: when it was written, on the monotonic clock."""

    text: str
    at_s: float


class Exporter:
    """Reads and writes its page in the background, so that a scrape waits for no disk and no database."""

    def __init__(self, results: Path | None, thresholds: Thresholds, history_url: str | None, target: str) -> None:
        self._results, self._thresholds = results, thresholds
        self._history_url, self._target = history_url, target
        self._runs: dict[str, RunningRun] = {}
        self._live = _Text("", time.monotonic())
        self._history = _Text("", time.monotonic())
        self._told: set[tuple[str, str]] = set()

    def poll_live(self) -> None:
        """Find the loads that run now and take in what they have written; one that is broken hides no other."""
        if self._results is None:
            return
        opened, shown = {}, []
        for bundle in running_bundles(self._results, time.time(), self._note):
            try:
                own = self._runs.get(bundle.run_id) or _opened(bundle, self._thresholds)
                opened[bundle.run_id] = own  # also where its parts fail: nothing is read twice
                own.live.poll()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one bundle
                self._note(bundle.run_id, error)
            else:
                shown.append(own)
        self._runs = opened
        self._live = _Text(page(live_families(shown, time.time())), time.monotonic())

    def poll_history(self) -> None:
        """Read the history anew; what it said before is not told again where it does not answer."""
        if self._history_url is None:
            return
        try:
            history = read_history(self._history_url, self._target, self._note)
            self._told = {key for key in self._told if key[0] != "history"}  # told again when it is away again
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it: it is not known
            self._note("history", error)
            history = History(is_up=False)
        self._history = _Text(page(history_families(history)), time.monotonic())

    def page(self, now_s: float | None = None) -> str:
        """The page as it is now; `now_s`: on the monotonic clock, None: now."""
        since_s = (time.monotonic() if now_s is None else now_s) - OLD_S
        live = self._live.text if self._live.at_s >= since_s else ""
        if self._history_url is None or self._history.at_s >= since_s:
            return live + self._history.text
        return live + page(history_families(History(is_up=False)))

    def start(self) -> None:
        """Poll in the background from now on, as long as this process lives."""
        for poll, every_s in ((self.poll_live, LIVE_EVERY_S), (self.poll_history, HISTORY_EVERY_S)):
            threading.Thread(target=self._repeat, args=(poll, every_s), daemon=True).start()

    def _repeat(self, poll: Callable[[], None], every_s: float) -> None:
        while True:
            try:
                poll()
            except Exception as error:  # noqa: BLE001 - a folder that vanishes while it is read must not end the page
                self._note(poll.__name__, error)
            time.sleep(every_s)

    def _note(self, where: str, error: Exception) -> None:
        """Each fault once: it comes again with every poll."""
        if (key := (where, type(error).__name__)) not in self._told:
            self._told = {*self._told, key}
            LOG.warning("%s", printable(f"{where}: {key[1]}: {error}", 500))


def running_bundles(results: Path, now_s: float, note: Note) -> Iterator[Bundle]:
    """Bundles below `results` whose load is being sent: parts come, and the manifest has no account of its end yet."""
    found = 0
    for folder in results.iterdir() if results.is_dir() else ():
        bundle = Bundle(folder)
        try:
            is_running = _is_running(bundle, now_s)
        except (OSError, ValueError) as error:  # removed while it is looked at, or a manifest that is none
            note(folder.name, error)
            continue
        if is_running:
            found += 1
            yield bundle
        if found == MAX_RUNS:
            return


def _is_running(bundle: Bundle, now_s: float) -> bool:
    if not run.RUN_ID_PATTERN.match(bundle.run_id) or _last_part_s(bundle) <= now_s - RUNNING_WITHIN_S:
        return False
    return bundle.has(run.MANIFEST) and "load" not in bundle.read(run.MANIFEST)


def _last_part_s(bundle: Bundle) -> float:
    """When a part was last closed; a folder's own time says so."""
    folders = (bundle.samples_dir, bundle.resources_dir)
    return max((folder.stat().st_mtime for folder in folders if folder.is_dir()), default=0.0)


def _opened(bundle: Bundle, thresholds: Thresholds) -> RunningRun:
    manifest = bundle.read(run.MANIFEST)
    target = manifest["target"]
    live = LiveRun(bundle, thresholds)
    return RunningRun(live, manifest["profile"]["name"], target["name"], bool(target.get("shares_host")))


def read_history(url: str, target: str, note: Note) -> History:
    """What the page says of the last runs. Raises LoadTestError where the history cannot be read.

    A faulty calendar or target file is noted, and says nothing of the history: only the silence is then not known.
    """
    engine = connect(url, connect_timeout_s=HISTORY_TIMEOUT_S, statement_timeout_s=HISTORY_TIMEOUT_S)
    last, since = last_suite_verdict(engine, WEEKLY, target), installed_at(engine)
    since = since if last is None else max(since, last.at)
    found = History(latest_runs(engine), verdict_times(engine), target)
    try:
        has_blackouts = load_target_file(target).blackouts
        start = silence_start(since.astimezone(UTC), load_calendar(), has_blackouts=has_blackouts)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with these files, the history has answered
        note("configuration", error)
        return found
    return replace(found, silence_start=start)


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


class _Server(ThreadingHTTPServer):
    """Answers so many at a time; who comes then is hung up on."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], handler: type[_Handler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()


def server(exporter: Exporter, address: tuple[str, int]) -> ThreadingHTTPServer:
    """An HTTP server that listens; port 0 takes a free one. Raises OSError where the address cannot be listened on."""
    return _Server(address, type("Handler", (_Handler,), {"exporter": exporter}))


def address_of(environment: Mapping[str, str]) -> tuple[str, int]:
    """Host and port to listen on. Raises ConfigError."""
    text = environment.get(EXPORTER_VARIABLE) or EXPORTER_ADDRESS
    match = re.fullmatch(r"(?:\[([0-9a-fA-F:.%\w]+)\]|([^:\[\]\s]+)):([0-9]{1,5})", text)
    if not match or int(match[3]) > 65535:
        raise ConfigError(
            f"{EXPORTER_VARIABLE}: {text!r} is no address; write host:port, such as {EXPORTER_ADDRESS} or [::1]:9646"
        )
    return match[1] or match[2], int(match[3])


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
    if not is_loopback(address[0]):
        LOG.warning("%s: other machines reach the page with runs, hosts and figures, without a password", address[0])
    exporter.start()
    LOG.info("figures for Prometheus: http://%s/metrics", _shown(address[0], listening.server_address[1]))
    listening.serve_forever()
    return 0


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


if __name__ == "__main__":
    sys.exit(main())
