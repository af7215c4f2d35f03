import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest

from include.loadtest.collectors.app import MAX_PAGE_BYTES, AppReader, figures
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration
PAGES = ("/metrics", "/api/v1/monitoring/metrics")


def _reader(base_url: str, timeout_s: float = 5) -> AppReader:
    return AppReader([base_url + path for path in PAGES], "app", timeout_s)


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


@contextmanager
def serving(answer: Callable[[socket.socket, str], None]) -> Iterator[str]:
    """A server whose every connection is answered, after its request, by `answer(connection, path)`."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def serve(connection: socket.socket) -> None:
        with connection:
            request = connection.recv(65536).decode()
            try:
                answer(connection, request.split(" ")[1])
            except OSError:
                return  # the reader went away

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()


def test_figures_are_those_of_the_targets_process(demo: DemoTarget) -> None:
    """CPU, memory and start as the kernel has them; the cache's ratio; each metric has a unit; no request of a run."""
    process = psutil.Process(demo.pid)
    reader = _reader(demo.base_url)
    first = reader.read()
    with demo.client() as client:
        before_s = sum(process.cpu_times()[:2])
        second = reader.read()
        after_s = sum(process.cpu_times()[:2])
        assert client.get("/admin/requests", params={"run_id": ""}).json() == {"login": 0, "warm_up": 0, "load": 0}
    reader.close()
    assert before_s - 0.05 <= second["process_cpu_seconds_total"] <= after_s + 0.05
    assert second["process_resident_memory_bytes"] == pytest.approx(process.memory_info().rss, rel=0.1)
    assert second["process_start_time_seconds"] == pytest.approx(process.create_time(), abs=2)
    assert second["starlette_requests_in_progress"] >= 1
    assert second["starlette_requests_total"] > first["starlette_requests_total"]
    assert 0 <= second["cache_hit_ratio"] <= 1
    assert "cpu_usage_percent" not in first
    assert 0 <= second["cpu_usage_percent"] <= 100
    assert all(unit_of(metric) for metric in second)


def test_what_is_not_exposed_is_absent_and_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """A page that does not exist is asked for once; a metric that is not there is no zero."""
    caplog.set_level("INFO")
    asked: list[str] = []

    def answer(connection: socket.socket, path: str) -> None:
        asked.append(path)
        connection.sendall(_ok(b"process_cpu_seconds_total 3\n") if path == "/metrics" else NOT_FOUND)

    with serving(answer) as url:
        reader = _reader(url)
        assert [reader.read() for _ in range(3)] == [{"process_cpu_seconds_total": 3.0}] * 3
        reader.close()
    assert (asked.count(PAGES[0]), asked.count(PAGES[1])) == (3, 1)
    lines = [record.getMessage() for record in caplog.records if record.name == "loadtest.collectors"]
    assert len(lines) == 2
    assert lines[0] == "app: /api/v1/monitoring/metrics is not exposed (status 404)"
    for name in ("cache_hit_ratio", "LLM retries", "circuit breaker state", "queue sizes"):
        assert name in lines[1]
    assert "process_cpu_seconds_total" not in lines[1]


def test_hostile_values_are_left_out() -> None:
    """Not a number, endless, garbage, twice: the metric is absent, and a sum with a bad part is no sum."""
    page = (
        "process_cpu_seconds_total NaN\nprocess_open_fds -3\nprocess_resident_memory_bytes 1e999\n"
        "cache_hit_ratio 0.5\ncache_hit_ratio 0.6\n"
        'starlette_requests_in_progress{path="/a"} 2\nstarlette_requests_in_progress{path="/b"} +Inf\n'
        'starlette_requests_total{path="/a"} 2\nstarlette_requests_total{path="/b"} 3\n'
    )
    assert figures([page]) == {"starlette_requests_total": 5.0, "user_requests_total": 5.0}


def test_requests_of_monitors_are_told_from_those_of_users() -> None:
    """Metrics and health pages, by their path label; a path that only begins so is a user's."""
    page = "\n".join(
        f'starlette_requests_total{{method="GET",path_template="{path}"}} 2'
        for path in ("/metrics", "/health", "/api/v1/monitoring/metrics", "/api/v1/chat", "/metrics/mine")
    )
    assert figures([page]) == {"starlette_requests_total": 10.0, "user_requests_total": 4.0}


def test_names_that_differ_by_revision_are_found() -> None:
    """Retries, breakers and queues keep their labels, since nobody knows what their sum would mean; at most twenty."""
    page = (
        'llm_retries_total{provider="openai"} 4\nllm_retries_created 1.7e9\nllm_retry_wait_seconds_sum 2\n'
        'circuit_breaker_state{service="a"} 1\ncircuit_breaker_state{service="<script>"} 1\n'
        "background_queue_size 12\nbackground_queue_bytes 9\n"
    )
    values = figures([page])
    assert values == {
        'llm_retries_total{provider="openai"}': 4.0,
        'circuit_breaker_state{service="a"}': 1.0,
        "background_queue_size": 12.0,
    }
    assert [unit_of(metric) for metric in values] == ["retries", "state", "jobs"]
    many = "".join(f'queue_size{{q="{number}"}} 1\n' for number in range(1000))
    assert len(figures([many])) == 20


def test_a_page_that_fails_leaves_the_other_ones_figures() -> None:
    """The error carries them, and says which page failed."""

    def answer(connection: socket.socket, path: str) -> None:
        connection.sendall(
            _ok(b"process_open_fds 9\n")
            if path == "/metrics"
            else b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
        )

    with serving(answer) as url:
        reader = _reader(url)
        with pytest.raises(ReadingError, match=r"^/api/v1/monitoring/metrics: status 503$") as caught:
            reader.read()
        reader.close()
    assert caught.value.values == {"process_open_fds": 9.0}


def _drip_header(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def _drip_body(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"#")
        time.sleep(0.05)


def _endless(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"process_open_fds 1\n" * 10_000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _connection, _path: time.sleep(10), "no answer within 0.5 s"),
        (_drip_header, "no answer within 0.5 s"),
        (_drip_body, "no answer within 0.5 s"),
        (_endless, f"larger than {MAX_PAGE_BYTES} bytes"),
        (lambda connection, _path: connection.sendall(b"\x1b[31m garbage \x00\r\n\r\n"), "/metrics: "),
        (lambda connection, _path: connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"), "status 302"),
    ],
    ids=["silent", "drips a header", "drips a body", "endless", "garbage", "redirect"],
)
def test_a_hostile_page_costs_the_timeout_only(answer: Callable[[socket.socket, str], None], reason: str) -> None:
    """The deadline is one of the whole exchange; what is said of it is one clean line."""
    with serving(answer) as url:
        reader = _reader(url, 0.5)
        begin = time.monotonic()
        with pytest.raises(ReadingError, match=reason) as caught:
            reader.read()
        assert time.monotonic() - begin < 2
        assert str(caught.value).isprintable()
        reader.close()
