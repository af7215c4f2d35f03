import socket
import threading
import time
from collections.abc import Callable

import pytest

from include.loadtest.collectors.pages import MAX_PAGE_BYTES, Page, PageClient, PageError
from tests.loadtest.collectors.conftest import NOT_FOUND, ok_answer, serving

pytestmark = pytest.mark.integration


def test_pages_are_asked_at_once_and_answer_in_order() -> None:
    """Each answers only once all are asked; a page that does not exist gives nothing and is no error."""
    all_asked = threading.Barrier(3)

    def answer(connection: socket.socket, path: str) -> None:
        all_asked.wait(5)
        connection.sendall(NOT_FOUND if path == "/none" else ok_answer(path.encode()))

    with serving(answer) as url:
        client, none = PageClient(), Page(f"{url}/none", "app")
        assert client.ask([Page(f"{url}/a", "app"), none, Page(f"{url}/b", "app")], 5) == ["/a", None, "/b"]
        assert not none.exists
        client.close()


def test_credentials_are_sent_and_not_told() -> None:
    """The address of a gateway's page may hold them; what is said of a failure names the path only."""
    headers: list[str] = []

    def answer(connection: socket.socket, _path: str) -> None:
        connection.sendall(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")

    with serving(answer, headers.append) as url:
        client = PageClient()
        (answer_of_it,) = client.ask([Page(url.replace("//", "//u:s3cret@") + "/metrics", "llm")], 5)
        client.close()
    assert str(answer_of_it) == "/metrics: status 500"
    assert "authorization: Basic dTpzM2NyZXQ=" in headers[0].replace("Authorization", "authorization")


def _drip_header(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        connection.sendall(b"a")
        time.sleep(0.05)


def _drip_body(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        connection.sendall(b"#")
        time.sleep(0.05)


def _endless(connection: socket.socket, _path: str) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"process_open_fds 1\n" * 10_000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda _connection, _path: time.sleep(10), "no answer within 0.5 s"),
        (_drip_header, "no answer within 0.5 s"),
        (_drip_body, "no answer within 0.5 s"),
        (_endless, f"larger than {MAX_PAGE_BYTES} bytes"),
        (lambda connection, _path: connection.sendall(b"\x1b[31m garbage \x00\r\n\r\n"), "/metrics: "),
        (lambda connection, _path: connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"), "status 302"),
    ],
    ids=["silent", "drips a header", "drips a body", "endless", "garbage", "redirect"],
)
def test_a_hostile_page_costs_the_timeout_only(answer: Callable[[socket.socket, str], None], reason: str) -> None:
    """The deadline is one of the whole exchange; what is said of it is one clean line."""
    with serving(answer) as url:
        client = PageClient()
        begin = time.monotonic()
        (result,) = client.ask([Page(f"{url}/metrics", "app")], 0.5)
        assert time.monotonic() - begin < 2
        client.close()
    assert isinstance(result, PageError)
    assert reason in str(result)
    assert str(result).isprintable()
