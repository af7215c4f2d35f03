"""A stub of an OpenAI-compatible LLM over real HTTP, for the demo target and for a staging application of one's own.

`python -m include.demo_target.llm --port 0 --first-token-ms 300 --per-token-ms 5 --error-share 0 --seed 1`
"""

import argparse
import asyncio
import json
import os
import random
import sys
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from include.demo_target.llm_metrics import LlmMetrics
from include.demo_target.serving import AnnouncingServer, base_url, bind, require_loopback

TOKENS_A_CHUNK = 4
MODEL = "gpt-4o-stub"
REFUSALS = {
    429: "Rate limit reached for requests",
    500: "The server had an error while processing your request",
    503: "The engine is currently overloaded",
}
OPENING = "La questione riguarda la normativa fiscale italiana e va inquadrata con ordine."
SENTENCES = (
    "L'aliquota IVA ordinaria è del 22%, quelle ridotte sono del 10%, 5% e 4% (DPR 633/1972).",
    "L'IRPEF è progressiva per scaglioni e si calcola sul reddito complessivo al netto degli oneri deducibili (TUIR).",
    "Il regime forfettario prevede un'imposta sostitutiva del 15%, ridotta al 5% nei primi cinque anni di attività.",
    "La trasformazione da SRL a SPA è fiscalmente neutrale e non genera plusvalenze imponibili (art. 170 TUIR).",
    "Le fatture elettroniche si trasmettono al Sistema di Interscambio entro dodici giorni dall'operazione.",
    "I versamenti si eseguono con modello F24, anche a rate, entro le scadenze del calendario fiscale.",
    "Le startup innovative godono di incentivi per gli investitori e di semplificazioni negli adempimenti.",
    "I contributi previdenziali sono deducibili dal reddito nel periodo d'imposta in cui sono versati.",
    "È opportuno verificare le circolari più recenti dell'Agenzia delle Entrate prima di procedere.",
)


class Behaviour(BaseModel):
    """How the stub answers; times in ms; shares 0..1 of the calls get 429 and 500; `down` refuses all with 503."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first_token_ms: float = Field(300, ge=0, le=120_000)
    per_token_ms: float = Field(5, ge=0, le=10_000)
    error_share: float = Field(0, ge=0, le=1)
    refused_share: float = Field(0, ge=0, le=1)
    down: bool = False


class ChatMessage(BaseModel):
    """One message of a conversation."""

    role: str
    content: str


class ChatCompletion(BaseModel):
    """The part of OpenAI's request that the stub reads."""

    messages: list[ChatMessage] = Field(min_length=1)
    model: str = MODEL
    stream: bool = False


def answer_to(question: str, seed: int) -> list[str]:
    """The words of the answer; the same question and seed give the same answer, a longer question a longer one."""
    rng = random.Random(zlib.crc32(question.encode()) ^ seed)
    sentences = rng.sample(SENTENCES, 3 if len(question) < 80 else 7)
    return " ".join([OPENING, *sentences]).split(" ")


def build_llm(behaviour: Behaviour, seed: int) -> FastAPI:
    """The stub as an application; `PUT /admin/behaviour` changes how it answers from then on."""
    app = FastAPI(openapi_url=None)
    rng = random.Random(seed)
    app.state.behaviour = behaviour
    metrics = LlmMetrics()
    _add_pages(app, metrics)

    @app.post("/v1/chat/completions")
    async def complete(call: ChatCompletion) -> Response:
        now: Behaviour = app.state.behaviour
        status = _refusal(now, rng)
        if status is not None:
            metrics.refused(status)
            error = {"message": REFUSALS[status], "type": "server_error"}
            return JSONResponse({"error": error}, status_code=status)
        words = answer_to(call.messages[-1].content, seed)
        if call.stream:
            events = metrics.counted(_stream(words, now, call.model))
            return StreamingResponse(events, media_type="text/event-stream")
        pieces = [piece async for piece in metrics.counted(_at_once(words, now))]
        return JSONResponse(_whole(pieces, call.model))

    return app


