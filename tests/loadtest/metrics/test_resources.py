"""Figures of the servers from their readings."""

from typing import Any

import pytest

from include.loadtest.metrics.engine import compute_metrics

pytestmark = pytest.mark.unit


def counters(reading: Any, *pairs: tuple[float, float, float], instance: str = "a") -> list[Any]:
    """Readings of both counters, as (offset in s, hits, misses)."""
    return [
        reading(offset_s, "redis", metric, value, instance)
        for offset_s, hits, misses in pairs
        for metric, value in (("keyspace_hits", hits), ("keyspace_misses", misses))
    ]


@pytest.fixture
def hit_rate(maker: Any, profile: Any, spans: Any, row_of: Any) -> Any:
    def compute(rows: list[Any]) -> tuple[float | None, int]:
        if rows:
            maker.readings(rows)
        row = row_of(compute_metrics(maker.bundle, profile, spans), "cache_hit_rate")
        return row["value"], row["n"]

    return compute


def test_the_hit_rate_is_what_the_counters_gained_in_the_phase(hit_rate: Any, reading: Any) -> None:
    """Lookups before the hold and after it do not count, nor does the counters' level."""
    rows = counters(reading, (1, 0, 900), (5, 1000, 1000), (60, 1020, 1010), (134, 1080, 1020), (135, 5000, 1020))
    assert hit_rate(rows) == (0.8, 3)


def test_a_restart_costs_its_interval_only(hit_rate: Any, reading: Any) -> None:
    """Counters that fall began anew; growth on both sides of the fall counts."""
    rows = counters(reading, (10, 100, 100), (20, 130, 110), (30, 5, 5), (40, 35, 35))
    assert hit_rate(rows) == (60 / 100, 4)


def test_several_instances_are_counted_each_for_itself(hit_rate: Any, reading: Any) -> None:
    """One server's level is not another's growth."""
    rows = counters(reading, (10, 0, 0), (20, 10, 0)) + counters(reading, (11, 900, 900), (21, 900, 930), instance="b")
    assert hit_rate(rows) == (0.25, 4)


@pytest.mark.parametrize(
    ("pairs", "n"), [([], 0), ([(60, 5, 5)], 1), ([(60, 5, 5), (70, 5, 5)], 2), ([(60, 5, 5), (70, 1, 1)], 2)]
)
def test_without_lookups_there_is_no_hit_rate(hit_rate: Any, reading: Any, pairs: Any, n: int) -> None:
    """No reading, one, no movement, only a restart: null, never 0."""
    assert hit_rate(counters(reading, *pairs)) == (None, n)


