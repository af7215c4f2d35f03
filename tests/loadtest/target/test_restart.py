import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import psutil
import pytest

from include.embedded.servers import free_port
from include.loadtest.target import restart
from include.loadtest.target.restart import restart_since, start_times_s
from include.loadtest.target.settings import Target
from tests.helpers.demo import DemoTarget, demo_target

pytestmark = pytest.mark.integration


@contextmanager
def serving(*pages: tuple[str, str]) -> Iterator[str]:
    """A server whose k-th connection gets the k-th of (headers, body), then the first again."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve() -> None:
        for number in range(10_000):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                head, body = pages[number % len(pages)]
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def _target(target: Target, base_url: str) -> Target:
    return Target.checked(target.file, base_url)


def _page(start: datetime) -> str:
    return f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {start.timestamp()}\n"


OK = "HTTP/1.1 200 OK\r\n"


def test_a_target_that_kept_running_is_fine(demo: DemoTarget, target: Target) -> None:
    """Since a moment after its start nothing has happened; since one before it, it started."""
    started = datetime.fromtimestamp(psutil.Process(demo.pid).create_time(), UTC)
    assert restart_since(target, datetime.now(UTC)).document() == {"kind": "same", "text": ""}
    found = restart_since(target, started - timedelta(seconds=30))
    assert found.kind == "restarted"
    assert found.text.startswith("The target was restarted: its process started at ")


def test_a_real_restart_is_noticed(tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the end of the first process and the start of the second it does not answer, afterwards it is new."""
    monkeypatch.setattr(restart, "PAUSE_S", 0.1)
    with demo_target(tmp_path / "demo") as running:
        port = running.base_url.rpartition(":")[2]
        began = datetime.now(UTC)
        assert restart_since(_target(target, running.base_url), began).kind == "same"
    gone = restart_since(_target(target, running.base_url), began)
    assert gone.kind == "restarted"
    assert f"{running.base_url}/metrics does not answer any more: " in gone.text
    with demo_target(tmp_path / "demo", "--port", port) as again:
        assert again.base_url == running.base_url
        assert restart_since(_target(target, again.base_url), began).kind == "restarted"


def test_a_new_process_beside_older_ones_is_no_restart(target: Target) -> None:
    """The fourth that answers is younger than the load: more were started, or one was replaced. An answer may fail."""
    since = datetime.now(UTC)
    old, new = (OK, _page(since - timedelta(hours=1))), (OK, _page(since + timedelta(seconds=60)))
    silent = ("HTTP/1.1 404 Not Found\r\n", "")
    for pages, kind in (
        ((old, old, old, new, old), "joined"),
        ((old,), "same"),
        ((new,), "restarted"),
        ((new, silent), "restarted"),
    ):
        with serving(*pages) as url:
            assert restart_since(_target(target, url), since).kind == kind


def test_another_clock_is_corrected_by_the_date_header(target: Target) -> None:
    """Ten minutes ahead and started five minutes before the load: no restart. Behind and restarted: one."""
    since = datetime.now(UTC)
    for ahead, started, expected in (
        (timedelta(minutes=10), since - timedelta(minutes=5), False),
        (-timedelta(minutes=10), since + timedelta(minutes=1), True),
    ):
        date = format_datetime(datetime.now(UTC) + ahead, usegmt=True)
        with serving((f"{OK}Date: {date}\r\n", _page(started + ahead))) as url:
            assert (restart_since(_target(target, url), since).kind == "restarted") is expected


@pytest.mark.parametrize(
    "page",
    [
        ("HTTP/1.1 404 Not Found\r\n", ""),
        (OK, "process_cpu_seconds_total 1\n"),
        (OK, "process_start_time_seconds NaN\n"),
        (f"{OK}Date: yesterday\r\n", "process_start_time_seconds 1e400\n"),
    ],
)
def test_what_is_not_exposed_says_nothing(target: Target, page: tuple[str, str]) -> None:
    """Unknown, and no error."""
    with serving(page) as url:
        assert restart_since(_target(target, url), datetime.now(UTC)).kind == "unknown"


def test_a_target_that_refuses_is_asked_three_times(target: Target) -> None:
    """About 3 s; one that comes back in between counts as answering. Behind a proxy a dead one is a bad gateway."""
    begin = time.monotonic()
    said = restart_since(_target(target, f"http://127.0.0.1:{free_port()}"), datetime.now(UTC)).text
    assert "does not answer any more" in said
    assert said.isprintable()
    assert 1.5 < time.monotonic() - begin < 6
    bad, good = ("HTTP/1.1 502 Bad Gateway\r\n", ""), (OK, _page(datetime.now(UTC) - timedelta(hours=1)))
    with serving(bad, good) as url:
        assert restart_since(_target(target, url), datetime.now(UTC)).kind == "same"
    with serving(bad) as url:
        assert restart_since(_target(target, url), datetime.now(UTC)).text.endswith("status 502.")


def test_start_times_are_all_that_are_times() -> None:
    """With and without labels; what a hostile page says besides is left out."""
    page = 'process_start_time_seconds 1700000000.5\nprocess_start_time_seconds{pid="7"} 1.8e9\n'
    page += "process_start_time_seconds inf\nprocess_start_time_seconds -5\nprocess_start_time_seconds 1e300\n"
    assert start_times_s(page) == [1700000000.5, 1.8e9]
