"""Growth over a long hold."""

import random
from typing import Any

import pytest
from scipy.stats import theilslopes

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.growth import LEAST_HOLD_S
from include.loadtest.metrics.statistics import theil_sen
from include.loadtest.profile import Profile
from include.loadtest.profile.vocabulary import GROWTH_METRICS

pytestmark = pytest.mark.unit

HOLD_FROM_S = 5
MINUTES = 40
TARGET, REDIS, CONNECTIONS, LATENCY = GROWTH_METRICS
MIB = 2.0**20


@pytest.fixture
def soak(profile: Profile) -> Profile:
    """A ramp of 5 s and a hold of 40 min."""
    return profile.model_copy(update={"duration_s": MINUTES * 60})


@pytest.fixture
def grown(maker: Any, soak: Profile, spans_of: Any, row_of: Any) -> Any:
    """Computes the row of a growth from readings of the hold."""

    def compute(metric: str, rows: list[Any], profile: Profile = soak) -> dict[str, Any]:
        if rows:
            maker.readings(rows)
        return row_of(compute_metrics(maker.bundle, profile, spans_of(profile)), metric)

    return compute


def offsets(minutes: int = MINUTES, every_s: int = 20) -> list[float]:
    return [HOLD_FROM_S + at_s for at_s in range(0, minutes * 60, every_s)]


def memory(reading: Any, value_at: Any, metric: str = "process_resident_memory_bytes") -> list[Any]:
    return [reading(offset_s, "app", metric, value_at((offset_s - HOLD_FROM_S) / 3600)) for offset_s in offsets()]


def test_a_leak_is_found_through_spikes(grown: Any, reading: Any) -> None:
    """100 MiB that grow by 12 MiB an hour, with a reading in three far above: per cent of the middle, 104 MiB."""
    calm = memory(reading, lambda hours: (100 + 12 * hours) * MIB)
    spiked = [row._replace(value=row.value * 3) if number % 3 == 0 else row for number, row in enumerate(calm)]
    row = grown(TARGET, spiked)
    assert row["value"] == pytest.approx(100 * 12 / 104, rel=0.01)
    assert row["ci_low"] == pytest.approx(row["value"], rel=0.01)
    assert (row["n"], row["unit"], row["direction"]) == (MINUTES, "%/h", "lower")


def test_noise_alone_is_no_growth(grown: Any, reading: Any) -> None:
    """The interval spans zero."""
    noise = random.Random(7)
    row = grown(TARGET, memory(reading, lambda _: (100 + noise.gauss(0, 3)) * MIB))
    assert row["ci_low"] < 0 < row["ci_high"]
    assert abs(row["value"]) < 5


@pytest.mark.parametrize(
    ("metric", "kind", "expected"),
    [
        (TARGET, ("app", "process_memory_bytes"), 100 * 30 / 110),
        (REDIS, ("redis", "used_memory_bytes"), 100 * 30 / 110),
        (CONNECTIONS, ("postgres", "connections_total"), 30.0),
    ],
)
def test_each_growth_has_its_source_and_unit(
    grown: Any, reading: Any, metric: str, kind: tuple[str, str], expected: float
) -> None:
    """Connections are counted, memory is relative; readings outside the hold count for nothing."""
    rows = [reading(at_s, *kind, 100 + 30 * (at_s - HOLD_FROM_S) / 3600) for at_s in offsets()]
    row = grown(metric, [*rows, reading(1, *kind, 1e9), reading(HOLD_FROM_S + 2400, *kind, 1e9)])
    assert row["value"] == pytest.approx(expected, rel=0.01)


def test_the_first_kind_of_reading_counts(grown: Any, reading: Any) -> None:
    """The process's own resident memory, before what an application says of it."""
    rows = memory(reading, lambda hours: 100 + 30 * hours) + memory(reading, lambda _: 7.0, "process_memory_bytes")
    assert grown(TARGET, rows)["value"] > 20


@pytest.mark.parametrize("restarts_at_s", [1200, 10])
def test_readings_of_several_processes_tell_nothing(grown: Any, reading: Any, restarts_at_s: float) -> None:
    """A restarted target has another level, and so have several workers; the other servers' growth is known still."""
    rows = memory(reading, lambda _: 100.0)
    rows += [
        reading(at_s, "app", "process_start_time_seconds", 1000.0 if at_s - HOLD_FROM_S < restarts_at_s else 2000.0)
        for at_s in offsets()
    ]
    rows += [reading(at_s, "redis", "used_memory_bytes", 50.0) for at_s in offsets()]
    assert (grown(TARGET, rows)["value"], grown(TARGET, [])["n"]) == (None, 0)
    assert grown(REDIS, [])["value"] == 0.0


def test_several_instances_tell_nothing(grown: Any, reading: Any) -> None:
    """Each has a level of its own."""
    rows = [reading(at_s, "redis", "used_memory_bytes", 50.0, name) for at_s in offsets() for name in ("a", "b")]
    assert grown(REDIS, rows)["value"] is None


