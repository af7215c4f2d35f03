"""A real Prometheus and Alertmanager beside the exporter, each on a free port of this machine, while a block runs."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from include.embedded.servers import free_port, listens, log_tail, wait_until
from include.embedded.state import CHECKOUT
from include.loadtest.publishing import EXPORTER_VARIABLE, HISTORY_VARIABLE, RESULTS_VARIABLE
from include.loadtest.publishing.alert_rules import main as write_rules

START_S, STOP_S = 60.0, 15.0
GROUP_WAIT_S = 1


@dataclass(frozen=True)
class Received:
    """One alert of a message to the webhook; `at_s`: when it came, seconds since the epoch."""

    at_s: float
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass
class Monitoring:
    """What runs; `received`: all alerts that the webhook was told of, in order."""

    exporter: str
    prometheus: str
    received: list[Received] = field(default_factory=list)

    def page(self) -> str:
        """What the exporter says now."""
        return httpx.get(f"http://{self.exporter}/metrics", trust_env=False, timeout=10).text

    def is_scraping(self) -> bool:
        """Whether Prometheus has read the exporter."""
        query = {"query": 'up{job="loadtest"}'}
        try:
            answer = httpx.get(f"http://{self.prometheus}/api/v1/query", params=query, trust_env=False, timeout=5)
            return bool(answer.json()["data"]["result"][0]["value"][1] == "1")
        except (httpx.HTTPError, LookupError, ValueError):
            return False

    def first(self, alert: str, run_id: str) -> Received | None:
        """The first time that somebody was told of an alert of a run."""
        own = (one for one in self.received if one.labels.get("alertname") == alert)
        return next((one for one in own if one.labels.get("run_id") == run_id and one.status == "firing"), None)


@contextmanager
def monitoring(folder: Path, results: Path, history_url: str) -> Iterator[Monitoring]:
    """Exporter, Prometheus, Alertmanager and a webhook that hears. Raises RuntimeError where one does not start."""
    exporter, prometheus, alertmanager = (f"127.0.0.1:{free_port()}" for _ in range(3))
    found = Monitoring(exporter, prometheus)
    with ExitStack() as stack:
        hook = stack.enter_context(_webhook(found))
        folder.mkdir(parents=True, exist_ok=True)
        url_file = folder / "webhook_url"
        url_file.touch(mode=0o600)
        url_file.write_text(hook, encoding="utf-8")
        addresses = ["--exporter", exporter, "--alertmanager", alertmanager, "--webhook-url-file", str(url_file)]
        write_rules(["--out", str(folder), *addresses, "--group-wait-s", str(GROUP_WAIT_S)])
        environment = {EXPORTER_VARIABLE: exporter, RESULTS_VARIABLE: str(results), HISTORY_VARIABLE: history_url}
        commands = {
            exporter: [sys.executable, "-m", "include.loadtest.publishing.exporter"],
            alertmanager: [
                *(_path("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml"),
                *(f"--storage.path={folder}/am", f"--web.listen-address={alertmanager}", "--cluster.listen-address="),
            ],
            prometheus: [
                *(_path("prometheus"), f"--config.file={folder}/prometheus.yml"),
                *(f"--storage.tsdb.path={folder}/tsdb", f"--web.listen-address={prometheus}"),
            ],
        }
        for address, command in commands.items():
            stack.enter_context(_running(command, address, folder, environment))
        if not wait_until(found.is_scraping, START_S, poll_s=0.25):
            raise RuntimeError("Prometheus does not reach the exporter")
        yield found


def _path(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise RuntimeError(f"{program} is not on this machine: `make system-deps` as root installs it")
    return found


@contextmanager
def _running(command: list[str], address: str, folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    log = folder / f"{Path(command[-1] if '-m' in command else command[0]).name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        if (
            not wait_until(lambda: process.poll() is not None or listens(address), START_S)
            or process.poll() is not None
        ):
            raise RuntimeError(f"{command[0]} did not start:\n{log_tail(log)}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _webhook(found: Monitoring) -> Iterator[str]:
    """The address of a receiver that notes what Alertmanager sends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            now_s = time.time()
            found.received += [
                Received(now_s, alert["status"], alert["labels"], alert["annotations"]) for alert in content["alerts"]
            ]
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing: standard output is for claims."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook"
    finally:
        server.shutdown()
        server.server_close()
