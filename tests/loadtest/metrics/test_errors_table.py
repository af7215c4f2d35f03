"""Fingerprints: the most frequent ones, exactly counted."""

from typing import Any

import pytest

from include.loadtest import run
from include.loadtest.metrics.errors_table import MAX_FINGERPRINTS, write_errors

pytestmark = pytest.mark.unit


def test_counts_are_exact_and_the_earliest_request_is_the_example(maker: Any, sample: Any) -> None:
    """Most frequent first; successes and censored requests are no errors; a missing fingerprint is its outcome."""
    maker.samples(
        [
            sample(70, outcome="http_error", error="500 boom", status=500, endpoint="late"),
            sample(60, outcome="http_error", error="500 boom", status=502, endpoint="early", scenario="complex_query"),
            sample(65, outcome="timeout", status=None),
            sample(66, outcome="censored"),
            sample(67),
        ]
    )
    document = write_errors(maker.bundle)
    assert maker.bundle.read(run.ERRORS) == document
    assert document["errors"] == [
        {
            "fingerprint": "500 boom",
            "count": 2,
            "outcome": "http_error",
            "scenario": "complex_query",
            "endpoint": "early",
            "status": 502,
            "first_seen": "2026-03-01T09:01:00.000000Z",
        },
        {
            "fingerprint": "timeout",
            "count": 1,
            "outcome": "timeout",
            "scenario": "simple_query",
            "endpoint": "chat_stream",
            "status": None,
            "first_seen": "2026-03-01T09:01:05.000000Z",
        },
    ]
    assert document["other"] == {"fingerprints": 0, "count": 0}


def test_what_does_not_fit_is_summed(maker: Any, sample: Any) -> None:
    """At most 200 fingerprints; the others are counted, none is lost."""
    wanted = MAX_FINGERPRINTS + 50
    rows = [sample(60, outcome="http_error", error=f"e{n:04}") for n in range(wanted) for _ in range(1 + (n < 50))]
    maker.samples(rows)
    document = write_errors(maker.bundle)
    assert len(document["errors"]) == MAX_FINGERPRINTS
    assert document["other"] == {"fingerprints": 50, "count": 50}
    assert [entry["count"] for entry in document["errors"]][:51] == [2] * 50 + [1]
    assert sum(entry["count"] for entry in document["errors"]) + document["other"]["count"] == len(rows)


def test_a_clean_run_has_an_empty_table(maker: Any, sample: Any) -> None:
    """No errors is an empty list, with or without samples."""
    assert write_errors(maker.bundle)["errors"] == []
    maker.samples([sample(60)])
    assert write_errors(maker.bundle)["errors"] == []


def test_of_requests_that_began_at_once_the_example_is_always_the_same(maker: Any, sample: Any) -> None:
    """Whichever part is read first: two users may fail alike in the same nanosecond."""
    rows = [
        sample(60, outcome=outcome, error="boom", status=status)
        for outcome, status in (("http_error", 502), ("http_error", 500), ("wrong_answer", 200), ("timeout", None))
    ]
    found = []
    for order in (rows, rows[::-1]):
        maker.samples(order)
        found.append([(one["outcome"], one["status"]) for one in write_errors(maker.bundle)["errors"]])
    assert found == 2 * [[("http_error", 500)]]


def test_a_part_damaged_inside_costs_only_itself(maker: Any, sample: Any, damaged: Any) -> None:
    """It is named, and the errors of the others are counted."""
    for number in range(3):
        maker.samples([sample(60, outcome="timeout") for _ in range(500)], f"w0-1-{number:06d}")
    damaged("outcome", maker.bundle.samples_dir / "w0-1-000001.parquet")
    document = write_errors(maker.bundle)
    assert document["unreadable_parts"] == ["samples/w0-1-000001.parquet"]
    assert [(one["fingerprint"], one["count"]) for one in document["errors"]] == [("timeout", 1000)]
