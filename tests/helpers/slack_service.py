"""The small Slack of `slack_workspace` on 127.0.0.1: `with slack_service() as slack`."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.helpers.block_kit import faults
from tests.helpers.slack_workspace import (
    CHANNEL,
    SCOPES,
    TOKEN,
    WEBHOOK_PATH,
    Canned,
    Post,
    SlackService,
    Trouble,
    method_of,
    refused,
    too_many,
)

__all__ = [
    "CHANNEL",
    "SCOPES",
    "TOKEN",
    "WEBHOOK_PATH",
    "Canned",
    "Post",
    "SlackService",
    "Trouble",
    "faults",
    "refused",
    "slack_service",
    "too_many",
]


class _Handler(BaseHTTPRequestHandler):
    service: SlackService

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        service, parts = self.service, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        method = method_of(parts.path)
        service.calls.append(method)
        trouble = service.trouble(method)
        given = self._given(parts.query, body) if method != "upload" else {}
        if trouble.is_late and service.closed.wait(trouble.slow_s):
            return
        canned = service.answer(parts.path, self.headers.get("Authorization", ""), given, body, trouble)
        if trouble.drip:
            self._drip()
        elif not trouble.is_late and trouble.slow_s and service.closed.wait(trouble.slow_s):
            return
        elif not trouble.cut:
            self._send(canned)

    def _given(self, query: str, body: bytes) -> dict[str, Any]:
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return dict(json.loads(body))
        pairs = parse_qs(query) | parse_qs(body.decode())
        return {name: values[-1] for name, values in pairs.items()}

    def _send(self, canned: Canned) -> None:
        content = canned.body.encode()
        try:
            self.send_response(canned.status)
            for name, value in {"Content-Length": str(len(content)), **canned.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            return  # the caller has gone

    def _drip(self) -> None:
        try:
            self.send_response(200)
            self.end_headers()
            while not self.service.closed.wait(0.05):
                self.wfile.write(b" ")
        except OSError:
            return

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is for its failures."""


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_: object) -> None:
        """Nothing: a caller that hangs up in the middle is meant to."""


class _Server:
    """The socket, which can be closed and opened again."""

    def __init__(self) -> None:
        self.port = 0
        self._running: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_open(self) -> bool:
        """Whether it listens."""
        return self._running is not None

    def start(self, service: SlackService) -> None:
        """Listen: the first time at any free port, later at the same again."""
        handler = type("Handler", (_Handler,), {"service": service})
        self._running = _Listener(("127.0.0.1", self.port), handler)
        self.port = self._running.server_port
        service.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._running.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Close the socket."""
        if self._running is not None and self._thread is not None:
            self._running.shutdown()
            self._running.server_close()
            self._thread.join(10)
            self._running = None


@contextmanager
def slack_service() -> Iterator[SlackService]:
    """A stand-in for the length of a block."""
    server = _Server()
    service = SlackService(server=server)
    server.start(service)
    try:
        yield service
    finally:
        service.closed.set()
        server.stop()
