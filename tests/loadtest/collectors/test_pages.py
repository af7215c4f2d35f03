import socket
import threading
import time
from collections.abc import Callable

import pytest

from include.loadtest.collectors import pages
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


FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("refusal", "meanwhile", "lines"),
    [
        (NOT_FOUND, "None", ["app: /metrics is not exposed (status 404)"]),
        (FORBIDDEN, "/metrics: status 403", []),
    ],
    ids=["not there", "not allowed"],
)
def test_a_page_that_is_not_for_us_is_asked_for_again_after_a_while(
    refusal: bytes, meanwhile: str, lines: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not at each reading; what is not allowed is an error all the time. Once seen, it is asked for always."""
    caplog.set_level("INFO", "loadtest.collectors")
    asked: list[str] = []

    def answer(connection: socket.socket, path: str) -> None:
        asked.append(path)
        connection.sendall(refusal if len(asked) < 3 else ok_answer(b"up 1") if len(asked) == 3 else NOT_FOUND)

    with serving(answer) as url:
        client, page = PageClient(), Page(f"{url}/metrics", "app")
        assert [str(client.ask([page], 5)[0]) for _ in range(3)] == [meanwhile] * 3
        assert len(asked) == 1
        monkeypatch.setattr(pages, "ASKED_AGAIN_S", 0.0)
        page.rests_until_s = 0.0
        assert [str(client.ask([page], 5)[0]) for _ in range(3)] == [meanwhile, "up 1", "/metrics: status 404"]
        client.close()
    assert [record.getMessage() for record in caplog.records if record.name == "loadtest.collectors"] == lines


def test_a_page_is_asked_for_again_every_minute() -> None:
    """As docs/monitoring.md says."""
    assert pages.ASKED_AGAIN_S == 60


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
