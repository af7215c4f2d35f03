"""`python -m include.demo_target --state DIR`: the stand-in with its own PostgreSQL, Valkey and LLM stub.

Prints one JSON line and writes `DIR/ready.json` when requests are taken; SIGTERM or SIGINT stops all of it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from include.demo_target.app import build_app
from include.demo_target.database import POOL_SIZE
from include.demo_target.llm import Behaviour, add_behaviour_options, announce
from include.demo_target.services import Settings, build_services
from include.demo_target.serving import AnnouncingServer, base_url, bind, require_loopback
from include.demo_target.worker_threads import THREADS
from include.demo_target.workers import Workers
from include.embedded.postgres import ensure_database, running_postgres, start_postgres, stop_postgres
from include.embedded.servers import ServerError, log_tail, wait_until
from include.embedded.valkey import running_valkey, start_valkey, stop_valkey

DATABASE = "demo_target"
MOST, MOST_CPU_MS = 100, 10_000
LLM_START_TIMEOUT_S = 60
LLM_STOP_TIMEOUT_S = 10
# A stand-in's data may be lost in a power cut; a crash of the server alone loses nothing.
POSTGRES_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "jit": "off",
    "timezone": "UTC",
}


class StopOrderedError(Exception):
    """The target was ordered to stop before it was ready."""


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line; ends with exit code 2 when it makes no sense."""
    parser = argparse.ArgumentParser(prog="python -m include.demo_target", description="Stand-in for PratikoAI")
    parser.add_argument("--state", type=Path, required=True, help="directory for servers' data and ready.json")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--rate-limits", action="store_true", help="limit requests as the real target does")
    parser.add_argument("--llm-url", help="use this LLM instead of an own stub")
    parser.add_argument("--workers", type=_count, default=1, help="processes that take the requests")
    parser.add_argument("--pool-size", type=_count, default=POOL_SIZE, help="database connections of a process")
    parser.add_argument("--thread-pool-size", type=_count, default=THREADS, help="threads of a process")
    parser.add_argument(
        "--cpu-ms-per-request", type=_between(0, MOST_CPU_MS), default=0.0, help="busy work on the event loop"
    )
    add_behaviour_options(parser, "llm-")
    options = parser.parse_args(arguments)
    try:
        require_loopback(options.host)
        Behaviour(
            first_token_ms=options.llm_first_token_ms,
            per_token_ms=options.llm_per_token_ms,
            error_share=options.llm_error_share,
        )
    except ValueError as error:
        parser.error(str(error))
    return options


def _between(least: float, most: float) -> Callable[[str], float]:
    """Reads a start option that is a number from `least` to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is no number from {least:g} to {most:g}")
        return value

    return read


def _count(text: str) -> int:
    return int(_between(1, MOST)(text))


def main(arguments: list[str] | None = None) -> int:
    """Run the target until it is stopped."""
    options = parse(arguments)
    ordered: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        # Noted only: a start is left between two steps, never in the middle of one.
        signal.signal(number, lambda received, _frame: ordered.append(received))
    try:
        with ExitStack() as stack:
            _run(options, stack, lambda: bool(ordered))
    except StopOrderedError:
        return 0
    except (ServerError, OSError) as error:
        print(f"demo target: {error}", file=sys.stderr)
        return 1
    return 0


def _run(options: argparse.Namespace, stack: ExitStack, stop_ordered: Callable[[], bool]) -> None:
    """Start one part after the other, serve, and leave the undoing of each to `stack`."""
    state = options.state.absolute()
    state.mkdir(parents=True, exist_ok=True)
    ready_file = state / "ready.json"
    ready_file.unlink(missing_ok=True)
    listener = bind(options.host, options.port)
    stack.callback(listener.close)
    settings = _with_servers(options, state, stack, stop_ordered)
    ready = {
        "base_url": base_url(listener),
        "database_url": settings.database_url,
        "redis_url": settings.redis_url,
        "llm_url": settings.llm_url,
        "pid": os.getpid(),
    }
    stack.callback(ready_file.unlink, missing_ok=True)
    if options.workers == 1:
        _serve(AnnouncingServer(build_app(build_services(settings)), lambda: announce(ready, ready_file)), listener)
        return
    workers = Workers(settings, options.workers, listener, stack, stop_ordered)
    workers.start()
    _unless(stop_ordered)
    announce(ready, ready_file)
    workers.run()


def _unless(stop_ordered: Callable[[], bool]) -> None:
    if stop_ordered():
        raise StopOrderedError


def _with_servers(
    options: argparse.Namespace, state: Path, stack: ExitStack, stop_ordered: Callable[[], bool]
) -> Settings:
    """The application's settings, with servers that have just been started for it."""
    stack.callback(_stop_postgres_of, state / "pg")
    postgres = start_postgres(state / "pg", settings=POSTGRES_SETTINGS)
    _unless(stop_ordered)
    ensure_database(postgres, DATABASE)
    _unless(stop_ordered)
    stack.callback(_stop_valkey_of, state / "valkey")
    valkey = start_valkey(state / "valkey", settings={"maxmemory": "128mb", "maxmemory-policy": "allkeys-lru"})
    _unless(stop_ordered)
    llm_url = options.llm_url or _start_llm(options, state, stack, stop_ordered)
    _unless(stop_ordered)
    return Settings(
        database_url=postgres.url(DATABASE),
        redis_url=valkey.url,
        llm_url=llm_url,
        own_stub=not options.llm_url,
        directory=state,
        rate_limits=options.rate_limits,
        pool_size=options.pool_size,
        threads=options.thread_pool_size,
        cpu_ms_per_request=options.cpu_ms_per_request,
    )


def _serve(server: AnnouncingServer, listener: Any) -> None:
    server.run(sockets=[listener])
    if not server.started:
        raise ServerError("the application did not start, see the lines above")


def _stop_postgres_of(data_dir: Path) -> None:
    """By directory, not by handle: an interrupted start left no handle."""
    server = running_postgres(data_dir)
    if server is not None:
        stop_postgres(server)


def _stop_valkey_of(data_dir: Path) -> None:
    server = running_valkey(data_dir)
    if server is not None:
        stop_valkey(server)


def _start_llm(options: argparse.Namespace, state: Path, stack: ExitStack, stop_ordered: Callable[[], bool]) -> str:
    """Start the LLM stub as a process of its own, which ends at the latest when this one does."""
    ready_file, log = state / "llm.json", state / "llm.log"
    ready_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "include.demo_target.llm", "--ready-file", str(ready_file), "--until-stdin-closes"]
    for name in ("first_token_ms", "per_token_ms", "error_share", "seed"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, f"llm_{name}"))]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True)
    stack.callback(_stop_process, process)
    wait_until(lambda: ready_file.exists() or process.poll() is not None or stop_ordered(), LLM_START_TIMEOUT_S)
    if stop_ordered():
        raise StopOrderedError
    if not ready_file.exists():
        raise ServerError(f"the LLM stub does not start:\n{log_tail(log)}")
    url: str = json.loads(ready_file.read_text())["llm_url"]
    return url


def _stop_process(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(LLM_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


if __name__ == "__main__":
    sys.exit(main())