@pytest.mark.parametrize(("minutes", "known"), [(32, True), (31, False), (0, False)])
def test_a_source_that_fell_silent_says_nothing_of_the_rest(
    grown: Any, reading: Any, minutes: int, known: bool
) -> None:
    """Four fifths of the hold's minutes must have readings; n says how many have."""
    row = grown(REDIS, [reading(at_s, "redis", "used_memory_bytes", at_s) for at_s in offsets(minutes)])
    assert (row["value"] is not None, row["n"]) == (known, minutes)


def test_nothing_relative_to_nothing(grown: Any, reading: Any) -> None:
    """An empty cache has no growth in per cent; a server without connections has none in numbers."""
    rows = [reading(at_s, "redis", "used_memory_bytes", 0.0) for at_s in offsets()]
    rows += [reading(at_s, "postgres", "connections_total", 0.0) for at_s in offsets()]
    assert (grown(REDIS, rows)["value"], grown(CONNECTIONS, [])["value"]) == (None, 0.0)


def test_the_p95_of_each_minute_is_exact(maker: Any, soak: Profile, spans_of: Any, sample: Any, row_of: Any) -> None:
    """From 1,000 ms by 4 ms a minute, whatever the slowest answers do; minutes with too few answers do not count."""
    rows = []
    for minute in range(MINUTES):
        p95_us = 1_000_000 + 4000 * minute
        answers = [p95_us // 2] * 18 + [p95_us, 90_000_000] if minute else [5] * 19
        outcomes = ["ok"] * (len(answers) - 1) + ["timeout"]
        rows += [
            sample(HOLD_FROM_S + 60 * minute + 2 * place, latency_us, outcome=outcome)
            for place, (latency_us, outcome) in enumerate(zip(answers, outcomes, strict=True))
        ]
        rows.append(sample(HOLD_FROM_S + 60 * minute + 59, 1, outcome="http_error"))
    maker.samples(rows)
    row = row_of(compute_metrics(maker.bundle, soak, spans_of(soak)), LATENCY)
    assert row["value"] == pytest.approx(100 * 4 * 60 / 1080, rel=1e-6)
    assert row["n"] == MINUTES - 1


def test_a_short_hold_has_no_growth(maker: Any, soak: Profile, spans_of: Any, reading: Any, row_of: Any) -> None:
    """Planned so: no rows. Cut: null rows, which is "not measured"."""
    maker.readings([reading(at_s, "redis", "used_memory_bytes", at_s) for at_s in offsets()])
    short = soak.model_copy(update={"duration_s": LEAST_HOLD_S - 1})
    rows = compute_metrics(maker.bundle, short, spans_of(short))["metrics"]
    assert not {row["metric"] for row in rows} & set(GROWTH_METRICS)
    cut = compute_metrics(maker.bundle, soak, spans_of(soak, HOLD_FROM_S + LEAST_HOLD_S - 1))
    assert [row_of(cut, metric)["value"] for metric in GROWTH_METRICS] == [None] * 4
    long_enough = compute_metrics(maker.bundle, soak, spans_of(soak, HOLD_FROM_S + LEAST_HOLD_S))
    assert row_of(long_enough, REDIS)["value"] > 0


@pytest.mark.parametrize("seed", range(6))
def test_the_slope_is_that_of_a_plain_computation(seed: int) -> None:
    """All pairs, the median; the interval is scipy's, or one rank wider on each side."""
    draws = random.Random(seed)
    points = [(float(x), round(0.3 * x + draws.gauss(0, 4), seed % 2)) for x in range(20 + 15 * seed)]
    value, low, high = theil_sen(points)
    x, y = zip(*points, strict=True)
    slopes = sorted((y[j] - y[i]) / (x[j] - x[i]) for i in range(len(x)) for j in range(i + 1, len(x)))
    middle = len(slopes) // 2
    assert value == pytest.approx((slopes[middle] + slopes[~middle]) / 2)
    expected = theilslopes(y, x, 0.95)
    assert value == pytest.approx(expected.slope)
    for own, scipys, outer in ((low, expected.low_slope, -1), (high, expected.high_slope, 1)):
        ranks = [rank for rank, slope in enumerate(slopes) if slope == pytest.approx(scipys, abs=1e-12)]
        own_ranks = [rank for rank, slope in enumerate(slopes) if slope == own]
        assert any(0 <= outer * (one - other) <= 1 for one in own_ranks for other in ranks)


def test_the_interval_holds_the_true_slope() -> None:
    """In 95 of 100 cases, within what 400 cases can show."""
    draws = random.Random(11)
    held = 0
    for _ in range(400):
        _, low, high = theil_sen([(float(x), 0.1 * x + draws.gauss(0, 1)) for x in range(30)])
        held += low <= 0.1 <= high
    assert 0.92 <= held / 400 <= 0.985


def test_equal_values_have_no_slope() -> None:
    """Ties only: the interval is a point."""
    assert theil_sen([(0, 5.0), (1, 5.0), (2, 5.0)]) == (0.0, 0.0, 0.0)
