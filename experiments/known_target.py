"""A target with a known distribution of latencies: it answers what users ask rightly, and each time when it is due.

The chat's answers are as large as the real target's: what an engine does with an answer shows beside the distribution.

A thousand answers in a row take every thousandth of the distribution once, in a seeded order: over whole thousands its
quantiles are the distribution's own, and what an engine reports beside them is the engine's doing.
"""

import asyncio
import json
import math
import random
import signal
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import NormalDist
from typing import Any

from include.loadtest.run import HEADER_PHASE
from include.loadtest.scenarios.taxes import imu, irpef, iva

MEDIAN_S, SPREAD = 0.6, 0.45
"""A lognormal distribution: its median, and the standard deviation of its logarithm."""
STEPS = 1000
STREAM_EVENTS = 300
"""Events of a chat's answer, about 100 KB, each with every key of the real target's events."""
EVENT: dict[str, Any] = {
    "content": "parola ",
    "done": False,
    "event_type": "content",
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
FIXED: dict[str, Any] = {
    "/api/v1/users/me": {"id": 1, "email": "known@loadtest.invalid"},
    "/api/v1/payments/subscription": {"status": "active"},
    "/api/v1/billing/usage": {"plan_slug": "base", "window_5h": {}},
    "/api/v1/payments/invoices": {"invoices": [], "total": 0},
    "/api/v1/italian/legal/search": {"regulations": [], "total": 0},
    "/api/v1/documents/upload": {"success": True, "uploaded_documents": [{"id": 1}]},
}
STREAM = "/api/v1/chatbot/chat/stream"


def quantile_s(share: float) -> float:
    """The distribution's own quantile, in seconds."""
    return MEDIAN_S * math.exp(SPREAD * NormalDist().inv_cdf(share))


def latencies_s(seed: int) -> Iterator[float]:
    """Latencies without end: a shuffled thousand after another."""
    order = random.Random(seed)  # noqa: S311 - an experiment, no secret
    while True:
        steps = list(range(STEPS))
        order.shuffle(steps)
        yield from (quantile_s((step + 0.5) / STEPS) for step in steps)


class KnownTarget:
    """Serves, and keeps how long each answer was to take and took: seconds from the whole request to the answer."""

    def __init__(self, seed: int) -> None:
        self._due_s = latencies_s(seed)
        self.record: list[tuple[float, float]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept alive until its other side closes it."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode("latin-1"), reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = head.split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        began_s = time.perf_counter()
        due_s = next(self._due_s)
        content = content_of(first.split()[1], body)
        left_s = began_s + due_s - time.perf_counter()
        await asyncio.sleep(max(0.0, left_s))
        writer.write(content)
        await writer.drain()
        if headers.get(HEADER_PHASE.lower()) == "load":
            self.record.append((due_s, time.perf_counter() - began_s))


def content_of(path: str, body: bytes) -> bytes:
    """The whole response to a request."""
    if path == STREAM:
        return streamed()
    return response("application/json", json.dumps(FIXED[path] if path in FIXED else tax_answer(json.loads(body))))


@cache
def streamed() -> bytes:
    """The chat's whole response: a chunk an event, as servers stream them, so that its length is not announced."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = (b"%x\r\n%s\r\n" % (len(frame), frame.encode()) for frame in [*stream_frames(), ""])
    return head + b"".join(chunks)


def stream_frames() -> list[str]:
    """The chat's answer, frame by frame."""
    last = {**EVENT, "content": "", "done": True}
    events = [*STREAM_EVENTS * [EVENT], last]
    return [": wait\n\n", *(f"data: {json.dumps(event)}\n\n" for event in events)]


def stream_bytes() -> int:
    """Bytes of the chat's answer."""
    return sum(len(frame.encode()) for frame in stream_frames())


def tax_answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The right amount of a calculation; any amount where the rule is not known."""
    match asked:
        case {"tax_type": "iva", "amount": amount}:
            due_eur: float | None = iva(amount)
        case {"tax_type": "irpef", "amount": amount}:
            due_eur = irpef(amount)
        case {"property_value": amount, "cap": cap}:
            due_eur = imu(amount, cap)
        case _:
            due_eur = None
    return {"calculation": {"imposta_dovuta": 1.0 if due_eur is None else due_eur}}


def response(kind: str, text: str) -> bytes:
    """A response with its length."""
    content = text.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


async def main(seed: int, record: Path) -> None:
    """Serve on a free port, which is printed, until SIGTERM; then write the record."""
    target = KnownTarget(seed)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = await asyncio.start_server(target.serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await ended.wait()
    record.write_text(json.dumps(target.record), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
