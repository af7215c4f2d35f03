"""The figures of the samples against plain Python over the same rows."""

import random
from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.figures import measure_of
from include.loadtest.metrics.phases import PhaseSpan, epoch_us
from include.loadtest.metrics.statistics import percentile_interval_ranks, percentile_low_rank, wilson_interval
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import OUTCOMES
from include.loadtest.recorder import Sample

pytestmark = pytest.mark.unit

ENDPOINTS = {
    "simple_query": ["chat_stream"],
    "complex_query": ["chat_stream"],
    "tax_calculation": ["tax_iva", "tax_imu"],
}
SHARES = {
    "latency_p50_ms": ("0.5", 20),
    "latency_p95_ms": ("0.95", 20),
    "latency_p99_ms": ("0.99", 100),
    "ttft_p95_ms": ("0.95", 20),
}


def random_rows(count: int, make: Any) -> list[Sample]:
    """Rows around the borders of both phases, latencies over six powers of ten, many equal."""
    draw = random.Random(count)
    rows = []
    for _ in range(count):
        scenario = draw.choice(sorted(ENDPOINTS))
        latency_us = draw.choice([draw.randrange(0, 200), round(10 ** draw.uniform(0, 7.9)), 1_000_000])
        offset_s = draw.choice([0, 5, 65, 125, 135, draw.uniform(0, 135)])
        outcome = draw.choice(OUTCOMES) if draw.random() < 0.3 else "ok"
        ttfb_us = draw.randrange(latency_us + 1) if "query" in scenario and draw.random() < 0.9 else None
        rows.append(
            make(
                offset_s,
                latency_us,
                scenario=scenario,
                endpoint=draw.choice(ENDPOINTS[scenario]),
                phase="ramp_up" if offset_s < 5 else "hold",
                outcome=outcome,
                ttfb_us=ttfb_us,
                status=draw.choice([200, 429, 503, 500, None]),
            )
        )
    return rows


def in_scope(row: Sample, scope: str) -> bool:
    kind, _, name = scope.partition(":")
    return scope == "all" or name == (row.scenario if kind == "scenario" else row.endpoint)


def by_rank(values: Sequence[int], rank: int | None) -> float | None:
    return None if rank is None else sorted(values)[rank - 1] / 1000


def check_percentile(row: dict[str, Any], rows: Sequence[Sample]) -> None:
    share, minimum = SHARES[row["metric"]]
    known = [one for one in rows if one.outcome in ("ok", "timeout", "censored", "dropped")]
    ttft = row["metric"].startswith("ttft")
    values = [one.ttfb_us for one in known if one.ttfb_us is not None] if ttft else [one.latency_us for one in known]
    n = len(values)
    assert row["n"] == n
    assert row["max"] == (max(values) / 1000 if values else None)
    assert row["value"] == (by_rank(values, ceil(Fraction(share) * n)) if n >= minimum else None)
    low, high = percentile_interval_ranks(float(share), n) if n else (None, None)
    assert (row["ci_low"], row["ci_high"]) == (by_rank(values, low), by_rank(values, high))
    assert row["low_95"] == by_rank(values, percentile_low_rank(float(share), n) if n else None)
    bounds = [one.latency_us / 1000 for one in known if one.outcome != "ok" and not ttft]
    shown = row["max"] if row["value"] is None else row["value"]
    assert row["lower_bound"] == any(bound <= shown for bound in bounds)


def is_ungraceful(one: Sample) -> bool:
    is_quick = one.status in (429, 503) and one.latency_us < 1_000_000
    return one.outcome != "ok" and not (one.outcome in ("rejected", "http_error") and is_quick)


def check_share(row: dict[str, Any], rows: Sequence[Sample]) -> None:
    judged = [one for one in rows if one.outcome != "censored"]
    wrong = {
        "error_rate": lambda one: one.outcome != "ok",
        "rejected_rate": lambda one: one.outcome == "rejected",
        "dropped_rate": lambda one: one.outcome == "dropped",
        "ungraceful_error_rate": is_ungraceful,
    }[row["metric"]]
    count = sum(wrong(one) for one in judged)
    assert row["n"] == len(judged)
    assert row["value"] == (count / len(judged) if judged else None)
    assert (row["ci_low"], row["ci_high"]) == (wilson_interval(count, len(judged)) if judged else (None, None))


