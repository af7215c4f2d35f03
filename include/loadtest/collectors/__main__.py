"""`python -m include.loadtest.collectors --plan FILE`: reads until SIGTERM, or until its parent is gone."""

import argparse
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from include.loadtest.collectors.app import AppReader
from include.loadtest.collectors.containers import ContainerReader
from include.loadtest.collectors.host import HostReader
from include.loadtest.collectors.llm import LlmReader
from include.loadtest.collectors.plan import CollectorPlan, ServerSource
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.processes import ProcessReader
from include.loadtest.collectors.prometheus import PrometheusReader
from include.loadtest.collectors.reader import Reader
from include.loadtest.collectors.redis import RedisReader
from include.loadtest.collectors.schedule import run_sources
from include.loadtest.collectors.target_log import LogReader
from include.loadtest.recorder import prepare_writing

LONGEST_READ_S = 3.0
LONGEST_PAGES_S = 4.5
"""The application's pages are asked one after the other: its first may take two thirds of this."""
PING_SHARE = 0.1
"""Of the interval, from one PING to the next: all of them cover two fifths of it, and an answer has time to be late."""


def readers_of(plan: CollectorPlan, environment: Mapping[str, str]) -> list[Reader]:
    """The plan's sources. Raises KeyError for a variable that is not set, ValueError for an address that is none."""
    timeout_s = min(LONGEST_READ_S, 0.8 * plan.interval_s)  # a reading is over before the next is due
    readers = _local_readers(plan)
    if plan.postgres:
        readers.append(PostgresReader(_url(plan.postgres, environment), plan.postgres.instance, timeout_s))
    if plan.redis:
        url, every_s = _url(plan.redis, environment), PING_SHARE * plan.interval_s
        readers.append(RedisReader(url, plan.redis.instance, timeout_s, every_s))
    if plan.app:
        pages_s = min(LONGEST_PAGES_S, 0.9 * plan.interval_s)
        readers.append(AppReader(plan.app.urls, plan.app.instance, pages_s, plan.app.addresses))
    if plan.llm:
        readers.append(LlmReader(_url(plan.llm, environment), plan.llm.instance, timeout_s))
    if plan.prometheus:
        url = _url(plan.prometheus, environment)
        readers.append(PrometheusReader(url, plan.prometheus.queries, plan.prometheus.instance, timeout_s))
    return readers


def _local_readers(plan: CollectorPlan) -> list[Reader]:
    """Those of this machine."""
    readers: list[Reader] = []
    if plan.host:
        readers.append(HostReader(plan.host, plan.resources_dir))
    if plan.process:
        readers.append(ProcessReader(plan.process))
    if plan.container:
        readers.append(ContainerReader(plan.container))
    if plan.target_log:
        readers.append(LogReader(plan.target_log.path, plan.target_log.instance))
    return readers


def _url(source: ServerSource, environment: Mapping[str, str]) -> str:
    return environment[source.url_variable]


def main(arguments: list[str] | None = None) -> int:
    """Run until stopped; exit code 2 for a plan that makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m include.loadtest.collectors", description=__doc__)
    parser.add_argument("--plan", type=Path, required=True, help="JSON file, see plan.py")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)sZ %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
    logging.Formatter.converter = time.gmtime
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would tell of each request
    ordered: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: ordered.append(received))
    try:
        plan = CollectorPlan.model_validate_json(options.plan.read_bytes())
        readers = readers_of(plan, os.environ)
    except (OSError, ValidationError, KeyError, ValueError) as error:
        print(f"collectors: {options.plan}: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    prepare_writing()
    logging.info("reading %s on %s", ", ".join(reader.source for reader in readers), socket.gethostname())
    run_sources(
        readers,
        plan.resources_dir,
        pid=os.getpid(),
        interval_s=plan.interval_s,
        ended=lambda: bool(ordered) or os.getppid() != plan.parent_pid,
    )
    # A source that is stuck in a system call must not keep the process.
    logging.shutdown()
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
