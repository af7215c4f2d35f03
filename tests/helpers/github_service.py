"""A small GitHub on 127.0.0.1 that remembers: issues, comments, checks, statuses, git objects and branches.

Every request and every answer is held against GitHub's own description (tests/helpers/github_contract.py); a request
that breaks it is answered 422, and both kinds of fault are kept in `faults`. A request is judged before anything else,
so also where the token is wrong or the answer is a trouble's.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.helpers.github_api import NAME, Answer, GitHubApi
from tests.helpers.github_contract import Operation, answer_faults, operation_of, request_faults
from tests.helpers.github_git import GitStore, Refused
from tests.helpers.github_issues import IssueStore, User

TOKEN = "github_pat_not-a-real-token"
WORKFLOW_TOKEN = "ghs_not-a-real-token"
"""A personal token (may make no check runs) and one of a workflow or App (is no user)."""
REPOSITORY = NAME
USER, BOT = User("load-test"), User("github-actions[bot]", "Bot")
_USERS = {TOKEN: USER, WORKFLOW_TOKEN: BOT}
_PER_PAGE = 30


@dataclass
class Trouble:
    """What goes wrong with a request; first it is carried out where `is_processed`.

    `slow_s`: the answer waits so long; `status`: another answer, with `headers` and `content`; `is_cut`: the
    connection ends without an answer; `is_dripping`: an answer without end, a byte at a time. `times`: for so many
    requests, None: always.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content: str = '{"message": "trouble"}'
    slow_s: float = 0.0
    is_processed: bool = False
    is_cut: bool = False
    is_dripping: bool = False
    times: int | None = None


def too_many(retry_after_s: int | None = 60, status: int = 429) -> Trouble:
    """GitHub's secondary rate limit; `status` 403 or 429."""
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return Trouble(status, headers)


@dataclass
class GitHubService:
    """A running stand-in.

    `seen`: the operations that were asked for (`issues/create`), in order; `faults`: broken rules of requests and
    answers; `troubles`: what goes wrong with an operation, or with all of them (`*`).
    """

    api: GitHubApi
    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    closed: threading.Event = field(default_factory=threading.Event)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Base URL of the API."""
        return self.api.base_url

    @property
    def git(self) -> GitStore:
        """The repository's objects and branches."""
        return self.api.git

    @property
    def issues(self) -> IssueStore:
        """Issues, labels, comments and pull requests."""
        return self.api.issues

    def count(self, operation: str) -> int:
        """How often an operation was asked for."""
        return self.seen.count(operation)

    def start(self) -> None:
        """Take connections (again), at the same address."""
        port = urlsplit(self.url).port or 0
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"service": self}))
        self._server.daemon_threads = True
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def is_up(self) -> bool:
        """Whether connections are taken."""
        return self._server is not None

    def stop(self) -> None:
        """Refuse connections from now on, and end those that are open with their next answer; what is known stays."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def trouble(self, operation: str) -> Trouble:
        """What goes wrong with this request of the operation."""
        with self.lock:
            for name in (operation, "*"):
                found = self.troubles.get(name)
                if found is None or found.times == 0:
                    continue
                if found.times is not None:
                    found.times -= 1
                return found
        return Trouble()

    def path_of(self, path: str) -> str:
        """The path of a request without what the API's own address has of it (`/api/v3`)."""
        own = urlsplit(self.url).path
        return path.removeprefix(own) if path.startswith(f"{own}/") else f"outside of the API: {path}"

    def judge(self, method: str, path: str, body: bytes) -> list[str]:
        """The rules that a request breaks; they are kept."""
        broken = request_faults(method, path, body)
        self.faults += broken
        return broken

    def answer(self, operation: Operation, path: str, token: str, body: bytes) -> Answer:
        """What GitHub says to a request that breaks no rule of the description."""
        user = _USERS.get(token)
        if user is None:
            return 401, _words(Refused(401, "Bad credentials"))
        query = dict(parse_qsl(urlsplit(path).query))
        try:
            with self.lock:
                status, document = self.api.answer(operation, user, query, json.loads(body or "{}"))
                document = json.loads(json.dumps(document))
        except Refused as refused:
            return refused.status, _words(refused)
        return status, document


