"""Chat: answers streamed as server-sent events, from the cache or from the LLM."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from include.demo_target.endpoints import API
from include.demo_target.faults import added_delay_s
from include.demo_target.llm_client import LlmError
from include.demo_target.services import Services, Shared
from include.demo_target.tokens import Caller, SessionCaller

ERROR_SENTENCE = "Si è verificato un errore nella generazione della risposta. Prova a riformulare la domanda."
ENDPOINT = "chat_stream"
COST_EUR = 0.0385
EMPTY_EVENT: dict[str, Any] = {
    "content": "",
    "done": False,
    "event_type": None,
    "interactive_question": None,
    "extracted_params": None,
    "reasoning": None,
    "structured_sources": None,
    "kb_source_urls": None,
    "web_verification": None,
    "trace_id": None,
    "enriched_prompt": None,
    "response_time_ms": None,
    "tokens_used": None,
    "cost_cents": None,
    "model_used": None,
}
NEEDS_DATA = "dipende dal tuo reddito e dalla tua situazione personale. Inserisci i dati per un calcolo preciso.\n\n"
STARTING, KEEPALIVE = ": starting\n\n", ": keepalive\n\n"
PROMPT = "# PratikoAI - Risposta Unificata\n\n## Domanda\n{question}"
_CALCULATION = re.compile(r"\bcalcol\w*\b.*\b(irpef|iva|imu|ires|irap)\b", re.IGNORECASE | re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?]) ")

KEEP = """WITH asked AS (
    INSERT INTO chat_messages (user_id, session_id, role, content, cost_eur)
    VALUES ($1, $2, 'user', $3, 0), ($1, $2, 'assistant', $4, $5)
), checkpoint AS (
    INSERT INTO checkpoints (thread_id, checkpoint_id, type, checkpoint, metadata)
    VALUES ($2, $6, 'json', jsonb_build_object('id', $6::text, 'channel', 'messages'), '{"step": 1}')
), blobs AS (
    INSERT INTO checkpoint_blobs (thread_id, channel, version, type, blob)
    VALUES ($2, 'messages', $6, 'json', convert_to($3, 'UTF8')), ($2, 'answer', $6, 'json', convert_to($4, 'UTF8'))
)
INSERT INTO checkpoint_writes (thread_id, checkpoint_id, task_id, idx, channel, type, blob)
VALUES ($2, $6, 'retrieve', 0, 'context', 'json', '[]'), ($2, $6, 'generate', 1, 'answer', 'json', '[]')"""

router = APIRouter(prefix=f"{API}/chatbot")


class Message(BaseModel):
    """One message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: str = Field(min_length=1, max_length=80_000)


class ChatRequest(BaseModel):
    """A conversation whose last message asks; `skip_proactivity` answers also what looks like a calculation."""

    messages: list[Message] = Field(min_length=1)
    skip_proactivity: bool = False
    attachment_ids: list[uuid.UUID] | None = Field(None, max_length=5)


@router.post("/chat/stream")
async def chat_stream(services: Shared, caller: SessionCaller, body: ChatRequest) -> StreamingResponse:
    """The answer as events; with the LLM down it is an error sentence, and the status is 200 all the same."""
    question = body.messages[-1].content
    tax = None if body.skip_proactivity else _CALCULATION.search(question)
    events = _ask_back(tax.group(1).upper()) if tax else _Answer(services, caller, question).events()
    return StreamingResponse(events, media_type="text/event-stream")


@router.post("/chat")
async def chat(caller: SessionCaller, body: ChatRequest) -> None:
    """The call without streaming, which fails at the revision that this target stands in for."""
    del caller, body
    raise HTTPException(500, "Internal server error")


@router.get("/messages")
async def messages(services: Shared, caller: SessionCaller) -> dict[str, Any]:
    """The conversation of this session."""
    rows = await services.database.rows(
        "SELECT role, content FROM chat_messages WHERE session_id = $1 ORDER BY id", caller.session_id
    )
    return {
        "messages": [dict(row) for row in rows],
        "metadata": None,
        "interactive_question": None,
        "extracted_params": None,
        "trace_id": None,
    }


