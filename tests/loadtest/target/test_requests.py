import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from include.loadtest.target.requests import Answer, exchange, forwarded_address, http_client, request_headers
from include.loadtest.target.settings import Target, TargetFile


def _target(*, forwarded_for: bool) -> Target:
    return Target.checked(TargetFile(name="demo", forwarded_for=forwarded_for), "http://127.0.0.1")


@pytest.mark.unit
def test_every_user_has_an_address_of_its_own() -> None:
    """200 addresses of the benchmark network, none twice."""
    addresses = [forwarded_address(number) for number in range(1, 501)]
    assert addresses[0] == "198.18.0.2"
    assert addresses[249] == "198.18.1.1"
    assert len(set(addresses)) == 500


@pytest.mark.unit
def test_headers_name_run_phase_and_trace() -> None:
    """The forwarded address is sent only where the target trusts it."""
    headers = request_headers(_target(forwarded_for=False), "smoke-1", "login", 3)
    assert headers["X-Load-Test-Run-Id"] == "smoke-1"
    assert headers["X-Load-Test-Phase"] == "login"
    assert [len(part) for part in headers["traceparent"].split("-")] == [2, 32, 16, 2]
    assert "X-Forwarded-For" not in headers
    assert request_headers(_target(forwarded_for=True), "r", "load", 3)["X-Forwarded-For"] == "198.18.0.4"
    with pytest.raises(ValueError, match="unknown phase"):
        request_headers(_target(forwarded_for=False), "r", "warmup", 3)


@pytest.mark.unit
def test_an_answer_without_json_is_an_empty_object() -> None:
    """A proxy's page of HTML, or a list, is no object."""
    assert Answer(200, "<html>").json() == {}
    assert Answer(200, "[1]").json() == {}
    assert Answer(200, '{"a": 1}').json() == {"a": 1}


@pytest.fixture
def dripping() -> Iterator[str]:
    """A server that answers one byte every 50 ms, without end."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            try:
                while not stopped.wait(0.05):
                    connection.sendall(b".")
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    stopped.set()
    thread.join(5)
    listener.close()


@pytest.mark.integration
def test_an_answer_that_drips_ends_with_the_bound(dripping: str) -> None:
    """Each byte comes in time, but the whole does not."""
    started = time.monotonic()
    target = Target.checked(TargetFile(name="demo"), dripping)
    with http_client(target, 5) as client, pytest.raises(httpx.ReadTimeout):
        exchange(client, "GET", dripping, timeout_s=0.3, headers={})
    assert time.monotonic() - started < 60  # all bytes would take an hour
