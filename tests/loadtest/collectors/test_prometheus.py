import json
import socket
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from include.loadtest.collectors.prometheus import PrometheusReader, QueryError, number_in
from include.loadtest.collectors.reader import ReadingError, unit_of
from include.loadtest.profile.vocabulary import FROM_PROMETHEUS, READINGS_OF
from tests.loadtest.collectors.conftest import ok_answer, serving

pytestmark = pytest.mark.integration


def _vector(*values: str) -> bytes:
    result = [{"metric": {"n": str(number)}, "value": [1.5, value]} for number, value in enumerate(values)]
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


def _refused(reason: str) -> bytes:
    body = json.dumps({"status": "error", "errorType": "bad_data", "error": reason}).encode()
    return b"HTTP/1.1 400 Bad Request\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body


ANSWERS = {
    "good": ok_answer(_vector("42.5")),
    "none": ok_answer(_vector()),
    "two": ok_answer(_vector("1", "2")),
    "nan": ok_answer(_vector("NaN")),
    "bad": _refused("parse error: unexpected <eof>\x1b[31m"),
}


def _answer(connection: socket.socket, path: str) -> None:
    parts = urlsplit(path)
    assert parts.path == "/prometheus/api/v1/query"
    connection.sendall(ANSWERS[parse_qs(parts.query)["query"][0]])


def test_each_query_is_one_reading_and_what_gives_no_number_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """No data, several series, not a number, an expression that is wrong: absent, with one line each, and no gap."""
    queries = {"cpu_pct": "good", "memory_pct": "none", "load_1m": "two", "load_5m": "nan", "load_15m": "bad"}
    with serving(_answer) as url:
        reader = PrometheusReader(f"{url}/prometheus", queries, "prom", 5)
        assert [reader.read(), reader.read()] == [{"cpu_pct": 42.5}] * 2
        reader.close()
    lines = sorted(record.getMessage() for record in caplog.records if record.name == "loadtest.collectors")
    assert lines == [
        "prometheus: load_15m is not read: parse error: unexpected <eof> [31m",
        "prometheus: load_1m is not read: 2 series instead of one",
        "prometheus: load_5m is not read: no finite number",
        "prometheus: memory_pct is not read: no data",
    ]


def test_a_silent_server_costs_one_timeout_for_all_queries(blackhole: str) -> None:
    """They are asked at once."""
    queries = {f"load_{number}m": "good" for number in (1, 5, 15)}
    reader = PrometheusReader(f"http://{blackhole}", queries, "prom", 1)
    begin_s = time.monotonic()
    with pytest.raises(ReadingError, match="no answer within 1 s"):
        reader.read()
    assert time.monotonic() - begin_s < 2.5
    reader.close()


def test_a_server_that_is_none_is_a_gap() -> None:
    """Status 502, or a page of another program."""
    for body in (b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n", ok_answer(b"<html>"), ok_answer(b"[" * 100_000)):
        with serving(lambda connection, _path, body=body: connection.sendall(body)) as url:
            reader = PrometheusReader(url, {"cpu_pct": "x"}, "prom", 5)
            with pytest.raises(ReadingError, match=r"status 502|not Prometheus' JSON"):
                reader.read()
            reader.close()


def test_every_reading_that_a_target_file_may_define_has_a_unit() -> None:
    """The same as where another source gives it."""
    assert all(unit_of(name) for name in FROM_PROMETHEUS)
    assert len(set(FROM_PROMETHEUS)) == len(FROM_PROMETHEUS)
    for kinds in READINGS_OF.values():
        assert all(metric in FROM_PROMETHEUS for source, metric in kinds if source == "prometheus")


def test_a_scalar_is_a_number_too() -> None:
    """As `scalar(…)` gives it."""
    assert number_in({"status": "success", "data": {"resultType": "scalar", "result": [1.5, "7"]}}) == 7


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"resultType": "matrix", "result": []},
        {"resultType": "vector", "result": [3]},
        {"resultType": "vector", "result": [{"value": []}]},
        {"resultType": "scalar", "result": [1, "+Inf"]},
        {"resultType": "scalar", "result": {"a": 1}},
    ],
)
def test_other_forms_are_no_number(data: object) -> None:
    """Whatever a server writes."""
    with pytest.raises(QueryError):
        number_in({"status": "success", "data": data})
