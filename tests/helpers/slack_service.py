"""A small Slack on 127.0.0.1: chat.postMessage and one incoming webhook, with Slack's limits and its own answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "xoxb-1234567890-not-a-real-token"
CHANNELS = ("#load-tests", "C0123456789")
WEBHOOK_PATH = "/services/T00000000/B00000000/not-a-real-webhook"
API_PATH = "/api/chat.postMessage"
# The reference pages of chat.postMessage and of the blocks (docs.slack.dev); only what a message of this project uses.
_ARGUMENTS = {"text", "blocks", "channel", "parse", "link_names", "unfurl_links", "unfurl_media", "thread_ts"}
_TEXT_KEYS = {"mrkdwn": {"type", "text", "verbatim"}, "plain_text": {"type", "text", "emoji"}}
_BLOCK_KEYS = {
    "header": {"type", "block_id", "text"},
    "section": {"type", "block_id", "text", "fields"},
    "context": {"type", "block_id", "elements"},
    "divider": {"type", "block_id"},
}


@dataclass(frozen=True)
class Canned:
    """An answer that is given whatever was sent; `body` as it goes over the wire."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)


def too_many(retry_after: str | None) -> Canned:
    """Slack's answer to an app that sends too much."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Canned(429, '{"ok":false,"error":"ratelimited"}', headers)


def faults(payload: dict[str, Any]) -> list[str]:
    """Every rule of Slack that a message breaks."""
    found = [f"unknown argument {name}" for name in payload.keys() - _ARGUMENTS]
    if not isinstance(payload.get("text"), str) or not 0 < len(payload["text"]) <= 4000:
        found.append("text: 1 to 4000 characters wanted")
    blocks = payload.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 50:
        return [*found, "blocks: a list of 1 to 50 wanted"]
    for number, block in enumerate(blocks):
        found += [f"blocks/{number}: {fault}" for fault in _block_faults(block)]
    return found


def _block_faults(block: dict[str, Any]) -> list[str]:
    kind = block.get("type")
    if kind not in _BLOCK_KEYS:
        return [f"unknown type {kind!r}"]
    found = [f"unknown key {key}" for key in block.keys() - _BLOCK_KEYS[kind]]
    if kind == "header":
        found += _text_faults(block.get("text"), 150, ("plain_text",))
    if kind == "section":
        if "text" not in block and "fields" not in block:
            found.append("neither text nor fields")
        if "text" in block:
            found += _text_faults(block["text"], 3000)
        found += _list_faults(block.get("fields", [{}]), 2000) if "fields" in block else []
    if kind == "context":
        found += _list_faults(block.get("elements"), 3000)
    return found


def _list_faults(texts: Any, limit: int) -> list[str]:
    if not isinstance(texts, list) or not 1 <= len(texts) <= 10:
        return ["a list of 1 to 10 texts wanted"]
    return [fault for text in texts for fault in _text_faults(text, limit)]


def _text_faults(text: Any, limit: int, types: tuple[str, ...] = ("mrkdwn", "plain_text")) -> list[str]:
    if not isinstance(text, dict) or text.get("type") not in types:
        return [f"a text object of {types} wanted"]
    found = [f"unknown key {key}" for key in text.keys() - _TEXT_KEYS[text["type"]]]
    if not isinstance(text.get("text"), str) or not 1 <= len(text["text"]) <= limit:
        found.append(f"1 to {limit} characters wanted")
    return found


@dataclass
class SlackService:
    """A running stand-in. `messages`: what was taken; `seen`: how many requests came; `next`: answers to give first."""

    url: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    seen: int = 0
    next: list[Canned] = field(default_factory=list)
    mode: str = "answer"
    """`answer`; `hang`: says nothing; `cut`: ends the connection; `drip`: an answer without end, a byte at a time."""
    closed: threading.Event = field(default_factory=threading.Event)

    @property
    def base_url(self) -> str:
        """For a bot token."""
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        """The one webhook that exists."""
        return self.url + WEBHOOK_PATH

    def answer(self, path: str, authorization: str, payload: dict[str, Any]) -> Canned:
        """What Slack says to a request."""
        if self.next:
            return self.next.pop(0)
        return self._api(authorization, payload) if path == API_PATH else self._webhook(path, payload)

    def _api(self, authorization: str, payload: dict[str, Any]) -> Canned:
        broken = faults(payload)
        if authorization != f"Bearer {TOKEN}":
            error = "invalid_auth" if authorization else "not_authed"
        elif payload.get("channel") not in CHANNELS:
            error = "channel_not_found"
        elif broken:
            self.faults += broken
            error = "invalid_blocks"
        else:
            self.messages.append(payload)
            moment = f"1700000000.{len(self.messages):06d}"
            return Canned(200, json.dumps({"ok": True, "channel": "C0123456789", "ts": moment}))
        return Canned(200, json.dumps({"ok": False, "error": error}))

    def _webhook(self, path: str, payload: dict[str, Any]) -> Canned:
        broken = faults(payload) + [
            f"{name}: a webhook has none" for name in ("channel", "thread_ts") if name in payload
        ]
        if path != WEBHOOK_PATH:
            return Canned(404, "no_service")
        if broken:
            self.faults += broken
            return Canned(400, "invalid_payload")
        self.messages.append(payload)
        return Canned(200, "ok")


@contextmanager
def slack_service() -> Iterator[SlackService]:
    """A stand-in for the length of a block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            service.seen += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if service.mode == "hang":
                service.closed.wait()
            elif service.mode == "drip":
                self._drip()
            elif service.mode != "cut":
                assert self.headers["Content-Type"].startswith("application/json")
                self._send(service.answer(self.path, self.headers.get("Authorization", ""), json.loads(body)))

        def _send(self, canned: Canned) -> None:
            content = canned.body.encode()
            self.send_response(canned.status)
            for name, value in {"Content-Length": str(len(content)), **canned.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _drip(self) -> None:
            self.send_response(200)
            self.end_headers()
            while not service.closed.wait(0.05):
                self.wfile.write(b" ")

        def log_message(self, *_: object) -> None:
            """Nothing: a test's output is for its failures."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service = SlackService(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.closed.set()
        server.shutdown()
        server.server_close()
        thread.join(10)
