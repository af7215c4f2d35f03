"""A request and its answer through FastHttpUser's connections and cookies, without what its client does beside.

Locust's client makes several objects of a request for a report that this project does not take from it, and puts the
headers together three times: a third of a request's CPU. What is sent, and what an error is called, is the same.
"""

import errno
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from geventhttpclient.client import IDEMPOTENT_METHODS, HTTPClient
from geventhttpclient.header import Headers
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError, HTTPSocketPoolResponse
from geventhttpclient.url import URL
from locust.contrib.fasthttp import FastHttpSession, FastResponse, LocustBadStatusCode

BLOCK_BYTES = 1 << 16
"""Read at once, where so much is there."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_NEVER_PLAIN = frozenset({"user-agent", "host", "content-length", "transfer-encoding", "expect"})
_BROKEN = frozenset({errno.ECONNRESET, errno.EPIPE})


class Answer(HTTPSocketPoolResponse):
    """A response whose body is put together by the parser itself, chunk by chunk: a stream has hundreds of them."""

    def _read_headers(self, pre_buffered: bytes = b"") -> None:
        self._on_body = self._body_buffer.extend  # type: ignore[method-assign,assignment]  # without a call of Python's
        super()._read_headers(pre_buffered)


def exchange(client: FastHttpSession, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Any:
    """Send the request, and read its answer's head: the rest is read from the response. Never follows a redirect.

    Raises what the HTTP client raises where no answer came.
    """
    agent: Any = client.client
    parsed, uri = _split(url)
    if len(agent.cookiejar):
        request = _request(agent, method, url, headers)
        agent.cookiejar.add_cookie_header(request)
        headers = dict(request.headers.items())
    if body and not _has_type(tuple(headers)):
        headers = {**headers, "content-type": "application/octet-stream"}
    raw = _sent(agent.clientpool.get_client(parsed), method, uri, headers, body or b"")
    if "set-cookie" in raw:
        request = _request(agent, method, url, headers)
        agent.cookiejar.extract_cookies(FastResponse(raw, request=request), request)
    if raw.status_code not in agent.valid_response_codes:
        raw.release()
        raise LocustBadStatusCode(url, code=raw.status_code)
    return raw


def _request(agent: Any, method: str, url: str, headers: Mapping[str, str]) -> Any:
    """The request as an object, as the cookies' rules want it."""
    return agent._make_request(url, method=method, headers=Headers(headers))


def _sent(connections: HTTPClient, method: str, uri: str, headers: Mapping[str, str], body: bytes) -> Any:
    """The answer, its head read. Whatever is unusual is left to the client itself."""
    connections.block_size = BLOCK_BYTES
    head = _head(connections, method, uri, headers, len(body))
    if head is None:
        return connections.request(method, uri, body=body, headers=headers)
    attempts_left = connections._connection_pool.size + 1  # as many as the client itself makes
    while True:
        is_last = method not in IDEMPOTENT_METHODS or not attempts_left
        answer = _answer(connections, method, head + body, is_last=is_last)
        if answer is not None:
            return answer
        attempts_left -= 1


def _answer(connections: HTTPClient, method: str, request: bytes, *, is_last: bool) -> Answer | None:
    """The answer to a request, sent once; None where it may be sent anew.

    That is where the connection was closed instead of an answer, as one that was idle for too long. `is_last`: then
    that is raised too.
    """
    pool, was_sent = connections._connection_pool, True
    connection = pool.get_socket()
    try:
        connection.sendall(request)
    except BaseException as error:
        was_sent = False
        if getattr(error, "errno", None) not in _BROKEN:
            pool.release_socket(connection)
            raise
    try:  # also where not all was sent: the target may have answered before it read the rest
        return Answer(connection, pool, block_size=BLOCK_BYTES, method=method, headers_type=connections.headers_type)
    except (OSError, HTTPParseError) as error:
        if is_last or (was_sent and not isinstance(error, HTTPConnectionClosed)):
            raise
    return None


def _head(connections: HTTPClient, method: str, uri: str, headers: Mapping[str, str], body_bytes: int) -> bytes | None:
    """The request's head; None where it cannot be made by just joining lines."""
    if not _are_plain(tuple(headers)):
        return None
    lines = [f"{name}: {value}" for name, value in headers.items()]
    if body_bytes or method in _WITH_BODY:
        lines.append(f"Content-Length: {body_bytes}")
    text = "\r\n".join(lines)
    words = text.replace("\r\n", "")
    if text.count("\r\n") != len(lines) - 1 or not (words.isascii() and words.isprintable()):
        return None
    return f"{_opening(connections, method, uri)}{text}\r\n\r\n".encode("ascii") if lines else None


@lru_cache(maxsize=256)
def _are_plain(names: tuple[str, ...]) -> bool:
    """Whether headers of these names need no rule of the client's."""
    lower = {name.lower() for name in names}
    words = all(name.isascii() and name.replace("-", "").isalnum() for name in names)
    return words and len(lower) == len(names) and not lower & _NEVER_PLAIN


@lru_cache(maxsize=256)
def _has_type(names: tuple[str, ...]) -> bool:
    """Whether the headers of these names say what the body is."""
    return any(name.lower() == "content-type" for name in names)


@lru_cache(maxsize=4096)
def _opening(connections: HTTPClient, method: str, uri: str) -> str:
    """The request's first line and the headers that the client adds, as the client itself makes them."""
    made: str = connections._build_request(method, uri)
    return "".join(f"{line}\r\n" for line in made.split("\r\n") if line and not line.startswith("Content-Length:"))


@lru_cache(maxsize=4096)
def _split(url: str) -> tuple[URL, str]:
    """A URL in its parts, and as the target is to see it."""
    parsed = URL(url)
    return parsed, parsed.quoted_uri
