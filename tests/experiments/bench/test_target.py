"""The bench's target answers every request of the mix rightly, and counts."""

import json
from http.client import HTTPConnection
from itertools import islice

import pytest

from experiments.bench.loads import API, _calls, bench_profile
from experiments.bench.target import Target, answered, bench_target
from include.locustfiles.call import Reply

pytestmark = pytest.mark.integration


def test_every_request_of_the_mix_is_answered_rightly_and_counted() -> None:
    """By the checks of the scenarios themselves; a question about the count is not counted."""
    profile = bench_profile(2, (0.0, 0.1))
    calls = list(islice(_calls(profile, 1), 60))
    with bench_target(small_streams=True) as port:
        connection = HTTPConnection("127.0.0.1", port, timeout=20)
        for call in calls:
            connection.request(call.method, API + call.path, call.body, dict(call.headers))
            response = connection.getresponse()
            body = response.read()
            content = _text(body) if call.stream else body
            assert (response.status, call.check(Reply(response.status, content, len(body)))) == (200, None), call
        assert answered(port) == answered(port) == len(calls)
    assert {call.endpoint for call in calls} >= {"chat_simple", "document_upload", "legal_search"}


def _text(stream: bytes) -> bytes:
    events = [json.loads(line[5:]) for line in stream.splitlines() if line.startswith(b"data:")]
    return "".join(event["content"] for event in events).encode()


def test_a_request_in_pieces_is_one() -> None:
    """Nothing is answered before all of the body is there."""
    written: list[bytes] = []

    class Transport:
        def write(self, data: bytes) -> None:
            written.append(data)

    target = Target(has_small_streams=True)
    target.connection_made(Transport())  # type: ignore[arg-type]
    target.data_received(b"POST /api/v1/documents/upload HTTP/1.1\r\ncontent-length: 4\r\n\r\nab")
    assert written == []
    target.data_received(b"cdGET /api/v1/users/me HTTP/1.1\r\n\r\n")
    assert [data.partition(b"\r\n")[0] for data in written] == 2 * [b"HTTP/1.1 200 OK"]
