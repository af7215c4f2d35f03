"""What came back."""

import pytest

from include.locustfiles.call import Reply

pytestmark = pytest.mark.unit


def test_a_body_that_nobody_can_parse_is_no_json() -> None:
    """Neither text nor a nesting without end is a scenario's failure."""
    for body in (b"", b"<html>", b"\xff\xfe", 200_000 * b"["):
        assert Reply(200, body, len(body)).json() is None
    assert Reply(200, b'{"a": [1]}', 10).json() == {"a": [1]}
