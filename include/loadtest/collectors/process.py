"""Starts the collectors beside a load, and ends them."""

import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from include.loadtest.bundle import Bundle
from include.loadtest.collectors.gaps import Gap, write_gaps
from include.loadtest.collectors.places import instance_of, local_sources
from include.loadtest.collectors.plan import (
    DATABASE_VARIABLE,
    LLM_VARIABLE,
    PROMETHEUS_VARIABLE,
    REDIS_VARIABLE,
    AppSource,
    CollectorPlan,
    HostSource,
    PrometheusSource,
    ServerSource,
)
from include.loadtest.machine import child_environment
from include.loadtest.run import READING_INTERVAL_S

LOG = logging.getLogger("loadtest.collectors")
STOP_TIMEOUT_S = 15.0
PLAN_FILE = "collectors.json"
LOG_FILE = "collectors.log"
ROOT = Path(__file__).parents[3]


class Monitored(Protocol):
    """What the collectors need to know of a target."""

    @property
    def base_url(self) -> str | None:
        """Address of the application, without credentials; None where nothing of it is to be read."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """IP addresses of the application's host that were checked: no other is asked."""

    def url(self, path: str) -> str:
        """Address of an API path."""

    @property
    def database_url(self) -> str | None:
        """Address of its PostgreSQL, None where not configured."""

    @property
    def monitor_url(self) -> str | None:
        """Address of its PostgreSQL for a role that may read statistics only, None where not configured."""

    @property
    def redis_url(self) -> str | None:
        """Address of its Redis, None where not configured."""

    @property
    def llm_metrics_url(self) -> str | None:
        """A metrics page of its LLM, None where not configured."""

    @property
    def prometheus_url(self) -> str | None:
        """A Prometheus server that knows of it, None where not configured."""

    @property
    def prometheus_queries(self) -> Mapping[str, str]:
        """What that server is asked: PromQL by the name of the reading."""

    @property
    def log_file(self) -> str | None:
        """A log of it on this machine."""

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
    if target.database_url and not target.monitor_url:
        LOG.info("no connection for the monitor's role: PostgreSQL is read as the role of the target's own connection")
    urls = _addresses(target)
    plan = plan_of(target, urls, bundle.resources_dir.absolute(), interval_s)
    bundle.write_text(PLAN_FILE, plan.model_dump_json(indent=2) + "\n")
    secrets = {name: url for name, url in urls.items() if url}
    environment = {**child_environment(), "PYTHONPATH": str(ROOT), **secrets}
    command = [sys.executable, "-m", "include.loadtest.collectors", "--plan", str((bundle.path / PLAN_FILE).absolute())]
    with (bundle.path / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    return CollectorProcess(process, plan)


def _addresses(target: Monitored) -> dict[str, str | None]:
    """The servers' addresses by the variable that hands each over: they may hold passwords."""
    return {
        DATABASE_VARIABLE: target.monitor_url or target.database_url,
        REDIS_VARIABLE: target.redis_url,
        LLM_VARIABLE: target.llm_metrics_url,
        PROMETHEUS_VARIABLE: target.prometheus_url if target.prometheus_queries else None,
    }


def plan_of(target: Monitored, urls: Mapping[str, str | None], resources_dir: Path, interval_s: float) -> CollectorPlan:
    """What to read of a target. Its own processes, container and log are there only where it runs on this machine."""
    here = socket.gethostname()
    prometheus = _server(urls, PROMETHEUS_VARIABLE, here)
    return CollectorPlan(
        resources_dir=resources_dir,
        interval_s=interval_s,
        parent_pid=os.getpid(),
        host=HostSource(source="host" if target.shares_host else "generator", instance=here),
        postgres=_server(urls, DATABASE_VARIABLE, here),
        redis=_server(urls, REDIS_VARIABLE, here),
        app=_app(target, here),
        llm=_server(urls, LLM_VARIABLE, here),
        prometheus=prometheus and PrometheusSource(**prometheus.model_dump(), queries=dict(target.prometheus_queries)),
        **(local_sources(target, here) if target.shares_host else {}),
    )


def _app(target: Monitored, here: str) -> AppSource | None:
    if target.base_url is None:
        return None
    urls = (f"{target.base_url}/metrics", target.url("/monitoring/metrics"))
    return AppSource(instance=instance_of(target.base_url) or here, urls=urls, addresses=target.addresses)


def _server(urls: Mapping[str, str | None], variable: str, here: str) -> ServerSource | None:
    url = urls[variable]
    if url is None:
        return None
    return ServerSource(instance=instance_of(url) or here, url_variable=variable)
