"""A small Slack that remembers: messages, threads, edits, files, one webhook, with Slack's own answers."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.helpers.block_kit import faults as rule_faults

TOKEN = "xoxb-1234567890-not-a-real-token"
CHANNEL = "C0123456789"
CHANNELS = ("#load-tests", CHANNEL)
WEBHOOK_PATH = "/services/T00000000/B00000000/not-a-real-webhook"
UPLOAD_PATH = "/upload/v1/not-a-real-upload/"
SCOPES = frozenset({"chat:write", "channels:history", "channels:read", "files:write"})
_SCOPE_OF = {
    "chat": "chat:write",
    "conversations": "channels:history",
    "conversations.list": "channels:read",
    "files": "files:write",
}
_FIRST_S = 1_700_000_000
"""Time stamps count from here, one microsecond a message, whatever the clock says."""


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


def refused(error: str, **more: Any) -> Canned:
    """Slack says no."""
    return Canned(200, json.dumps({"ok": False, "error": error, **more}))


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a method: it answers after `slow_s`, done or not; with `canned` it answers that.

    `is_late`: done only after `slow_s`; `cut`: it ends the connection instead of an answer; `drip`: it sends a byte
    now and then and never ends.
    """

    slow_s: float = 0.0
    is_done: bool = True
    is_late: bool = False
    canned: Canned | None = None
    cut: bool = False
    drip: bool = False


@dataclass
class Post:
    """A message as readers see it now; `payload`: as it was sent first, `edits`: how often it was changed."""

    channel: str
    ts: str
    payload: dict[str, Any]
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None = None
    metadata: dict[str, Any] | None = None
    files: list[dict[str, Any]] = field(default_factory=list)
    edits: int = 0
    is_others: bool = False

    def document(self, with_metadata: bool) -> dict[str, Any]:
        """As the API gives it."""
        found = {"type": "message", "ts": self.ts, "text": self.text, "blocks": self.blocks, "files": self.files}
        found |= {"thread_ts": self.thread_ts} if self.thread_ts else {}
        return found | ({"metadata": self.metadata} if with_metadata and self.metadata else {})


class Listening(Protocol):
    """The socket, which can be closed and opened again."""

    @property
    def is_open(self) -> bool: ...

    def start(self, service: "SlackService") -> None: ...

    def stop(self) -> None: ...


