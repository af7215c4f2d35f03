import pytest

from include.loadtest.collectors.exposed import (
    APPLICATION,
    LLM_SERVER,
    MAX_ENDPOINTS,
    Unknown,
    errors_by_endpoint,
    names_of,
    parsed,
    readings_of,
)
from include.loadtest.collectors.reader import unit_of

pytestmark = pytest.mark.unit
_WANTED = names_of(APPLICATION) | names_of(LLM_SERVER)


def _read(*pages: str) -> dict[str, float]:
    return readings_of(parsed(pages, _WANTED), APPLICATION)


def test_every_reading_has_a_unit_and_stands_in_the_table_once() -> None:
    """Of the application and of the LLM."""
    for table in (APPLICATION, LLM_SERVER):
        names = [entry.reading for entry in table]
        assert len(names) == len(set(names))
        assert all(unit_of(name) for name in names)


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (
            'llm_requests_total{status="200"} 7\nllm_requests_total{status="429"} 2\n'
            'llm_requests_total{status="500"} 1\nllm_requests_total{status="error"} 3\n',
            {"llm_calls": 13, "llm_refusals": 2, "llm_errors": 4},
        ),
        ('llm_calls_total{status="ok"} 5\n', {"llm_calls": 5, "llm_refusals": 0, "llm_errors": 0}),
        ("llm_requests_total 5\nllm_errors_total 1\n", {"llm_calls": 5, "llm_errors": 1}),
        (
            "".join(
                f'llm_calls_total{{outcome="{word}"}} 1\n'
                for word in (
                    "SUCCESS",
                    "2xx",
                    "completed",
                    "5xx",
                    "404",
                    "Failed",
                    "failure",
                    "error",
                    "timeout",
                    "timed_out",
                    "server_error",
                    "exception",
                    "rate_limit_error",
                    "throttled",
                )
            ),
            {"llm_calls": 14, "llm_refusals": 2, "llm_errors": 9},
        ),
        ('llm_calls_total{status="ok"} 5\nllm_calls_total{status="streaming"} 9\n', {"llm_calls": 14}),
        ('llm_calls_total{status="ok"} 5\nllm_calls_total{status="4xx"} 9\n', {"llm_calls": 14}),
        ('llm_calls_total{status="?"} 5\nllm_errors_total 2\n', {"llm_calls": 5, "llm_errors": 2}),
        (
            'llm_request_duration_seconds_sum{model="a"} 2.5\nllm_request_duration_seconds_sum{model="b"} 1\n'
            'llm_request_duration_seconds_count{model="a"} 3\nllm_request_duration_seconds_count{model="b"} 1\n',
            {"llm_calls": 4, "llm_wait_seconds_sum": 3.5, "llm_wait_seconds_count": 4},
        ),
        ('circuit_breaker_state{name="a"} 0\ncircuit_breaker_state{name="b"} 2\n', {"circuit_breaker_open": 1}),
        ('circuit_breaker_state{name="a"} 0\n', {"circuit_breaker_open": 0}),
        (
            'circuit_breaker_state{state="closed"} 1\ncircuit_breaker_state{state="open"} 0\n',
            {"circuit_breaker_open": 0},
        ),
        ("event_loop_lag_seconds 0.25\n", {"event_loop_lag_ms": 250}),
        ("sqlalchemy_pool_size 20\ndb_pool_checked_out 3\n", {"db_pool_size": 20, "db_pool_used": 3}),
        (
            'http_requests_total{handler="/a",code="200"} 9\nhttp_requests_total{handler="/a",code="503"} 2\n'
            'http_requests_total{handler="/b",code="404"} 4\n',
            {"responses_5xx": 2, "responses_4xx": 4},
        ),
        ("http_requests_total 9\n", {}),
        ('llm_requests_total{status="200"} NaN\n', {"llm_refusals": 0, "llm_errors": 0}),
    ],
)
def test_spellings_give_the_same_readings(page: str, expected: dict[str, float]) -> None:
    """By status where a counter has one; a sum with a part that is no number is no sum; the rest is absent."""
    assert _read(page) == expected


def test_words_that_nobody_knows_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """They may be failures or not, so the reading is absent; where another counter says it, nothing is missing."""
    caplog.set_level("INFO")
    unknown = Unknown("llm", LLM_SERVER)
    assert unknown.tell(parsed(['llm_calls_total{status="ok"} 5\n'], _WANTED)) == set()
    page = 'llm_calls_total{status="stop"} 5\nllm_calls_total{status="\x1b[31mpartial"} 1\nllm_errors_total 1\n'
    for _ in range(3):
        assert unknown.tell(parsed([page], _WANTED)) == {"llm_refusals"}
    assert [record.getMessage() for record in caplog.records] == [
        "llm: llm_refusals is not read, as nobody knows what this is: stop,  [31mpartial"
    ]


def test_a_counter_that_has_not_counted_yet_is_zero() -> None:
    """Its type stands on the page before its first series; a gauge without a series says nothing."""
    page = "# TYPE llm_requests_total counter\n# TYPE db_pool_size gauge\n"
    assert _read(page) == {"llm_calls": 0, "llm_errors": 0, "llm_refusals": 0}


def test_of_two_pages_the_first_that_has_a_metric_counts() -> None:
    """Also where the first only announces what the second has counted."""
    assert _read("db_pool_size 5\n", "db_pool_size 9\n") == {"db_pool_size": 5}
    assert _read("# TYPE llm_retries_total counter\n", "llm_retries_total 3\n") == {"llm_retries": 3}


def test_the_llms_own_page_tells_calls_in_work() -> None:
    """Of a stub and of vLLM."""
    for page in ("llm_requests_in_progress 4\n", 'vllm:num_requests_running{model_name="m"} 4\n'):
        assert readings_of(parsed([page], _WANTED), LLM_SERVER) == {"llm_in_progress": 4}


def test_errors_are_counted_by_endpoint() -> None:
    """Over methods; one without errors is 0, so that its first one is seen; hostile names are cut and escaped."""
    lines = [
        'http_requests_total{method="GET",handler="/a/{id}",status="500"} 2',
        'http_requests_total{method="POST",handler="/a/{id}",status="502"} 1',
        'http_requests_total{method="GET",handler="/b",status="404"} 9',
        'http_requests_total{status="500"} 5',
        'http_requests_total{handler="/c\\"}x",status="500"} 1',
    ]
    found = errors_by_endpoint(parsed(["\n".join(lines)], _WANTED))
    assert found['errors{endpoint="/a/{id}"}'] == 3
    assert found['errors{endpoint="/b"}'] == 0
    assert len(found) == 3
    assert {unit_of(name) for name in found} == {"responses"}
    many = "\n".join(f'http_requests_total{{handler="/{number}",status="500"}} 1' for number in range(500))
    assert len(errors_by_endpoint(parsed([many], _WANTED))) == MAX_ENDPOINTS
