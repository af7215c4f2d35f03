import socket
import time

import psutil
import pytest

from include.loadtest.collectors.app import AppReader, figures, request_figures, requests_of, series_by_name
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.helpers.demo import DemoTarget
from tests.loadtest.collectors.conftest import NOT_FOUND, ok_answer, serving

pytestmark = pytest.mark.integration
PAGES = ("/metrics", "/api/v1/monitoring/metrics")


def _reader(base_url: str, timeout_s: float = 5) -> AppReader:
    return AppReader([base_url + path for path in PAGES], "app", timeout_s)


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
    assert second["metrics_page_ms"] > 0
    for name in ("db_pool_size", "event_loop_lag_ms", "thread_pool_size", "llm_calls", "llm_errors", "responses_5xx"):
        assert second[name] >= 0
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
        connection.sendall(ok_answer(b"process_cpu_seconds_total 3\n") if path == "/metrics" else NOT_FOUND)

    with serving(answer) as url:
        reader = _reader(url)
        for _ in range(3):
            values = dict(reader.read())
            assert values.pop("metrics_page_ms") > 0
            assert values == {"process_cpu_seconds_total": 3.0}
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
    assert figures(series_by_name([page])) == {"starlette_requests_total": 5.0, "user_requests_total": 5.0}


def test_requests_of_monitors_are_told_from_those_of_users() -> None:
    """Metrics and health pages, by their path label; a path that only begins so is a user's."""
    page = "\n".join(
        f'starlette_requests_total{{method="GET",path_template="{path}"}} 2'
        for path in ("/metrics", "/health", "/api/v1/monitoring/metrics", "/api/v1/chat", "/metrics/mine")
    )
    assert figures(series_by_name([page])) == {"starlette_requests_total": 10.0, "user_requests_total": 4.0}


def test_names_that_differ_by_revision_are_found() -> None:
    """Retries, breakers and queues keep their labels, since nobody knows what their sum would mean; at most twenty."""
    page = (
        'llm_retries_total{provider="openai"} 4\nllm_retries_created 1.7e9\nllm_retry_wait_seconds_sum 2\n'
        'circuit_breaker_state{service="a"} 1\ncircuit_breaker_state{service="<script>"} 1\n'
        "background_queue_size 12\nbackground_queue_bytes 9\n"
    )
    values = figures(series_by_name([page]))
    assert values == {
        "llm_retries": 4.0,
        "circuit_breaker_open": 1.0,
        'llm_retries_total{provider="openai"}': 4.0,
        'circuit_breaker_state{service="a"}': 1.0,
        "background_queue_size": 12.0,
    }
    assert {unit_of(metric) for metric in values} == {"retries", "calls", "state", "jobs"}
    many = "".join(f'queue_size{{q="{number}"}} 1\n' for number in range(1000))
    assert len(figures(series_by_name([many]))) == 20


def test_a_page_that_fails_leaves_the_other_ones_figures() -> None:
    """The error carries them, and says which page failed."""

    def answer(connection: socket.socket, path: str) -> None:
        connection.sendall(
            ok_answer(b"process_open_fds 9\n")
            if path == "/metrics"
            else b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n"
        )

    with serving(answer) as url:
        reader = _reader(url)
        with pytest.raises(ReadingError, match=r"^/api/v1/monitoring/metrics: status 503$") as caught:
            reader.read()
        reader.close()
    assert caught.value.values["process_open_fds"] == 9
    assert set(caught.value.values) == {"process_open_fds", "metrics_page_ms"}


def test_the_first_page_is_asked_alone() -> None:
    """Its time is its own: the second page is asked when the first has answered, and a slow second one adds nothing."""
    asked_s: dict[str, float] = {}

    def answer(connection: socket.socket, path: str) -> None:
        asked_s[path] = time.monotonic()
        time.sleep(0.2 if path == PAGES[0] else 0.6)
        connection.sendall(ok_answer(b"process_open_fds 9\n"))

    with serving(answer) as url:
        reader = _reader(url)
        begin_s = time.monotonic()
        values = reader.read()
        took_ms = 1e3 * (time.monotonic() - begin_s)
        reader.close()
    assert asked_s[PAGES[1]] - asked_s[PAGES[0]] >= 0.2
    assert 200 <= values["metrics_page_ms"] <= took_ms - 600


def test_a_silent_first_page_leaves_time_for_the_other() -> None:
    """It may take two thirds of a reading's time; the other page's figures are there."""

    def answer(connection: socket.socket, path: str) -> None:
        if path == PAGES[0]:
            time.sleep(3)
        connection.sendall(ok_answer(b"cache_hit_ratio 0.5\n"))

    with serving(answer) as url:
        reader = _reader(url, 1.5)
        with pytest.raises(ReadingError, match=r"^/metrics: no answer within 1 s$") as caught:
            reader.read()
        reader.close()
    assert caught.value.values == {"cache_hit_ratio": 0.5}


def _histogram(le_1: int, le_2: int, total: int, path: str = "/a") -> str:
    counts = {"1": le_1, "2.0": le_2, "+Inf": total}
    name = "starlette_requests_processing_time_seconds_bucket"
    return "".join(f'{name}{{path_template="{path}",le="{le}"}} {count}\n' for le, count in counts.items())


def test_rates_and_quantiles_are_of_the_time_between_two_readings() -> None:
    """100 requests in 10 s, half up to 1 s and half up to 2 s, without those of monitors; a fall gives none."""
    first = series_by_name([_histogram(1000, 1000, 1000) + _histogram(0, 0, 7, "/metrics")])
    second = series_by_name([_histogram(1050, 1100, 1100) + _histogram(0, 0, 999, "/metrics")])
    before, after = requests_of(first, 5.0), requests_of(second, 15.0)
    assert request_figures(before, after) == {
        "requests_per_s": 10.0,
        "request_p50_ms": 1000.0,
        "request_p95_ms": pytest.approx(1900),
        "request_p99_ms": pytest.approx(1980),
    }
    assert request_figures(after, requests_of(first, 20.0)) == {}


def test_readings_of_several_processes_are_not_mixed() -> None:
    """Two processes answer in turn, each with counters of its own: each rate is of one of them."""
    started = {0: 100.0, 1: 200.0}
    counts = {0: 1000, 1: 0}
    asked = iter(range(1000))

    def answer(connection: socket.socket, path: str) -> None:
        if path != PAGES[0]:
            connection.sendall(NOT_FOUND)
            return
        number = next(asked) % 2
        counts[number] += 5
        page = f"process_start_time_seconds {started[number]}\n" + _histogram(0, counts[number], counts[number])
        connection.sendall(ok_answer(page.encode()))

    with serving(answer) as url:
        reader = _reader(url)
        readings = []
        for _ in range(4):
            readings.append(reader.read())
            time.sleep(0.1)
        reader.close()
    assert ["requests_per_s" in reading for reading in readings] == [False, False, True, True]
    assert all(0 < reading["requests_per_s"] <= 5 / 0.2 for reading in readings[2:])
