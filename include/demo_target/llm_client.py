"""The target's side of its LLM: real HTTP, streamed."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

CALL_TIMEOUT_S = 120.0


class LlmError(RuntimeError):
    """The LLM gave no answer."""


class LlmClient:
    """Calls an OpenAI-compatible server; where the stub is our own, it also changes how the stub behaves."""

    def __init__(self, url: str, *, own_stub: bool) -> None:
        self.own_stub = own_stub
        self._http = httpx.AsyncClient(base_url=url, timeout=CALL_TIMEOUT_S, trust_env=False)

    async def stream(self, question: str) -> AsyncIterator[str]:
        """The pieces of the answer as they come. Raises `LlmError` when the server refuses or breaks off."""
        body = {"model": "gpt-4o", "stream": True, "messages": [{"role": "user", "content": question}]}
        try:
            async with self._http.stream("POST", "/v1/chat/completions", json=body) as response:
                if response.status_code != 200:
                    raise LlmError(f"LLM answered {response.status_code}")
                async for line in response.aiter_lines():
                    if line.startswith("data: {"):
                        yield _content(json.loads(line[6:]))
        except httpx.HTTPError as error:
            raise LlmError(f"LLM call failed: {error!r}") from error

    async def behave(self, changes: dict[str, Any]) -> None:
        """Change the stub's behaviour from its present one. Raises `LlmError` when the LLM is not our own stub."""
        if not self.own_stub:
            raise LlmError("the LLM was given with --llm-url: its faults are switched where it runs")
        present = (await self._http.get("/admin/behaviour")).raise_for_status().json()
        (await self._http.put("/admin/behaviour", json={**present, **changes})).raise_for_status()

    async def behaviour(self) -> dict[str, Any]:
        """The stub's present behaviour."""
        present: dict[str, Any] = (await self._http.get("/admin/behaviour")).raise_for_status().json()
        return present

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def _content(event: dict[str, Any]) -> str:
    choices = event.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""