def test_means_are_over_the_readings_of_the_phase(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Only readings inside the hold, of the right source; what is not a number is no reading."""
    maker.readings(
        [
            reading(4.9, "host", "cpu_pct", 99),
            reading(5, "host", "cpu_pct", 10),
            reading(60, "host", "cpu_pct", 40),
            reading(61, "host", "cpu_pct", float("nan")),
            reading(60, "generator", "cpu_pct", 77),
            reading(60, "host", "memory_pct", 25),
            reading(60, "postgres", "connections_total", 12),
            reading(60, "redis", "used_memory_bytes", 2048),
            reading(60, "process", "app_cpu_cores", 1.5),
            reading(60, "prometheus", "app_cpu_cores", 9),
            reading(60, "prometheus", "cpu_pct", 90),
        ]
    )
    document = compute_metrics(maker.bundle, profile, spans)
    found = {
        metric: row_of(document, metric)
        for metric in (
            *("host_cpu_pct", "host_memory_pct", "postgres_connections", "redis_memory_bytes"),
            "target_cpu_cores",
        )
    }
    assert {metric: (row["value"], row["n"]) for metric, row in found.items()} == {
        "host_cpu_pct": (25.0, 2),
        "host_memory_pct": (25.0, 1),
        "postgres_connections": (12.0, 1),
        "redis_memory_bytes": (2048.0, 1),
        "target_cpu_cores": (1.5, 1),
    }
    assert row_of(document, "host_cpu_pct", phase="ramp_up")["value"] == 99.0


def test_another_machine_is_what_its_application_says_of_it(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Without the source `host` the target's own figure counts; what it does not expose is null, never 0."""
    maker.readings(
        [
            reading(10, "generator", "cpu_pct", 99),
            reading(10, "app", "cpu_usage_percent", 20),
            reading(20, "app", "cpu_usage_percent", 40),
        ]
    )
    document = compute_metrics(maker.bundle, profile, spans)
    cpu, memory = row_of(document, "host_cpu_pct"), row_of(document, "host_memory_pct")
    assert (cpu["value"], cpu["n"]) == (30.0, 2)
    assert (memory["value"], memory["n"]) == (None, 0)


def test_another_machine_is_what_a_prometheus_server_says_of_it(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Before the application's own word; the generator's machine is never taken for it."""
    maker.readings(
        [
            reading(10, "generator", "cpu_pct", 99),
            reading(10, "app", "cpu_usage_percent", 20),
            reading(10, "prometheus", "cpu_pct", 55),
            reading(10, "prometheus", "app_cpu_cores", 2),
        ]
    )
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "host_cpu_pct")["value"] == 55
    assert row_of(document, "target_cpu_cores")["value"] == 2


def test_what_the_application_says_never_mixes_with_the_hosts_readings(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Where the run has readings of the host, a phase without any stays without a figure."""
    maker.readings([reading(1, "host", "cpu_pct", 10), reading(10, "app", "cpu_usage_percent", 40)])
    document = compute_metrics(maker.bundle, profile, spans)
    assert row_of(document, "host_cpu_pct")["value"] is None
    assert row_of(document, "host_cpu_pct", phase="ramp_up")["value"] == 10.0


def test_postgres_hit_rate_is_the_share_of_blocks_that_it_need_not_read(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Of what both counters gained within the hold."""
    counted = ((4, 0, 900), (10, 1000, 1000), (60, 1070, 1010), (130, 1090, 1010))
    maker.readings(
        [
            reading(offset_s, "postgres", metric, value)
            for offset_s, hit, read in counted
            for metric, value in (("blks_hit", hit), ("blks_read", read))
        ]
    )
    row = row_of(compute_metrics(maker.bundle, profile, spans), "postgres_cache_hit_rate")
    assert (row["value"], row["n"], row["unit"], row["direction"]) == (0.9, 3, "ratio", "higher")


def test_a_rate_is_what_a_counter_gained_a_minute(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """Between the hold's first and last reading; an interval in which it fell counts neither growth nor time."""
    counted = ((4, 0), (10, 100), (40, 103), (70, 1), (100, 4), (136, 900))
    counters = {
        "slow_queries_per_min": ("postgres", "slow_queries"),
        "redis_evictions_per_min": ("redis", "evicted_keys"),
    }
    maker.readings([reading(offset_s, *counter, value) for counter in counters.values() for offset_s, value in counted])
    document = compute_metrics(maker.bundle, profile, spans)
    for metric in counters:
        row = row_of(document, metric)
        assert (row["value"], row["n"]) == (6.0, 4)


def test_a_rate_needs_two_readings(maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any) -> None:
    """One reading tells no growth; two instances add up; no movement is 0, which was measured."""
    maker.readings(
        [
            reading(10, "postgres", "slow_queries", 5),
            *(reading(offset_s, "redis", "evicted_keys", offset_s, "a") for offset_s in (10, 70)),
            *(reading(offset_s, "redis", "evicted_keys", 7, "b") for offset_s in (10, 40)),
        ]
    )
    document = compute_metrics(maker.bundle, profile, spans)
    slow, evicted = row_of(document, "slow_queries_per_min"), row_of(document, "redis_evictions_per_min")
    assert (slow["value"], slow["n"]) == (None, 1)
    assert (evicted["value"], evicted["n"]) == (60.0, 4)


def test_cpu_time_a_request_is_what_one_process_gained(
    maker: Any, profile: Any, spans: Any, reading: Any, row_of: Any
) -> None:
    """2 s of CPU for 400 requests are 5 ms each; readings of two processes tell nothing."""
    counted = ((10, 100.0, 1000.0), (30, 101.0, 1200.0), (50, 102.0, 1400.0))

    def rows(*started: float) -> list[Any]:
        figures = [
            [
                ("process_cpu_seconds_total", cpu_s),
                ("user_requests_total", requests),
                ("process_start_time_seconds", at),
            ]
            for (_, cpu_s, requests), at in zip(counted, started, strict=True)
        ]
        return [
            reading(offset_s, "app", metric, value)
            for (offset_s, _, _), own in zip(counted, figures, strict=True)
            for metric, value in own
        ]

    maker.readings(rows(1.0, 1.0, 1.0))
    row = row_of(compute_metrics(maker.bundle, profile, spans), "target_cpu_ms_per_request")
    assert (row["value"], row["n"]) == (5.0, 3)
    maker.readings(rows(1.0, 2.0, 1.0))
    assert row_of(compute_metrics(maker.bundle, profile, spans), "target_cpu_ms_per_request")["value"] is None
