"""Locust, in a process of its own: it patches sockets, so it never enters the process that starts it."""

import socket
import sys
from collections.abc import Callable

from include.loadtest.errors import ConfigError
from include.loadtest.run import LOCUST_HTML
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.process import DRAIN_S, ROOT, Generator, run_process, watch

LOCUSTFILE = ROOT / "include" / "locustfiles" / "pratikoai.py"
CHECKS_FILE = ROOT / "include" / "locustfiles" / "italian_market.py"
"""For a profile that checks requirements one by one."""


def run_locust(
    request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool] = lambda: False
) -> LoadResult:
    """Send the load with Locust, as `process.watch` describes it."""
    html = str(request.bundle.path / LOCUST_HTML)
    command = [*_command(request), "--html", html]
    if request.profile.generators > 1:
        command += ["--master", "--master-bind-host", _bound(request.master_host), "--master-bind-port", "0"]
        command += ["--expect-workers", str(request.profile.generators)]
    return watch(Generator(command), request, on_progress, stop_requested)


def run_member(
    request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool] = lambda: False
) -> int:
    """Be one of several generators until the load is over; its master, at `request.master`, says when.

    Returns the exit code. However this call ends, the generator has ended too; what became of the load, the master's
    account says. Raises ValueError for an address that is none.
    """
    host, _, port = (request.master or "").rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError(f"{request.master!r} is no address of a master (host:port)")
    command = [*_command(request), "--worker", "--master-host", host, "--master-port", port]
    return run_process(Generator(command), request, on_progress, stop_requested)[0]


def _command(request: LoadRequest) -> list[str]:
    locustfile = LOCUSTFILE if request.profile.checks is None else CHECKS_FILE
    return [
        *(sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", request.base_url),
        *("--stop-timeout", str(DRAIN_S), "--only-summary"),
    ]


def _bound(host: str) -> str:
    """The address of this machine's interface that has that name. Raises ConfigError where there is none."""
    try:
        return socket.gethostbyname(host)
    except OSError as error:
        raise ConfigError(
            f"LOADTEST_MASTER_HOST: {host} has no address here ({error.strerror or error}); give the name or address "
            "under which the other generators reach this machine"
        ) from error
