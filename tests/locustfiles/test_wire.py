"""What a user sends and takes back over its connection is what Locust's own client would."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration
EVENTS = [f'data: {{"content": "{word} ", "done": false}}\n\n'.encode() for word in ("una", "due", "tre")]
LAST = b'data: {"content": "", "done": true}\n\n'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SETS_COOKIE = b"HTTP/1.1 200 OK\r\nSet-Cookie: seat=17; Path=/\r\nContent-Length: 2\r\n\r\n{}"
# Locust patches sockets, so it is imported in a process of its own.
PROBE = """
import json, sys
from locust.contrib.fasthttp import FastHttpSession
from include.locustfiles.call import Call
from include.locustfiles.sending import send
base, asked = sys.argv[1], json.loads(sys.argv[2])
client = FastHttpSession(base, request_event=None, user=None, max_retries=0, max_redirects=0,
                         network_timeout=10.0, connection_timeout=10.0)
client.client.valid_response_codes = frozenset(range(100, 600))
client.client.redirect_response_codes = frozenset()
for method, headers, body in asked:
    if len(sys.argv) > 3:
        client.request(method, base + "/a%20b?c=d", data=body and body.encode(), headers=dict(headers),
                       catch_response=True)
        continue
    stream = body == "stream"
    said = lambda reply: f"{reply.size} bytes, {reply.text}" if stream else None
    call = Call("x", method, "/", said, body=body and body.encode(), stream=stream)
    result = send(client, call, base + "/a%20b?c=d", headers, 5.0)
    print(result.outcome, result.status, result.error, sep=";")
"""


@dataclass
class Answering:
    """Answers request after request with these bytes, None: closes instead; keeps what came."""

    answers: list[bytes | None]
    came: list[bytes] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        """Until the listener is closed."""
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                while (request := _request(connection)) is not None:
                    self.came.append(request)
                    answer = self.answers[len(self.came) - 1]
                    if answer is None:
                        break
                    connection.sendall(answer)


def _request(connection: socket.socket) -> bytes | None:
    """One request, with its body."""
    got = b""
    while b"\r\n\r\n" not in got or len(got.partition(b"\r\n\r\n")[2]) < _length(got):
        piece = connection.recv(65536)
        if not piece:
            return None
        got += piece
    return got


def _length(request: bytes) -> int:
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")
    return next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)


@contextmanager
def _answering(*answers: bytes | None) -> Iterator[tuple[str, Answering]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Answering(list(answers))
        threading.Thread(target=server.serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", server


def _sent(base: str, *asked: tuple[str, dict[str, str], str | None], plain: bool = False) -> list[str]:
    command = [sys.executable, "-c", PROBE, base, json.dumps(asked), *(["plain"] if plain else [])]
    environment: dict[str, Any] = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    probe = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert probe.returncode == 0, probe.stderr
    return probe.stdout.splitlines()


def test_a_request_is_what_the_client_would_send() -> None:
    """The same first line, headers and body, in whatever order the headers stand."""
    headers = {"Accept-Encoding": "identity", "X-One": "1", "Authorization": "Bearer t"}
    asked = [("POST", headers, '{"a": "è"}'), ("POST", headers, None), ("GET", headers, None), ("PUT", headers, "x")]
    with _answering(*8 * [OK]) as (base, server):
        assert _sent(base, *asked) == 4 * ["ok;200;None"]
        _sent(base, *asked, plain=True)
    ours, theirs = server.came[:4], server.came[4:]
    assert [_parts(one) for one in ours] == [_parts(one) for one in theirs]


def _parts(request: bytes) -> tuple[bytes, list[bytes], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    return first, sorted(lines), body


@pytest.mark.parametrize("value", ["a\r\nX-Two: 2", "a\nb", "a\x00b", "a\x7fb"], ids=["line", "break", "nul", "delete"])
def test_a_header_never_becomes_two(value: str) -> None:
    """What no header may hold is refused before anything is sent."""
    with _answering(OK) as (base, server):
        assert _sent(base, ("GET", {"X-One": value}, None)) == ["connection_error;None;connection: ValueError"]
    assert server.came == []


def test_a_name_that_the_client_knows_better_is_left_to_it() -> None:
    """A host of the scenario's own stands once in the request."""
    with _answering(OK) as (base, server):
        assert _sent(base, ("GET", {"Host": "elsewhere", "X-Über": "1"}, None)) == [
            "connection_error;None;connection: ValueError"
        ]
        assert _sent(base, ("GET", {"host": "elsewhere"}, None)) == ["ok;200;None"]
    assert [line for line in server.came[0].split(b"\r\n") if line.lower().startswith(b"host:")] == [b"host: elsewhere"]


def test_cookies_come_back() -> None:
    """What one answer sets, the next request carries."""
    with _answering(SETS_COOKIE, OK) as (base, server):
        assert _sent(base, ("GET", {"X-One": "1"}, None), ("POST", {"X-One": "1"}, "x")) == 2 * ["ok;200;None"]
    assert b"cookie" not in server.came[0].lower()
    assert b"\r\nCookie: seat=17\r\n" in server.came[1]


def test_only_what_may_be_repeated_is() -> None:
    """The target closes the connection instead of an answer: a GET is sent anew, a POST may have been carried out."""
    with _answering(OK, None, OK) as (base, server):
        assert _sent(base, ("GET", {"X-One": "1"}, None), ("GET", {"X-One": "1"}, None)) == 2 * ["ok;200;None"]
    assert len(server.came) == 3
    with _answering(OK, None, OK) as (base, server):
        ended = _sent(base, ("GET", {"X-One": "1"}, None), ("POST", {"X-One": "1"}, "x"))
    assert ended == ["ok;200;None", "connection_error;None;connection: HTTPConnectionClosed"]
    assert len(server.came) == 2


def test_a_target_that_always_closes_gets_no_more_than_from_the_client() -> None:
    """Each of its attempts reaches the target: as many as the client makes, not one beside them."""
    came = []
    for plain in (False, True):
        with _answering(*50 * [None]) as (base, server):
            _sent(base, ("GET", {"X-One": "1"}, None), plain=plain)
            came.append(len(server.came))
    assert 1 < came[0] <= came[1]


def test_a_stream_in_chunks_is_one_answer() -> None:
    """However its chunks cut its events; the connection serves the next request."""
    content = b"".join([b": wait\n\n", *EVENTS, LAST])
    cuts = [content[at : at + 37] for at in range(0, len(content), 37)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(cut), cut) for cut in [*cuts, b""])
    streamed = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with _answering(streamed, OK) as (base, server):
        ended = _sent(base, ("POST", {"X-One": "1"}, "stream"), ("GET", {"X-One": "1"}, None))
    assert ended == [f"wrong_answer;200;{len(content)} bytes, una due tre ", "ok;200;None"]
    assert len(server.came) == 2
