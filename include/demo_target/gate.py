"""What every request passes: counting, rate limits, faults and metrics."""

import asyncio
import json
import random
import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from include.demo_target.endpoints import Endpoint, find_endpoint
from include.demo_target.faults import added_delay_s, of_endpoint
from include.demo_target.ratelimit import client_address
from include.demo_target.services import Services

ADMIN = "/admin/"
# Its response starts long before its answer does, so the chat room delays it itself.
DELAYED_ELSEWHERE = "chat_stream"
WORK_BETWEEN_LOOKS = 2000  # some 20 µs, so that the work is the application's own and not the clock's
NOT_OF_USERS = frozenset({"health", "api_health", "metrics", "monitoring_metrics"})


class Gate:
    """ASGI middleware around the whole target; the admin routes pass untouched."""

    def __init__(self, app: ASGIApp, services: Services, seed: int = 1) -> None:
        self._app = app
        self._services = services
        self._rng = random.Random(seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith(ADMIN):
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        run_id = headers.get(b"x-load-test-run-id")
        if run_id is not None:
            self._services.counter.count(run_id.decode(), headers.get(b"x-load-test-phase", b"").decode())
        endpoint = find_endpoint(scope["method"], scope["path"])
        passage = _Passage(self._services, endpoint, send)
        refusal = self._refusal(endpoint, scope, headers)
        try:
            if refusal is None:
                self._block(endpoint)
                await self._app(scope, receive, passage.send)
            else:
                await _answer(passage.send, *refusal)
        finally:
            passage.done()

    def _block(self, endpoint: Endpoint) -> None:
        """Hold up the whole event loop: by the work that the target is set up to do, and by a blocking call."""
        busy_s = self._services.settings.cpu_ms_per_request / 1000
        if busy_s and endpoint.name not in NOT_OF_USERS:
            # CPU time, not time: what other processes take does not make the work less.
            end_s = time.thread_time() + busy_s
            while time.thread_time() < end_s:
                sum(range(WORK_BETWEEN_LOOKS))
        blocking = self._services.faults.current.loop_blocking_ms
        if blocking:
            time.sleep(of_endpoint(blocking, endpoint.name, 0) / 1000)

    def _refusal(
        self, endpoint: Endpoint, scope: Scope, headers: dict[bytes, bytes]
    ) -> tuple[int, dict[str, Any]] | None:
        faults = self._services.faults.current
        if faults.rate_limits:
            peer = (scope.get("client") or ("unknown", 0))[0]
            address = client_address(headers.get(b"x-forwarded-for", b"").decode(), peer)
            limit = self._services.limiter.exceeded(endpoint.name, address)
            if limit is not None:
                return 429, {"error": f"Rate limit exceeded: {limit.text}"}
        if endpoint.name in faults.hidden:
            return 404, {"detail": "Not Found"}
        if faults.error_share and self._rng.random() < of_endpoint(faults.error_share, endpoint.name, 0):
            return 500, {"detail": "Internal server error"}
        return None


class _Passage:
    """One request on its way: delays the start of its response and remembers status and times."""

    def __init__(self, services: Services, endpoint: Endpoint, send: Send) -> None:
        self._services, self._endpoint, self._send = services, endpoint, send
        self._begin = time.perf_counter()
        self._to_start_s: float | None = None
        self._status = 500
        services.metrics.arrived(endpoint)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            elapsed_s = time.perf_counter() - self._begin
            if self._endpoint.name != DELAYED_ELSEWHERE:
                await asyncio.sleep(added_delay_s(self._services.faults.current, self._endpoint.name, elapsed_s))
            self._status = message["status"]
            self._to_start_s = time.perf_counter() - self._begin
        await self._send(message)

    def done(self) -> None:
        in_all_s = time.perf_counter() - self._begin
        to_start_s = in_all_s if self._to_start_s is None else self._to_start_s
        self._services.metrics.answered(self._endpoint, self._status, to_start_s, in_all_s)


async def _answer(send: Send, status: int, body: dict[str, Any]) -> None:
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
