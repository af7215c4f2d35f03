import re
from typing import Any

import pytest

from tests.helpers.demo import DemoTarget

pytestmark = pytest.mark.integration
EXPOSED = {
    "llm_requests_total",
    "llm_request_duration_seconds_bucket",
    "llm_retries_total",
    "circuit_breaker_state",
    "db_pool_size",
    "db_pool_checked_out",
    "db_pool_waiting",
    "db_pool_wait_seconds_bucket",
    "db_pool_held_seconds_bucket",
    "event_loop_lag_seconds",
    "thread_pool_size",
    "thread_pool_busy",
    "thread_pool_queue_size",
    "document_queue_size",
}
QUESTION = {"messages": [{"role": "user", "content": "Che cosa misura la pagina?"}], "skip_proactivity": True}


def _page(demo: DemoTarget) -> dict[str, float]:
    with demo.client() as client:
        lines = client.get("/metrics").raise_for_status().text.splitlines()
    pairs = (line.rpartition(" ")[::2] for line in lines if not line.startswith("#"))
    return {series: float(value) for series, value in pairs}


def _ask(demo: DemoTarget, token: str) -> None:
    with demo.client(authorization=f"Bearer {token}") as client:
        client.post("/api/v1/chatbot/chat/stream", json=QUESTION).raise_for_status()


def test_one_question_shows_inside(demo: DemoTarget, tokens: tuple[str, str]) -> None:
    """It calls the LLM once and waits for it, and holds a connection for as long; the second time nobody is called."""
    before = _page(demo)
    _ask(demo, tokens[1])
    after = _page(demo)
    assert {re.sub(r"\{.*", "", series) for series in after} >= EXPOSED

    def grown(series: str) -> float:
        return after[series] - before.get(series, 0)

    assert grown('llm_requests_total{status="200"}') == 1
    assert grown("llm_request_duration_seconds_sum") >= 0.05
    assert grown("db_pool_held_seconds_sum") > grown("llm_request_duration_seconds_sum")
    assert grown("db_pool_wait_seconds_count") >= 2
    assert (after["db_pool_size"], after["thread_pool_size"]) == (20, 2)
    _ask(demo, tokens[1])
    assert _page(demo)['llm_requests_total{status="200"}'] == after['llm_requests_total{status="200"}']


def test_bare_pages_are_those_of_the_real_application(demo: DemoTarget, no_faults: Any) -> None:
    """Nothing of the inside is left, and what the real application exposes still is."""
    del no_faults
    with demo.client() as client:
        client.put("/admin/faults", json={"bare_metrics": True}).raise_for_status()
    names = {re.sub(r"\{.*", "", series) for series in _page(demo)}
    assert names.isdisjoint(EXPOSED)
    assert "starlette_requests_total" in names
    assert "process_cpu_seconds_total" in names