@dataclass
class SlackService:
    """A running stand-in.

    posts     what readers see, oldest first; `messages`: payloads as they were taken, also those of the webhook
    faults    rules that were broken; what breaks one is refused
    calls     methods that were called (`webhook`, `upload` too), in order
    next      answers to give first, to whatever is asked
    troubles  by method, or `*` for all
    token, scopes, hook_path  what is accepted
    """

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    next: list[Canned] = field(default_factory=list)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    token: str = TOKEN
    scopes: frozenset[str] = SCOPES
    hook_path: str = WEBHOOK_PATH
    closed: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    count: int = 0
    server: "Listening | None" = None

    @property
    def base_url(self) -> str:
        """For a bot token."""
        return f"{self.url}/api/"

    @property
    def webhook_url(self) -> str:
        """The one webhook that exists."""
        return self.url + WEBHOOK_PATH

    @property
    def seen(self) -> int:
        """How many requests came."""
        return len(self.calls)

    def thread(self, ts: str | None) -> list[Post]:
        """The replies to a message."""
        return [post for post in self.posts if post.thread_ts == ts]

    def delete(self, ts: str) -> None:
        """What a person does."""
        self.posts = [post for post in self.posts if post.ts != ts]

    @property
    def is_up(self) -> bool:
        """Whether connections are taken."""
        return self.server is not None and self.server.is_open

    def down(self) -> None:
        """Refuse connections from now on."""
        assert self.server is not None
        self.server.stop()

    def up(self) -> None:
        """Listen again, at the same address."""
        assert self.server is not None
        self.server.start(self)

    def trouble(self, method: str) -> Trouble:
        """What is wrong with this call of the method."""
        return self.troubles.get(method) or self.troubles.get("*") or Trouble()

    def answer(self, path: str, authorization: str, given: dict[str, Any], body: bytes, trouble: Trouble) -> Canned:
        """What Slack says to a request, with what is wrong with it."""
        method = method_of(path)
        with self.lock:
            if self.next:
                return self.next.pop(0)
        if trouble.canned is not None and not trouble.is_done:
            return trouble.canned
        if not trouble.is_done:
            return refused("request_timeout")
        with self.lock:
            said = self._said(method, path, authorization, given, body)
        return trouble.canned or said

    def _said(self, method: str, path: str, authorization: str, given: dict[str, Any], body: bytes) -> Canned:
        if method == "webhook":
            return self._webhook(path, given)
        if method == "upload":
            self.uploads[path.removeprefix(UPLOAD_PATH)] = body
            return Canned(200, f"OK - {len(body)}")
        if authorization != f"Bearer {self.token}":
            return refused("invalid_auth" if authorization else "not_authed")
        needed = _SCOPE_OF.get(method) or _SCOPE_OF.get(method.split(".", maxsplit=1)[0])
        if needed and needed not in self.scopes:
            return refused("missing_scope", needed=needed)
        known: dict[str, Callable[[dict[str, Any]], dict[str, Any] | str]] = {
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "conversations.list": lambda _: {"channels": [{"id": CHANNEL, "name": CHANNELS[0].removeprefix("#")}]},
            "conversations.history": self._history,
            "conversations.replies": self._history,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
            "auth.test": lambda _: {"user_id": "U0BOT", "team": "stand-in"},
        }
        if method not in known:
            return refused("unknown_method")
        outcome = known[method](given)
        return refused(outcome) if isinstance(outcome, str) else Canned(200, json.dumps({"ok": True, **outcome}))

    def _post(self, given: dict[str, Any]) -> dict[str, Any] | str:
        if given.get("channel") not in CHANNELS:
            return "channel_not_found"
        if broken := rule_faults(given, "chat.postMessage"):
            self.faults += broken
            return "invalid_blocks"
        if given.get("thread_ts") and not self._at(given["thread_ts"]):
            return "thread_not_found"
        self.messages.append(given)
        post = self._add(given, given["text"], given["blocks"], given.get("thread_ts"), given.get("metadata"))
        return {"channel": CHANNEL, "ts": post.ts, "message": post.document(False)}

    def _add(
        self,
        given: dict[str, Any],
        text: str,
        blocks: list[dict[str, Any]],
        thread_ts: str | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> Post:
        self.count += 1
        post = Post(CHANNEL, f"{_FIRST_S}.{self.count:06d}", given, text, blocks, thread_ts, metadata)
        self.posts.append(post)
        return post

    def _at(self, ts: str) -> Post | None:
        return next((post for post in self.posts if post.ts == ts), None)

    def _update(self, given: dict[str, Any]) -> dict[str, Any] | str:
        if given.get("channel") != CHANNEL:  # a name is not enough here
            return "channel_not_found"
        if broken := rule_faults(given, "chat.update"):
            self.faults += broken
            return "invalid_blocks"
        post = self._at(given["ts"])
        if post is None:
            return "message_not_found"
        if post.is_others:
            return "cant_update_message"
        post.text, post.blocks, post.edits = given["text"], given["blocks"], post.edits + 1
        return {"channel": CHANNEL, "ts": post.ts, "text": post.text}

    def _history(self, given: dict[str, Any]) -> dict[str, Any] | str:
        """Newest first, as Slack; of a thread the oldest first, its parent among them."""
        if given.get("channel") != CHANNEL:
            return "channel_not_found"
        if "ts" in given:
            if not self._at(given["ts"]):
                return "thread_not_found"
            found = [post for post in self.posts if given["ts"] in (post.ts, post.thread_ts)]
        else:
            found = [post for post in reversed(self.posts) if post.thread_ts is None]
        start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        page = found[start : start + limit]
        more = str(start + limit) if start + limit < len(found) else ""
        with_metadata = str(given.get("include_all_metadata", "")).lower() in ("1", "true")
        documents = [post.document(with_metadata) for post in page]
        return {"messages": documents, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _upload_url(self, given: dict[str, Any]) -> dict[str, Any] | str:
        if not given.get("filename") or int(given.get("length") or 0) < 1:
            return "invalid_arguments"
        self.count += 1
        file_id = f"F{self.count:010d}"
        return {"upload_url": f"{self.url}{UPLOAD_PATH}{file_id}", "file_id": file_id}

    def _complete(self, given: dict[str, Any]) -> dict[str, Any] | str:
        files = json.loads(given.get("files") or "[]")
        if not files or any(file.get("id") not in self.uploads for file in files):
            return "file_not_found"
        if given.get("channel_id") != CHANNEL or not self._at(given.get("thread_ts") or ""):
            return "invalid_channel"
        post = self._add(given, given.get("initial_comment") or "", [], given["thread_ts"])
        post.files = files
        return {"files": files}

    def _webhook(self, path: str, given: dict[str, Any]) -> Canned:
        if path != self.hook_path:
            return Canned(404, "no_service")
        if broken := rule_faults(given, "webhook"):
            self.faults += broken
            return Canned(400, "invalid_payload")
        self.messages.append(given)
        self._add(given, given["text"], given["blocks"])
        return Canned(200, "ok")


def method_of(path: str) -> str:
    """A method of the API, `webhook` or `upload`."""
    if path.startswith("/services/"):
        return "webhook"
    return "upload" if path.startswith(UPLOAD_PATH) else path.removeprefix("/api/")
