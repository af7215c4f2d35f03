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
from include.loadtest.collectors.host import HostReader
from include.loadtest.collectors.plan import CollectorPlan, ServerSource
from include.loadtest.collectors.postgres import PostgresReader
from include.loadtest.collectors.reader import Reader
from include.loadtest.collectors.redis import RedisReader
from include.loadtest.collectors.schedule import run_sources

LONGEST_READ_S = 3.0


def readers_of(plan: CollectorPlan, environment: Mapping[str, str]) -> list[Reader]:
    """The plan's sources. Raises KeyError for a variable that is not set, ValueError for an address that is none."""
    timeout_s = min(LONGEST_READ_S, 0.8 * plan.interval_s)  # a reading is over before the next is due
    readers: list[Reader] = []
    if plan.host:
        readers.append(HostReader(plan.host, plan.resources_dir))
    if plan.postgres:
        readers.append(PostgresReader(_url(plan.postgres, environment), plan.postgres.instance, timeout_s))
    if plan.redis:
        readers.append(RedisReader(_url(plan.redis, environment), plan.redis.instance, timeout_s))
    if plan.app:
        readers.append(AppReader(plan.app.urls, plan.app.instance, timeout_s))
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
