"""A target that answers at once and rightly, whatever is asked, and counts: so that a generator's cost is what shows.

It runs in a process of its own. `GET /count` gives the requests that it has answered, itself not among them.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from http.client import HTTPConnection
from typing import Any, cast

import uvloop

from experiments.known_target import STREAM, content_of, response
from include.embedded.state import CHECKOUT

COUNT = "/count"
SMALL = b'data: {"content": "%s"}\n\ndata: {"content": "", "done": true}\n\n' % (b"parola " * 20)
"""A chat's whole answer, where a load is to be as fast as can be."""
STOP_WITHIN_S = 10
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


class Target(asyncio.Protocol):
    """One connection, kept alive until its other side closes it."""

    answered = 0

    def __init__(self, has_small_streams: bool) -> None:
        self._has_small_streams = has_small_streams
        self._open = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Its other side has come."""
        self._transport = cast("asyncio.Transport", transport)  # a TCP server's: uvloop has classes of its own

    def data_received(self, data: bytes) -> None:
        """Answer each request that is there in whole."""
        self._open += data
        while (end := self._open.find(b"\r\n\r\n")) >= 0:
            head = self._open[: end + 4]
            length = _LENGTH.search(head)
            whole = end + 4 + (int(length.group(1)) if length else 0)
            if len(self._open) < whole:
                return
            body, self._open = self._open[end + 4 : whole], self._open[whole:]
            self._transport.write(self._answer(head.split(b" ", 2)[1].decode(), body))

    def _answer(self, path: str, body: bytes) -> bytes:
        if path == COUNT:
            return response("text/plain", str(Target.answered))
        Target.answered += 1
        if path == STREAM and self._has_small_streams:
            return small_stream()
        return answer(path, b"" if path.endswith("/upload") else body)


@lru_cache(maxsize=4096)
def answer(path: str, body: bytes) -> bytes:
    """The whole response: each is made once."""
    return content_of(path, body)


@lru_cache
def small_stream() -> bytes:
    """The whole response to a chat, small."""
    return response("text/event-stream", SMALL.decode())


@contextmanager
def bench_target(*, small_streams: bool = False) -> Iterator[int]:
    """Its port on 127.0.0.1. Raises RuntimeError where it did not start."""
    command = [sys.executable, "-m", "experiments.bench.target", *(["small"] if small_streams else [])]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101 - PIPE was asked for above
        port = process.stdout.readline().strip()
        if not port:
            raise RuntimeError("the bench's target did not start")
        yield int(port)
    finally:
        end(process)


def end(process: subprocess.Popen[Any], within_s: float = STOP_WITHIN_S) -> None:
    """Tell a process to end, kill it if it has not within that time, and wait for it."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=within_s)
    process.kill()
    process.wait()


def answered(port: int) -> int:
    """How many requests the target has answered."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", COUNT)
        return int(connection.getresponse().read())
    finally:
        connection.close()


async def main(has_small_streams: bool) -> None:
    """Serve on a free port, which is printed, until the process is told to end."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Target(has_small_streams), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        uvloop.run(main(sys.argv[1:] == ["small"]))
