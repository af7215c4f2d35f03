"""Starts the collectors beside a load, and ends them."""

import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from include.loadtest.bundle import Bundle
from include.loadtest.collectors.plan import (
    DATABASE_VARIABLE,
    REDIS_VARIABLE,
    AppSource,
    CollectorPlan,
    HostSource,
    ServerSource,
)
from include.loadtest.collectors.schedule import Gap, write_gaps
from include.loadtest.machine import child_environment
from include.loadtest.recorder import READING_INTERVAL_S

STOP_TIMEOUT_S = 15.0
PLAN_FILE = "collectors.json"
LOG_FILE = "collectors.log"
ROOT = Path(__file__).parents[3]


class Monitored(Protocol):
    """What the collectors need to know of a target."""

    @property
    def base_url(self) -> str | None:
        """Address of the application, without credentials; None where nothing of it is to be read."""

    def url(self, path: str) -> str:
        """Address of an API path."""

    @property
    def database_url(self) -> str | None:
        """Address of its PostgreSQL, None where not configured."""

    @property
    def redis_url(self) -> str | None:
        """Address of its Redis, None where not configured."""

    @property
    def shares_host(self) -> bool:
        """Whether it runs on this machine."""


@dataclass(frozen=True)
class CollectorProcess:
    """The running collectors; their log is `collectors.log` in the bundle."""

    process: subprocess.Popen[bytes]
    plan: CollectorPlan
    _started_s: float = field(default_factory=time.time)

    @property
    def pid(self) -> int:
        """Process id, which is in the names of the parts."""
        return self.process.pid

    def stop(self) -> int:
        """Let them write the last part and end; the exit code. One that does not end is killed.

        Where they did not end as they should, what they had not written yet is a gap of every source.
        """
        with suppress(ProcessLookupError):
            self.process.terminate()
        try:
            code = self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if code != 0:
            self._note_end(code)
        return code

    def _note_end(self, code: int) -> None:
        directory, now_s = self.plan.resources_dir, time.time()
        gaps = []
        for source in self.plan.sources:
            parts = directory.glob(f"{source}-{self.pid}-*.parquet")
            last_s = max((part.stat().st_mtime for part in parts), default=self._started_s)
            missed = int((now_s - last_s) / self.plan.interval_s)
            gaps.append(Gap(source, last_s, f"the collectors ended with exit code {code}", now_s, missed))
        directory.mkdir(parents=True, exist_ok=True)
        write_gaps(directory / f"gaps-{self.pid}-end.json", gaps)


def start_collectors(bundle: Bundle, target: Monitored, *, interval_s: float = READING_INTERVAL_S) -> CollectorProcess:
    """Start reading this machine, the target's application and its configured servers, every `interval_s` seconds.

    This machine's readings carry the source `host` where the target runs here too, else `generator`: they say nothing
    about the target then. The collectors end with the calling process at the latest.
    """
    here = socket.gethostname()
    plan = CollectorPlan(
        resources_dir=bundle.resources_dir.absolute(),
        interval_s=interval_s,
        parent_pid=os.getpid(),
        host=HostSource(source="host" if target.shares_host else "generator", instance=here),
        postgres=_server(target.database_url, DATABASE_VARIABLE, here),
        redis=_server(target.redis_url, REDIS_VARIABLE, here),
        app=_app(target, here),
    )
    bundle.write_text(PLAN_FILE, plan.model_dump_json(indent=2) + "\n")
    urls = {DATABASE_VARIABLE: target.database_url, REDIS_VARIABLE: target.redis_url}
    secrets = {name: url for name, url in urls.items() if url}
    environment = {**child_environment(), "PYTHONPATH": str(ROOT), **secrets}
    command = [sys.executable, "-m", "include.loadtest.collectors", "--plan", str((bundle.path / PLAN_FILE).absolute())]
    with (bundle.path / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    return CollectorProcess(process, plan)


def _app(target: Monitored, here: str) -> AppSource | None:
    if target.base_url is None:
        return None
    urls = (f"{target.base_url}/metrics", target.url("/monitoring/metrics"))
    return AppSource(instance=_instance(target.base_url) or here, urls=urls)


def _server(url: str | None, variable: str, here: str) -> ServerSource | None:
    if url is None:
        return None
    return ServerSource(instance=_instance(url) or here, url_variable=variable)


def _instance(url: str) -> str | None:
    """`host:port` of a URL; None for a server that is reached by a socket of this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    return f"{host}:{port}" if host and port else host