@router.delete("/messages")
async def clear(services: Shared, caller: SessionCaller) -> dict[str, str]:
    """Forget the conversation of this session and the LLM graph's memory of it."""
    async with services.database.connection() as connection, connection.transaction():
        await connection.execute("DELETE FROM chat_messages WHERE session_id = $1", caller.session_id)
        for table in ("checkpoint_writes", "checkpoint_blobs", "checkpoints"):
            await connection.execute(f"DELETE FROM {table} WHERE thread_id = $1", caller.session_id)  # noqa: S608 - the three names above
    return {"message": "Chat history cleared successfully"}


def _event(**fields: Any) -> str:
    return f"data: {json.dumps({**EMPTY_EVENT, **fields}, ensure_ascii=False, separators=(',', ':'))}\n\n"


def _content(text: str) -> str:
    return _event(content=text, event_type="content")


async def _ask_back(tax: str) -> AsyncIterator[str]:
    """The form that a question for a calculation gets instead of an answer."""
    yield _content(f"L'{tax} {NEEDS_DATA}")
    yield _event(event_type="interactive_question", interactive_question=_form(tax))
    yield _event(done=True)


def _form(tax: str) -> dict[str, Any]:
    fields = [
        ("tipo_contribuente", "Tipo di contribuente", None, "select"),
        ("reddito", "Reddito annuo lordo", "es. 35000", "currency"),
    ]
    keys = ("id", "label", "placeholder", "input_type")
    return {
        "id": f"{tax.lower()}_flow_question",
        "trigger_query": None,
        "text": f"Per calcolare l'{tax}, ho bisogno di alcune informazioni:",
        "question_type": "multi_field",
        "options": [],
        "fields": [{**dict(zip(keys, field, strict=True)), "required": True, "validation": None} for field in fields],
        "allow_custom_input": False,
        "custom_input_placeholder": None,
        "prefilled_params": None,
    }


class _Answer:
    """One answer on its way; like the real target it holds a database connection until the stream has ended."""

    def __init__(self, services: Services, caller: Caller, question: str) -> None:
        self._services, self._caller, self._question = services, caller, question
        self._begin = time.perf_counter()

    async def events(self) -> AsyncIterator[str]:
        yield STARTING
        try:
            async with self._services.database.connection() as connection:
                async for event in self._answered(connection):
                    yield event
        except (LlmError, TimeoutError):
            yield _content(ERROR_SENTENCE)
        yield _event(done=True, enriched_prompt=PROMPT.format(question=self._question))
        self._services.metrics.llm_stream.observe(time.perf_counter() - self._begin)

    async def _answered(self, connection: Any) -> AsyncIterator[str]:
        kept = await self._services.cache.get(self._question)
        pieces = _sentences(kept) if kept else self._services.llm.stream(self._question)
        if not kept:
            yield KEEPALIVE
        answer: list[str] = []
        first_s = 0.0
        async for piece in pieces:
            if not piece:
                continue
            if not answer:
                await self._delay(time.perf_counter() - self._begin)
                first_s = time.perf_counter()
            answer.append(piece)
            yield _content(piece)
        if not answer:
            raise LlmError("LLM answered nothing")
        await self._keep(connection, "".join(answer), cached=kept is not None)
        await self._delay(time.perf_counter() - first_s, added=False)

    async def _keep(self, connection: Any, answer: str, *, cached: bool) -> None:
        if not cached:
            await self._services.cache.put(self._question, answer)
        cost_eur = 0.0 if cached else COST_EUR
        caller = self._caller
        await connection.execute(
            KEEP, caller.id, caller.session_id, self._question, answer, cost_eur, str(uuid.uuid4())
        )

    async def _delay(self, elapsed_s: float, *, added: bool = True) -> None:
        """Stretch the time to the first token and the rest by the fault's factor; its addition counts once."""
        faults = self._services.faults.current
        if not added:
            faults = faults.model_copy(update={"latency_added_ms": {}})
        await asyncio.sleep(added_delay_s(faults, ENDPOINT, elapsed_s))


async def _sentences(answer: str) -> AsyncIterator[str]:
    """A kept answer in pieces that put together give the answer again."""
    sentences = _SENTENCE_END.split(answer)
    for number, sentence in enumerate(sentences):
        yield sentence if number == len(sentences) - 1 else f"{sentence} "