def _add_pages(app: FastAPI, metrics: LlmMetrics) -> None:
    """What is no call: metrics, health, and how it behaves."""

    @app.get("/metrics")
    async def metrics_page() -> Response:
        return Response(metrics.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/health")
    async def health() -> Response:
        down = app.state.behaviour.down
        return JSONResponse({"status": "down" if down else "healthy"}, status_code=503 if down else 200)

    @app.get("/admin/behaviour")
    async def read_behaviour() -> Behaviour:
        return app.state.behaviour  # type: ignore[no-any-return]

    @app.put("/admin/behaviour")
    async def change_behaviour(wanted: Behaviour) -> Behaviour:
        app.state.behaviour = wanted
        return wanted


def _refusal(behaviour: Behaviour, rng: random.Random) -> int | None:
    """The status that a call is refused with, or None when it is answered."""
    if behaviour.down:
        return 503
    if behaviour.refused_share and rng.random() < behaviour.refused_share:
        return 429
    return 500 if rng.random() < behaviour.error_share else None


def _whole(words: list[str], model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": " ".join(words)}
    return {
        "id": "chatcmpl-stub",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": len(words), "total_tokens": len(words)},
    }


async def _at_once(words: list[str], behaviour: Behaviour) -> AsyncIterator[str]:
    """All words after the time that their stream would take."""
    await asyncio.sleep((behaviour.first_token_ms + behaviour.per_token_ms * len(words)) / 1000)
    for word in words:
        yield word


async def _stream(words: list[str], behaviour: Behaviour, model: str) -> AsyncIterator[str]:
    head = {"id": "chatcmpl-stub", "object": "chat.completion.chunk", "created": int(time.time()), "model": model}
    await asyncio.sleep(behaviour.first_token_ms / 1000)
    for start in range(0, len(words), TOKENS_A_CHUNK):
        chunk = words[start : start + TOKENS_A_CHUNK]
        if start:
            await asyncio.sleep(behaviour.per_token_ms * len(chunk) / 1000)
        text = ("" if start == 0 else " ") + " ".join(chunk)
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        yield f"data: {json.dumps({**head, 'choices': [choice]}, ensure_ascii=False)}\n\n"
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    yield f"data: {json.dumps({**head, 'choices': [end]})}\n\ndata: [DONE]\n\n"


def add_behaviour_options(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """The options that describe a `Behaviour`, all starting with `prefix`."""
    parser.add_argument(f"--{prefix}first-token-ms", type=float, default=300, help="time to the first token")
    parser.add_argument(f"--{prefix}per-token-ms", type=float, default=5, help="time for each further token")
    parser.add_argument(f"--{prefix}error-share", type=float, default=0, help="share of calls that get 500, 0..1")
    parser.add_argument(f"--{prefix}seed", type=int, default=1, help="of answers and errors")


def main(arguments: list[str] | None = None) -> int:
    """Serve the stub until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m include.demo_target.llm", description="OpenAI-compatible LLM stub")
    parser.add_argument("--host", default="127.0.0.1", help="loopback address")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--ready-file", type=Path, help="written when requests are taken")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end together with the starting process")
    add_behaviour_options(parser)
    options = parser.parse_args(arguments)
    try:
        listener = bind(require_loopback(options.host), options.port)
        behaviour = Behaviour(
            first_token_ms=options.first_token_ms, per_token_ms=options.per_token_ms, error_share=options.error_share
        )
    except ValueError as error:
        parser.error(str(error))
    ready = {"llm_url": base_url(listener), "pid": os.getpid()}
    server = AnnouncingServer(build_llm(behaviour, options.seed), lambda: announce(ready, options.ready_file))
    if options.until_stdin_closes:
        threading.Thread(
            target=_stop_at_end_of_stdin, args=(lambda: setattr(server, "should_exit", True),), daemon=True
        ).start()
    server.run(sockets=[listener])
    return 0


def _stop_at_end_of_stdin(stop: Callable[[], None]) -> None:
    sys.stdin.buffer.read()
    stop()


def announce(ready: dict[str, Any], path: Path | None) -> None:
    """Print `ready` as one JSON line and write it to `path` in one step."""
    sys.stdout.write(f"{json.dumps(ready)}\n")
    sys.stdout.flush()
    if path is not None:
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.write_text(json.dumps(ready))
        unfinished.replace(path)


if __name__ == "__main__":
    sys.exit(main())
