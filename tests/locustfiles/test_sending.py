"""Answers that are cut, refused or redirected have an outcome of their own; none passes for a censored request."""

import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.integration
# Locust patches sockets, so it is imported in a process of its own.
PROBE = """
import sys
from locust.contrib.fasthttp import FastHttpSession
from include.locustfiles.call import Call
from include.locustfiles.sending import send
client = FastHttpSession(sys.argv[1], request_event=None, user=None, max_retries=0, max_redirects=0,
                         network_timeout=10.0, connection_timeout=10.0)
client.client.valid_response_codes = frozenset(range(100, 600))
client.client.redirect_response_codes = frozenset()
for stream in (False, True):
    call = Call("x", "POST", "/", lambda reply: None, body=b"{}", stream=stream)
    print(send(client, call, sys.argv[1] + "/", {}, 3.0).outcome)
"""


@pytest.mark.parametrize(
    ("answer", "outcomes"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", ["connection_error"] * 2),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", ["connection_error"] * 2),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", ["http_error"] * 2),
        (b"garbage\r\n\r\n", ["connection_error"] * 2),
        (b"", ["connection_error"] * 2),
    ],
    ids=["cut", "cut chunk", "redirect", "garbage", "nothing"],
)
def test_a_broken_answer_is_an_error(answer: bytes, outcomes: list[str]) -> None:
    """The server sends the bytes and closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)

    def serve() -> None:
        for _ in outcomes:
            connection, _ = listener.accept()
            connection.recv(65536)
            connection.sendall(answer)
            connection.close()

    server = threading.Thread(target=serve, daemon=True)
    server.start()
    command = [sys.executable, "-c", PROBE, f"http://127.0.0.1:{listener.getsockname()[1]}"]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    probe = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    listener.close()
    assert probe.stdout.split() == outcomes, probe.stdout + probe.stderr
