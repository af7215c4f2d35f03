"""Lines of k6 become samples."""

import json
from pathlib import Path
from typing import Any

import pytest

from include.k6.points import Points
from include.loadtest.profile import find_profile, load_profile
from include.loadtest.recorder import Sample
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import NOT_JUDGED

pytestmark = pytest.mark.unit

BEGAN_NS = 1_795_705_625_588 * 1_000_000
STAMP = "2026-11-26T15:07:{:02d}.{:09d}Z"
"""At 15:07:05.588 the load of these tests begins."""


def line(metric: str, after_ns: int, **facts: Any) -> bytes:
    at_ns = 5_588_000_000 + after_ns
    stamp = STAMP.format(at_ns // 1_000_000_000, at_ns % 1_000_000_000)
    metadata = {"loadtest": json.dumps({"user": 7, "change": 1, **facts})}
    data = {"time": stamp, "value": 1, "tags": {}, "metadata": metadata}
    return json.dumps({"metric": f"loadtest_{metric}", "type": "Point", "data": data}, separators=(",", ":")).encode()


def started(after_ns: int, think_s: float | None = None, iteration: int = 0, **facts: Any) -> bytes:
    asked = {"scenario": "simple_query", "endpoint": "chat_simple", "think_s": think_s, "iteration": iteration}
    return line("started", after_ns, began_ms=BEGAN_NS // 1_000_000, **(asked | facts))


def judged(after_ns: int, **facts: Any) -> bytes:
    return line("judged", after_ns, **({"outcome": "ok", "status": 200, "bytes": 5} | facts))


def answer(points: Points, after_ns: int, **facts: Any) -> None:
    """The answer is there; the script took 40 ms to judge it."""
    points.feed(line("answered", after_ns))
    points.feed(judged(after_ns + 40_000_000, **facts))


@pytest.fixture
def samples() -> list[Sample]:
    return []


@pytest.fixture
def points(samples: list[Sample], tmp_path: Path) -> Points:
    plan = GeneratorPlan(
        run_id="smoke-1",
        base_url="http://127.0.0.1:9",
        api_prefix="/api/v1",
        profile=load_profile(find_profile("smoke")),
        bundle=tmp_path,
        sessions_file=tmp_path / "s",
        user_numbers=(7, 8),
        forwarded_for=False,
        caps=(),
        worker="w0",
    )
    return Points(plan, samples.append)


def test_a_request_is_wanted_when_the_think_time_after_the_last_one_is_over(
    points: Points, samples: list[Sample]
) -> None:
    """To the nanosecond: the last answer, the pause, a start that came 3 ms late, the answer; judging takes no part."""
    points.feed(started(1_000_001))
    answer(points, 31_000_001)
    points.feed(started(534_000_001, 0.5, 1))
    answer(points, 634_123_456)
    first, second = samples
    assert (first.intended_start, first.start) == (BEGAN_NS + 1_000_001, BEGAN_NS + 1_000_001)
    assert first.latency_us == 30_000
    assert second.intended_start == BEGAN_NS + 531_000_001
    assert second.start == BEGAN_NS + 534_000_001
    assert second.latency_us == (634_123_456 - 531_000_001) // 1000
    assert (second.iteration, second.user, second.worker, second.ttfb_us) == (1, 7, "w0", None)
    assert (second.outcome, second.error, second.status, second.bytes) == ("ok", None, 200, 5)
    assert points.load_started_ns == BEGAN_NS
    assert points.take_lag_ms() == 3.0
    assert points.take_lag_ms() is None


def test_a_sample_belongs_to_the_stage_of_its_intended_start(points: Points, samples: list[Sample]) -> None:
    """The ramp of smoke is 5 s; a start in the rounding of a millisecond before the load belongs to its first stage."""
    for after_ns in (-900_000, 4_999_999_999, 5_000_000_000):
        points.feed(started(after_ns))
        answer(points, after_ns + 10)
    assert [sample.stage for sample in samples] == ["ramp_up", "ramp_up", "hold"]


def test_what_is_under_way_in_the_end_is_cut_once(points: Points, samples: list[Sample]) -> None:
    """Censored, at least as long as it was seen to run; one whose start was seen after the cut took no time."""
    points.feed(started(0))
    points.feed(started(3_000_000, user=8))
    points.feed(line("answered", 1_000_000, user=9))
    points.cut(BEGAN_NS + 2_000_000)
    points.cut(BEGAN_NS + 9_000_000)
    text = "still running when the load ended"
    assert [(sample.outcome, sample.error, sample.latency_us) for sample in samples] == [
        ("censored", text, 2000),
        ("censored", text, 0),
    ]


def test_what_was_answered_and_never_judged_took_as_long_as_its_answer(points: Points, samples: list[Sample]) -> None:
    """The script ended between the two, or the scenario's check failed: no outcome, and no later end."""
    points.feed(started(0))
    points.feed(line("answered", 3_000_000))
    points.cut(BEGAN_NS + 9_000_000)
    assert [(sample.outcome, sample.error, sample.latency_us) for sample in samples] == [("censored", NOT_JUDGED, 3000)]


def test_the_first_scenario_that_failed_is_kept(points: Points) -> None:
    """With the error's name and text, whatever they are."""
    assert points.failure is None
    points.feed(line("failed", 0, scenario="simple_query", name="TypeError", text="no such"))
    points.feed(line("failed", 1, scenario="complex_query", name="RangeError", text="later"))
    assert points.failure == ("simple_query", "TypeError", "no such")


def test_a_point_is_known_in_any_order_of_its_keys(points: Points, samples: list[Sample]) -> None:
    """Another version of k6 may write the same document otherwise; a tag that looks like one of ours is none."""
    for text in (started(0), line("answered", 5_000_000), judged(6_000_000)):
        document = json.loads(text)
        points.feed(json.dumps({key: document[key] for key in reversed(document)}, indent=None).encode())
    tagged = {"metric": "http_reqs", "type": "Point", "data": {"tags": {"name": "loadtest_started"}}}
    points.feed(json.dumps(tagged).encode())
    assert [sample.latency_us for sample in samples] == [5000]
    assert (points.noted, points.unreadable) == (3, 0)


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"outcome": "timeout", "code": 1050, "text": "request timeout"}, "timeout after 12 s"),
        ({"outcome": "connection_error", "code": 1220, "text": "read: reset"}, "connection: HTTPConnectionClosed"),
        ({"outcome": "connection_error", "code": 1000, "text": "EOF"}, "connection: HTTPConnectionClosed"),
        ({"outcome": "connection_error", "code": 1000, "text": "unexpected EOF"}, "connection: HTTPParseError"),
        ({"outcome": "connection_error", "code": 1310, "text": "x509 …"}, "connection: k6 error 1310"),
        ({"outcome": "connection_error", "name": "TypeError"}, "connection: TypeError"),
        ({"outcome": "rejected", "status": 429, "text": "wait 12 s"}, "HTTP 429: wait # s"),
        ({"outcome": "http_error", "status": 500, "text": "\x1b[31m<b>\n" + "a1" * 900}, None),
        ({"outcome": "wrong_answer", "text": "tax: off by more than 1 euro"}, "tax: off by more than 1 euro"),
    ],
)
def test_what_went_wrong_is_named_as_the_other_engine_names_it(
    points: Points, samples: list[Sample], facts: dict[str, Any], error: str | None
) -> None:
    """Bounded names, without numbers, addresses and control characters of the target's."""
    points.feed(started(0, scenario="simple_query"))
    answer(points, 10, **facts)
    (sample,) = samples
    assert sample.outcome == facts["outcome"]
    if error is not None:
        assert sample.error == error
    assert sample.error is not None
    assert sample.error.isprintable()
    assert len(sample.error) <= 140


