import asyncio
from collections.abc import Iterator

import httpx
import pytest

from include.demo_target.inner_metrics import InnerMetrics
from include.demo_target.llm_client import OPENS_AFTER_FAILURES, CircuitBreaker, LlmClient, LlmError
from tests.helpers.demo import llm_stub


@pytest.fixture
def stub() -> Iterator[str]:
    """The stub in a process of its own."""
    with llm_stub("--first-token-ms", "100", "--per-token-ms", "0") as url:
        yield url


def _lines(page: bytes | str, name: str) -> dict[str, float]:
    text = page if isinstance(page, str) else page.decode()
    pairs = (line.rpartition(" ")[::2] for line in text.splitlines() if line.startswith(name))
    return {series: float(value) for series, value in pairs}


@pytest.mark.unit
def test_breaker_opens_after_failures_in_a_row_only() -> None:
    """A success in between starts the count anew; a breaker can be closed by hand."""
    breaker = CircuitBreaker()
    for _ in range(2):
        for _ in range(OPENS_AFTER_FAILURES - 1):
            breaker.note(failed=True)
        breaker.note(failed=False)
    assert not breaker.is_open
    for _ in range(OPENS_AFTER_FAILURES):
        breaker.note(failed=True)
    assert breaker.is_open
    breaker.close()
    assert not breaker.is_open


@pytest.mark.integration
def test_refusals_are_tried_once_more_and_counted_on_both_sides(stub: str) -> None:
    """Of a call that is refused twice both attempts count, one of them as a retry; client and stub count the same."""
    metrics = InnerMetrics()

    async def ask(client: LlmClient) -> str:
        return "".join([piece async for piece in client.stream("Aliquota?")])

    async def story() -> None:
        client = LlmClient(stub, metrics, own_stub=True)
        assert await ask(client)
        await client.behave({"refused_share": 1})
        with pytest.raises(LlmError, match="429"):
            await ask(client)
        await client.behave({"refused_share": 0, "down": True})
        with pytest.raises(LlmError, match="503"):
            await ask(client)
        await client.close()

    asyncio.run(story())
    counted = {f'llm_requests_total{{status="{status}"}}': count for status, count in ((200, 1), (429, 2), (503, 2))}
    assert _lines(metrics.page(), "llm_requests_total") == counted
    theirs = httpx.get(f"{stub}/metrics").text
    assert _lines(theirs, "llm_requests_total") == counted
    assert _lines(theirs, "llm_requests_in_progress") == {"llm_requests_in_progress": 0}
    assert _lines(metrics.page(), "llm_retries_total") == {"llm_retries_total": 2}


@pytest.mark.integration
def test_time_of_whoever_reads_the_answer_is_none_of_the_llm_s(stub: str) -> None:
    """The measured time holds the stub's first token, and not what the reader does between two pieces."""
    metrics = InnerMetrics()

    async def story() -> None:
        client = LlmClient(stub, metrics, own_stub=True)
        async for _ in client.stream("Aliquota?"):
            await asyncio.sleep(0.1)
        await client.close()

    asyncio.run(story())
    name = "llm_request_duration_seconds"
    waited = _lines(metrics.page(), name)
    assert waited[f"{name}_count"] == 1
    assert 0.1 <= waited[f"{name}_sum"] < 0.5


@pytest.mark.integration
def test_an_open_breaker_asks_the_llm_nothing(stub: str) -> None:
    """After ten failed answers the eleventh fails without a call."""
    metrics = InnerMetrics()

    async def story() -> None:
        client = LlmClient(stub, metrics, own_stub=True)
        client.breaker.note(failed=True)
        for _ in range(OPENS_AFTER_FAILURES - 1):
            client.breaker.note(failed=True)
        with pytest.raises(LlmError, match="not called"):
            await anext(aiter(client.stream("Aliquota?")))
        assert _lines(metrics.page(), "circuit_breaker_state") == {'circuit_breaker_state{name="llm"}': 1}
        await client.close()

    asyncio.run(story())
    assert _lines(metrics.page(), "llm_requests_total{") == {}


@pytest.mark.integration
def test_a_reader_that_goes_is_no_failure_of_the_llm(stub: str) -> None:
    """However many are cancelled while they wait, the breaker stays closed; a dead server is an error."""
    metrics = InnerMetrics()

    async def ask(client: LlmClient) -> str:
        return "".join([piece async for piece in client.stream("Aliquota?")])

    async def story() -> None:
        client = LlmClient(stub, metrics, own_stub=True)
        gone = [asyncio.create_task(ask(client)) for _ in range(OPENS_AFTER_FAILURES + 1)]
        await asyncio.sleep(0.05)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert not client.breaker.is_open
        await client.close()
        dead = LlmClient("http://127.0.0.1:9", metrics, own_stub=False)
        with pytest.raises(LlmError, match="failed"):
            await ask(dead)
        await dead.close()

    asyncio.run(story())
    counted = _lines(metrics.page(), "llm_requests_total{")
    assert counted['llm_requests_total{status="error"}'] == 1
