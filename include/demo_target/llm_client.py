"""The target's side of its LLM: real HTTP, streamed."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx

from include.demo_target.inner_metrics import InnerMetrics

CALL_TIMEOUT_S = 120.0
RETRIED = (429, 500, 503)
RETRY_AFTER_S = 0.2
OPENS_AFTER_FAILURES, OPEN_FOR_S = 10, 5.0


class LlmError(RuntimeError):
    """The LLM gave no answer."""


class _RefusedError(LlmError):
    """The LLM answered with another status than 200, before any piece of an answer."""

    def __init__(self, status: int) -> None:
        super().__init__(f"LLM answered {status}")
        self.status = status


class CircuitBreaker:
    """Opens for 5 s after ten failed answers in a row: calls then fail at once, without the LLM being asked."""

    def __init__(self) -> None:
        self._failures = 0
        self._open_until_s = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls fail at once."""
        return time.monotonic() < self._open_until_s

    def note(self, *, failed: bool) -> None:
        """One answer has been got, or not."""
        self._failures = self._failures + 1 if failed else 0
        if self._failures >= OPENS_AFTER_FAILURES:
            self._failures, self._open_until_s = 0, time.monotonic() + OPEN_FOR_S

    def close(self) -> None:
        """Let calls through again."""
        self._failures, self._open_until_s = 0, 0.0


class LlmClient:
    """Calls an OpenAI-compatible server; where the stub is our own, it also changes how the stub behaves."""

    def __init__(self, url: str, metrics: InnerMetrics, *, own_stub: bool) -> None:
        self.own_stub = own_stub
        self.breaker = CircuitBreaker()
        self._metrics = metrics
        self._http = httpx.AsyncClient(base_url=url, timeout=CALL_TIMEOUT_S, trust_env=False)
        metrics.watch_breaker("llm", lambda: self.breaker.is_open)

    async def stream(self, question: str) -> AsyncIterator[str]:
        """The pieces of the answer as they come; a refusal is tried once more. Raises `LlmError` when there is none."""
        if self.breaker.is_open:
            raise LlmError("LLM is not called: too many calls have failed")
        try:
            try:
                async for piece in self._attempt(question):
                    yield piece
            except _RefusedError as refusal:
                if refusal.status not in RETRIED:
                    raise
                await asyncio.sleep(RETRY_AFTER_S)
                self._metrics.llm_retries.inc()
                async for piece in self._attempt(question):
                    yield piece
        except LlmError:
            # Only this: a reader that has gone says nothing about the LLM.
            self.breaker.note(failed=True)
            raise
        self.breaker.note(failed=False)

    async def _attempt(self, question: str) -> AsyncIterator[str]:
        body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": question}]}
        status, waited = "200", _Stopwatch()  # also of an answer whose reader has gone, as at the LLM itself
        try:
            async with self._http.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != 200:
                    status = str(response.status_code)
                    raise _RefusedError(response.status_code)
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        piece = _content(json.loads(line[6:]))
                        # Whoever reads the pieces takes time of its own, which is none of the LLM's.
                        waited.stop()
                        yield piece
                        waited.start()
        except httpx.HTTPError as error:
            status = "error"
            raise LlmError(f"LLM call failed: {error!r}") from error
        finally:
            waited.stop()
            self._metrics.llm_attempt(status, waited.seconds)

    async def behave(self, changes: dict[str, Any]) -> None:
        """Change the stub's behaviour from its present one. Raises `LlmError` when the LLM is not our own stub."""
        if not self.own_stub:
            raise LlmError("the LLM was given with --llm-url: its faults are switched where it runs")
        (await self._http.put("/admin/behaviour", json={**await self.behaviour(), **changes})).raise_for_status()

    async def behaviour(self) -> dict[str, Any]:
        """The stub's present behaviour."""
        present: dict[str, Any] = (await self._http.get("/admin/behaviour")).raise_for_status().json()
        return present

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


class _Stopwatch:
    """Runs from its creation; adds up the times between a start and a stop."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begin_s: float | None = time.perf_counter()

    def start(self) -> None:
        self._begin_s = time.perf_counter()

    def stop(self) -> None:
        if self._begin_s is not None:
            self.seconds += time.perf_counter() - self._begin_s
            self._begin_s = None


def _content(event: dict[str, Any]) -> str:
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""