def _words(refused: Refused) -> dict[str, Any]:
    words = {"message": refused.message, "documentation_url": "https://docs.github.com/rest", "status": "422"}
    return words | {"status": str(refused.status)} | ({"errors": list(refused.errors)} if refused.errors else {})


def _paged(url: str, document: Any) -> tuple[Any, str | None]:
    """The page of a list that a request asks for, and the links to its neighbours."""
    items = document if isinstance(document, list) else (document or {}).get("check_runs")
    if not isinstance(items, list):
        return document, None
    address, query = url.partition("?")[0], dict(parse_qsl(urlsplit(url).query))
    size = int(query.get("per_page", _PER_PAGE))
    page, pages = int(query.get("page", 1)), max(1, -(-len(items) // size))
    wanted = {"prev": page - 1, "next": page + 1, "last": pages, "first": 1}
    links = [
        f'<{address}?{urlencode(query | {"page": number})}>; rel="{name}"'
        for name, number in wanted.items()
        if 1 <= number <= pages and number != page
    ]
    shown = items[(page - 1) * size : page * size]
    return shown if isinstance(document, list) else document | {"check_runs": shown}, ", ".join(links) or None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: GitHubService

    def do_GET(self) -> None:
        self._answer()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - names of the standard library

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.service.path_of(self.path)
        operation = operation_of(self.command, path)
        broken = self.service.judge(self.command, path, body)
        name = operation.description["operationId"] if operation else path
        self.service.seen.append(name)
        trouble = self.service.trouble(name)

        def done() -> Answer:
            if operation is None or broken:
                return 404 if operation is None else 422, _words(Refused(422, "; ".join(broken)))
            token = self.headers.get("Authorization", "").removeprefix("token ").removeprefix("Bearer ")
            return self.service.answer(operation, path, token, body)

        self._end(trouble, operation, self._troubled(trouble, done))

    def _troubled(self, trouble: Trouble, done: Callable[[], Answer]) -> Answer:
        """The answer after what the trouble does first; another answer of its own is told later."""
        is_answered = not (trouble.status or trouble.is_cut or trouble.is_dripping)
        answer = done() if trouble.is_processed else None
        if trouble.slow_s:
            self.service.closed.wait(trouble.slow_s)
        if is_answered and answer is None:
            answer = done()
        return answer or (trouble.status or 200, None)

    def _end(self, trouble: Trouble, operation: Operation | None, answer: Answer) -> None:
        with suppress(OSError):  # a client that has gone away
            if trouble.is_cut:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            elif trouble.is_dripping:
                self._drip()
            elif trouble.status:
                self._send(trouble.status, trouble.content.encode(), trouble.headers)
            else:
                self._send_judged(operation, *answer)

    def _send_judged(self, operation: Operation | None, status: int, document: Any) -> None:
        shown, links = _paged(self.service.url + self.service.path_of(self.path), document)
        content = json.dumps(shown).encode()
        if operation is not None:
            self.service.faults += answer_faults(operation, status, content)
        self._send(status, content, {"Link": links} if links else {})

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        limits = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "4999"}
        reset = {"X-RateLimit-Reset": str(int(time.time()) + 3600)}
        sent = {"Content-Length": str(len(content)), "Content-Type": "application/json", **limits, **reset}
        sent |= {} if self.service.is_up else {"Connection": "close"}
        for key, value in {**sent, **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        while not self.service.closed.wait(0.05):
            self.wfile.write(b" ")

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is for its failures."""


@contextmanager
def github_service(path: str = "") -> Iterator[GitHubService]:
    """A stand-in for the length of a block; `path`: where its API begins, as `/api/v3` of a GitHub of one's own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    service = GitHubService(GitHubApi(f"http://127.0.0.1:{port}{path}"))
    service.start()
    try:
        yield service
    finally:
        service.closed.set()
        service.stop()
