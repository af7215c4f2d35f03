"""What is wrong as users see it, and where."""

import pytest

from include.loadtest.analysis.bottleneck.symptoms import place, symptoms
from tests.helpers.made_cases import START_S, made_case, made_requests, missed

pytestmark = pytest.mark.unit


def test_a_healthy_run_has_none() -> None:
    """Nor has one whose limits on the machine are missed: that is for the detectors to say."""
    assert symptoms(made_case()) == []
    assert symptoms(made_case(reasons=[missed("host_cpu_pct"), {"code": "operator", "text": "stopped"}])) == []


def test_missed_limits_rising_latencies_errors_and_a_worse_run_are_symptoms() -> None:
    """Each with its words, and since when where that is known."""
    requests = made_requests(
        lambda at_s, _, ms: ms + (400 if at_s > 30 else 0), lambda at_s, _: "http_error" if at_s > 50 else "ok"
    )
    found = symptoms(
        made_case(requests=requests, reasons=[missed()], reference={"latency_p90_ms": 90.0, "latency_p95_ms": 300.0})
    )
    assert [one.kind for one in found] == ["slo_missed", "latency_rose", "errors", "slower"]
    assert found[2].since_s == pytest.approx(START_S + 50, abs=1)


def test_errors_of_one_endpoint_are_placed_there() -> None:
    """With what they are; spread over several they are in no single place."""
    one = made_requests(outcome=lambda _, name: "http_error" if name == "legal_search" else "ok")
    assert place(made_case(requests=one)).endpoint == "legal_search"
    assert "(http error 500)" in place(made_case(requests=one)).what
    assert place(made_case(requests=made_requests(outcome=lambda _, __: "http_error"))).endpoint is None


def test_a_slow_endpoint_is_placed_with_and_without_a_time_before() -> None:
    """By what it took longer, or by most of the waiting."""
    late = made_requests(lambda at_s, name, ms: ms + (400 if name == "tax_iva" and at_s > 30 else 0))
    assert place(made_case(requests=late)).endpoint == "tax_iva"
    always = made_requests(lambda _, name, ms: ms + (9000 if name == "tax_iva" else 0))
    assert place(made_case(requests=always)).endpoint == "tax_iva"
    assert place(made_case(requests=made_requests(lambda _, __, ms: ms + 900))).endpoint is None


def test_what_is_slow_by_nature_is_no_place() -> None:
    """Without a time before, only what is beyond its own limit is named; else what the verdict says."""
    chat = made_requests(lambda _, name, ms: ms + (2100 if name.startswith("chat") else 0))
    said = place(made_case(requests=chat, reasons=[missed()]))
    assert (said.endpoint, said.what) == (None, "latency_p95_ms of all in hold: too high")
    both = made_requests(lambda _, name, ms: ms + {"tax_iva": 2500, "chat_simple": 2000}.get(name, 0))
    found = place(made_case(requests=both, reasons=[missed()]))
    assert found.endpoint == "tax_iva"
    assert "the limit is 2,000 ms" in found.what


def test_the_scenario_whose_limit_was_missed_is_the_place() -> None:
    """Also where the requests that were looked at are within it."""
    reason = {**missed(), "scope": "scenario:knowledge_search", "text": "knowledge_search was slow"}
    found = place(made_case(reasons=[reason]))
    assert (found.endpoint, found.what) == ("legal_search", "knowledge_search was slow")