def check_throughput(row: dict[str, Any], ends: Sequence[int], asked: bool, span: PhaseSpan) -> None:
    start, end = epoch_us(span.start), epoch_us(span.end)
    inside = [moment for moment in ends if start <= moment < end]
    asked = asked or bool(inside)
    if row["metric"] == "throughput_rpm":
        assert row["value"] == (len(inside) / ((end - start) / 60e6) if asked else None)
        assert row["n"] == len(inside)
        return
    minutes = [
        sum(start + 60_000_000 * k <= moment < start + 60_000_000 * (k + 1) for moment in inside)
        for k in range((end - start) // 60_000_000)
    ]
    assert row["value"] == (min(minutes) if minutes and asked else None)
    assert row["n"] == (len(minutes) if asked else 0)


def check_document(document: dict[str, Any], rows: Sequence[Sample], spans: Sequence[PhaseSpan]) -> None:
    for row in document["metrics"]:
        own = [one for one in rows if one.phase == row["phase"] and in_scope(one, row["scope"])]
        if row["metric"] in SHARES:
            check_percentile(row, own)
        elif row["unit"] == "ratio" and row["metric"] not in ("cache_hit_rate", "postgres_cache_hit_rate"):
            check_share(row, own)
        elif row["metric"].startswith("throughput"):
            answers = [one for one in rows if one.outcome == "ok" and in_scope(one, row["scope"])]
            ends = [one.intended_start // 1000 + one.latency_us for one in answers]
            check_throughput(row, ends, bool(own), next(span for span in spans if span.name == row["phase"]))


@pytest.mark.parametrize("count", [0, 1, 19, 99, 700, 5000])
def test_every_figure_equals_plain_python(
    count: int, maker: Any, profile: Profile, spans: list[PhaseSpan], sample: Any
) -> None:
    """Percentiles, intervals, shares, throughput: exactly what sorting and counting the same rows gives."""
    rows = random_rows(count, sample)
    for number in range(0, count, 900):
        maker.samples(rows[number : number + 900], f"w{number % 2}-{number:06}")
    document = compute_metrics(maker.bundle, profile, spans)
    scopes = {row["scope"] for row in document["metrics"]}
    assert {"all", "scenario:simple_query", "scenario:document_upload"} <= scopes
    check_document(document, rows, spans)


@pytest.mark.parametrize(
    ("changes", "ungraceful"),
    [
        ({"outcome": "rejected", "status": 429, "latency_us": 999_999}, 0),
        ({"outcome": "rejected", "status": 429, "latency_us": 1_000_000}, 1),
        ({"outcome": "http_error", "status": 503, "latency_us": 0}, 0),
        ({"outcome": "http_error", "status": 500, "latency_us": 0}, 1),
        ({"outcome": "http_error", "status": None, "latency_us": 0}, 1),
        ({"outcome": "timeout", "status": 503, "latency_us": 0}, 1),
        ({"outcome": "wrong_answer", "status": 200, "latency_us": 0}, 1),
        ({"outcome": "censored", "status": None, "latency_us": 0}, None),
    ],
)
def test_only_a_quick_refusal_is_graceful(
    *, maker: Any, profile: Profile, spans: list[PhaseSpan], sample: Any, row_of: Any, changes: Any, ungraceful: Any
) -> None:
    """A 429 or 503 answered in less than a second; what was not answered is none, whatever its status says."""
    maker.samples([sample(60, **changes)] * 3)
    assert row_of(compute_metrics(maker.bundle, profile, spans), "ungraceful_error_rate")["value"] == ungraceful


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(latencies=st.lists(st.integers(0, 90_000_000), min_size=1, max_size=150))
def test_percentiles_are_exact_for_any_latencies(
    latencies: list[int], maker: Any, profile: Profile, spans: list[PhaseSpan], sample: Any
) -> None:
    """Whatever the latencies: the rank's own row, also at the edges of the counting buckets."""
    rows = [sample(60, latency_us) for latency_us in latencies]
    maker.samples(rows)
    check_document(compute_metrics(maker.bundle, profile, spans), rows, spans)


def test_rows_at_the_edges_of_the_buckets_keep_their_order(
    maker: Any, profile: Profile, spans: list[PhaseSpan], sample: Any
) -> None:
    """Bucket widths change at powers of ten; no row may change sides there."""
    edges = [power + step for power in (10, 1000, 10**4, 10**5, 10**6, 10**7, 10**8) for step in (-1, 0, 1)]
    rows = [sample(60, latency_us) for latency_us in edges * 5]
    maker.samples(rows)
    check_document(compute_metrics(maker.bundle, profile, spans), rows, spans)


def test_nanoseconds_do_not_move_an_answer_over_the_end(
    maker: Any, profile: Profile, spans: list[PhaseSpan], sample: Any
) -> None:
    """An answer that ends a nanosecond before the phase does is in it, one that ends with it is not."""
    last = sample(135 - 0.001, 1000)
    before = last._replace(intended_start=last.intended_start - 1)
    maker.samples([before, last])
    document = compute_metrics(maker.bundle, profile, spans)
    row = next(
        r for r in document["metrics"] if (r["metric"], r["scope"], r["phase"]) == ("throughput_rpm", "all", "hold")
    )
    assert row["n"] == 1


def test_a_percentile_metric_knows_its_column() -> None:
    """Times to first token come from their own column."""
    assert (measure_of("ttft_p95_ms"), measure_of("latency_p95_ms")) == ("ttft", "latency")
