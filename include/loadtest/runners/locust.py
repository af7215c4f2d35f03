"""Locust, in a process of its own: it patches sockets, so it never enters the process that starts it."""

import sys
from collections.abc import Callable

from include.loadtest.run import LOCUST_HTML
from include.loadtest.runners.generator import LoadRequest, LoadResult
from include.loadtest.runners.process import DRAIN_S, ROOT, Generator, watch

LOCUSTFILE = ROOT / "include" / "locustfiles" / "pratikoai.py"
CHECKS_FILE = ROOT / "include" / "locustfiles" / "italian_market.py"
"""For a profile that checks requirements one by one."""


def run_locust(
    request: LoadRequest, on_progress: Callable[[str], None], stop_requested: Callable[[], bool] = lambda: False
) -> LoadResult:
    """Send the load with Locust, as `process.watch` describes it."""
    request.bundle.path.mkdir(parents=True, exist_ok=True)
    locustfile = LOCUSTFILE if request.profile.checks is None else CHECKS_FILE
    html = str(request.bundle.path / LOCUST_HTML)
    command = [
        *(sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", request.base_url),
        *("--html", html, "--stop-timeout", str(DRAIN_S), "--only-summary"),
    ]
    return watch(Generator(command), request, on_progress, stop_requested)
