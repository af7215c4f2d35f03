"""Sends one call through FastHttpUser's client and names its outcome."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from locust.contrib.fasthttp import FastHttpSession

from include.loadtest.scenarios.checks import fingerprint
from include.locustfiles.call import Call, Reply
from include.locustfiles.chat import StreamReader
from include.locustfiles.events import FRAME_END
from include.locustfiles.wire import exchange

MAX_BODY_BYTES = 16 * 1024 * 1024
"""More of a body is not read: the target is not trusted with the generator's memory."""


class RequestTimedOutError(BaseException):
    """The patience of one request is over. Not an Exception: the HTTP client would wrap and hide it."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a request ended; `error` is a fingerprint, None for `ok`. `status` is None where no response came.

    `content`: the body of a refusal, as it came.
    """

    outcome: str
    error: str | None
    status: int | None
    size: int | None
    ttfb_us: int | None
    content: bytes = b""


def send(client: FastHttpSession, call: Call, url: str, headers: Mapping[str, str], timeout_s: float) -> Result:
    """One request, from its first byte to the end of its answer; never more than `timeout_s` seconds.

    Raises what the call's own check raises.
    """
    timer = gevent.Timeout.start_new(timeout_s, RequestTimedOutError())
    started_ns = time.perf_counter_ns()
    try:
        reply = _exchange(client, call, url, headers, started_ns)
    except RequestTimedOutError:
        return Result("timeout", f"timeout after {timeout_s:g} s", None, None, None)
    except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - also the parser's own classes
        return Result("connection_error", f"connection: {_cause(error)}", None, None, None)
    finally:
        timer.close()
    return _judged(call, reply)


def _exchange(
    client: FastHttpSession, call: Call, url: str, headers: Mapping[str, str], started_ns: int
) -> Reply:
    """The whole answer. Raises what the HTTP client raises where none came."""
    raw = exchange(client, call.method, url, headers, call.body)
    status = int(raw.status_code)
    return _read_stream(raw, status, started_ns) if call.stream and status == 200 else _read_body(raw, status)


def _read_stream(raw: Any, status: int, started_ns: int) -> Reply:
    reader = StreamReader(started_ns)
    while not reader.finished:
        frame = raw.readline(FRAME_END)
        if not frame:
            break
        reader.feed(frame + _frames_there(raw))
    raw.read() if reader.done else raw.release()
    return reader.reply(status)


def _frames_there(raw: Any) -> bytes:
    """Further whole frames that have come already."""
    at = raw._body_buffer.rfind(FRAME_END)
    return bytes(raw.read(at + len(FRAME_END))) if at >= 0 else b""


def _read_body(raw: Any, status: int) -> Reply:
    parts: list[bytes] = []
    size = 0
    while size < MAX_BODY_BYTES and (chunk := raw.read(65536)):
        parts.append(bytes(chunk))
        size += len(chunk)
    return Reply(status, b"".join(parts), size)


def _judged(call: Call, reply: Reply) -> Result:
    if reply.status == 429:
        return _result("rejected", _status_error(reply), reply)
    if not 200 <= reply.status < 300:
        return _result("http_error", _status_error(reply), reply)
    error = call.check(reply)
    return _result("ok" if error is None else "wrong_answer", error, reply)


def _result(outcome: str, error: str | None, reply: Reply) -> Result:
    return Result(outcome, error, reply.status, reply.size, reply.ttfb_us, b"" if error is None else reply.content)


def _status_error(reply: Reply) -> str:
    return f"HTTP {reply.status}: {fingerprint(reply.text)}"


def _cause(error: BaseException) -> str:
    """A bounded name of a failed connection; the address in the message is left out."""
    inner = error.__dict__.get("original") or error
    number = getattr(inner, "errno", None)
    return f"{type(inner).__name__}{f' errno {number}' if number else ''}"
