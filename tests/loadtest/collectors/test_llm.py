import socket

import httpx
import pytest

from include.loadtest.collectors.llm import LlmReader
from include.loadtest.collectors.reader import ReadingError, unit_of
from tests.helpers.demo import DemoTarget
from tests.loadtest.collectors.conftest import NOT_FOUND, serving

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


def test_a_page_that_is_not_there_is_asked_for_once(caplog: pytest.LogCaptureFixture) -> None:
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


def test_a_gateway_that_never_answers_is_named(blackhole: str) -> None:
    """After the timeout."""
    reader = LlmReader(f"http://{blackhole}/metrics", "llm", 0.3)
    with pytest.raises(ReadingError, match=r"^/metrics: no answer within 0.3 s$"):
        reader.read()
    reader.close()
