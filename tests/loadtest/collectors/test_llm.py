import socket

import httpx
import pytest

from include.loadtest.collectors.llm import LlmReader
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.helpers.demo import DemoTarget
from tests.loadtest.collectors.conftest import NOT_FOUND, ok_answer, serving

pytestmark = pytest.mark.integration


def test_figures_are_those_of_the_stub(demo: DemoTarget) -> None:
    """Three calls between two readings are three more, with their time; each metric has a unit."""
    reader = LlmReader(f"{demo.llm_url}/metrics", "llm", 5)
    before = reader.read()
    for number in range(3):
        question = {"messages": [{"role": "user", "content": f"Quanto costa {number}?"}], "stream": True}
        httpx.post(f"{demo.llm_url}/v1/chat/completions", json=question, trust_env=False, timeout=30).raise_for_status()
    after = reader.read()
    reader.close()
    assert after["llm_calls"] - before["llm_calls"] == 3
    assert after["llm_wait_seconds_count"] - before["llm_wait_seconds_count"] == 3
    assert after["llm_wait_seconds_sum"] - before["llm_wait_seconds_sum"] >= 3 * 0.05
    assert (after["llm_errors"], after["llm_refusals"], after["llm_in_progress"]) == (0, 0, 0)
    assert all(unit_of(metric) for metric in after)


def test_a_page_that_is_not_there_is_not_asked_for_at_each_reading(caplog: pytest.LogCaptureFixture) -> None:
    """It is no gap either: nobody exposes it."""
    caplog.set_level("INFO")
    asked: list[str] = []

    def answer(connection: socket.socket, path: str) -> None:
        asked.append(path)
        connection.sendall(NOT_FOUND)

    with serving(answer) as url:
        reader = LlmReader(f"{url}/metrics", "llm", 5)
        assert [reader.read(), reader.read()] == [{}, {}]
        reader.close()
    assert asked == ["/metrics"]
    assert [record.getMessage() for record in caplog.records if record.name == "loadtest.collectors"] == [
        "llm: /metrics is not exposed (status 404)"
    ]


def test_a_page_that_is_not_for_us_is_an_error_at_each_reading() -> None:
    """So that its gap has a reason and lasts; the server is not asked at each of them."""
    asked: list[str] = []

    def answer(connection: socket.socket, path: str) -> None:
        asked.append(path)
        connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    with serving(answer) as url:
        reader = LlmReader(f"{url}/metrics", "llm", 5)
        for _ in range(3):
            with pytest.raises(ReadingError, match=r"^/metrics: status 401$"):
                reader.read()
        reader.close()
    assert asked == ["/metrics"]


def test_words_that_nobody_knows_are_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """By the reading that they keep from being read, which is not called missing besides."""
    caplog.set_level("INFO", "loadtest.collectors")
    page = b'llm_requests_total{status="ok"} 3\nllm_requests_total{status="partial"} 2\n'
    with serving(lambda connection, _path: connection.sendall(ok_answer(page))) as url:
        reader = LlmReader(f"{url}/metrics", "llm", 5)
        assert [reader.read(), reader.read()] == [{"llm_calls": 5}] * 2
        reader.close()
    lines = [record.getMessage() for record in caplog.records if record.name == "loadtest.collectors"]
    assert lines == [
        "llm: llm_errors is not read, as nobody knows what this is: partial",
        "llm: llm_refusals is not read, as nobody knows what this is: partial",
        "llm: not exposed, so not read: llm_wait_seconds_sum, llm_wait_seconds_count, llm_in_progress",
    ]


def test_a_gateway_that_never_answers_is_named(blackhole: str) -> None:
    """After the timeout."""
    reader = LlmReader(f"http://{blackhole}/metrics", "llm", 0.3)
    with pytest.raises(ReadingError, match=r"^/metrics: no answer within 0.3 s$"):
        reader.read()
    reader.close()