def test_lines_that_make_no_sense_are_counted_and_others_are_not_looked_at(
    points: Points, samples: list[Sample], caplog: pytest.LogCaptureFixture
) -> None:
    """Half a line, an end without a start, a local time: a sample is missing each time, and no later one."""
    points.feed(b'{"metric":"http_reqs","type":"Point","data":')
    points.feed(b'{"type":"Metric","data":{"name":"loadtest_started"},"metric":"loadtest_started"}')
    points.feed(b'{"metric":"loadtest_started","type":"Metric","data":{}}')
    assert points.unreadable == 0
    points.feed(started(0)[:-9])
    answer(points, 5)
    points.feed(started(0).replace(b"Z", b"+02:00"))
    points.feed(b'{"metric":"loadtest_judged","type":"Point","data":{"time":"\x1b[2J\xff"}}')
    assert (points.unreadable, samples) == (4, [])
    assert all(record.getMessage().isprintable() for record in caplog.records)
    points.feed(started(10))
    answer(points, 20)
    assert len(samples) == 1


def test_users_are_those_who_came_and_have_not_left(points: Points) -> None:
    """Two come, one leaves; leaving twice changes nothing."""
    points.feed(line("users", 0, user=7))
    points.feed(line("users", 0, user=8))
    assert points.users == 2
    for _ in range(2):
        points.feed(line("users", 9, user=7, change=-1))
    assert points.users == 1
