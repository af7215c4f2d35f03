"""The recovery time against plain Python, and planted recoveries."""

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, inf
from typing import Any

import pytest

from include.loadtest.metrics.engine import compute_metrics
from include.loadtest.metrics.phases import epoch_us, stretches
from include.loadtest.metrics.recovery import planned_watch
from include.loadtest.profile import Profile, Slo
from include.loadtest.profile.shape import Recovery
from include.loadtest.profile.vocabulary import OUTCOMES
from include.loadtest.recorder import Sample
from include.loadtest.validation.figures import judged_figure

pytestmark = pytest.mark.unit

PEAK_END_S = {"steps": 220, "spike": 100}
SLOW_US, FAST_US = 1_000_000, 999_999


def is_good(rows: Sequence[Sample], limit_us: float, censored_us: float) -> bool:
    """Whether a window's P95 is below the limit, were each censored request below it to last so long."""
    latencies = [
        row.latency_us
        if row.outcome == "ok"
        else (max(row.latency_us, censored_us) if row.outcome == "censored" else inf)
        for row in rows
    ]
    place = ceil(Fraction(95, 100) * len(latencies))
    return bool(latencies) and sorted(latencies)[place - 1] < limit_us


def expected(rows: Sequence[Sample], recovery: Recovery, start_us: int, seconds: float) -> tuple[Any, int, bool]:
    """(value, n, lower_bound) by definition, one second-long look after the other."""
    count = int(seconds // recovery.window_s)
    windows: list[list[Sample]] = [[] for _ in range(count)]
    for row in rows:
        number = (row.intended_start // 1000 - start_us) // (recovery.window_s * 1_000_000)
        if 0 <= number < count:
            windows[number].append(row)
    if count < recovery.windows or not any(windows):
        return None, count, False
    limit_us = recovery.p95_limit_ms * 1000
    surely = "".join("x" if is_good(one, limit_us, inf) else "." for one in windows)
    maybe = "".join("x" if is_good(one, limit_us, 0) else "." for one in windows) + "x" * recovery.windows
    wanted = "x" * recovery.windows
    return maybe.find(wanted) * recovery.window_s, count, maybe.find(wanted) != surely.find(wanted)


def found_in(document: dict[str, Any], row_of: Any) -> tuple[Any, int, bool]:
    row = row_of(document, "recovery_time_s", phase="recovery")
    return row["value"], row["n"], row["lower_bound"]


@pytest.mark.parametrize("shape", ["steps", "spike"])
@pytest.mark.parametrize("seed", range(12))
def test_it_equals_plain_python(
    *, shape: str, seed: int, maker: Any, staged: Any, spans_of: Any, row_of: Any, request: Any
) -> None:
    """Random rows, outcomes, windows, limits and cuts, many rows exactly at the borders of windows."""
    draw = random.Random(seed)
    profile: Profile = request.getfixturevalue(shape)
    recovery = profile.recovery.model_copy(  # type: ignore[union-attr]
        update={
            "window_s": draw.choice([1, 3, 7, 10]),
            "windows": draw.randint(1, 4),
            "p95_limit_ms": draw.choice([1000, 500.5]),
        }
    )
    profile = profile.model_copy(update={"shape": profile.shape.model_copy(update={"recovery": recovery})})
    cut_s = draw.choice([profile.load_s, profile.load_s, PEAK_END_S[shape] + draw.uniform(1, 40)])
    bad_share = draw.choice([0.02, 0.05, 0.2])
    calm_from_s = draw.uniform(PEAK_END_S[shape] - 20, profile.load_s)
    rows = []
    for _ in range(draw.choice([40, 400, 3000])):
        offset_s = draw.choice([draw.uniform(0, cut_s - 0.001), float(draw.randrange(int(cut_s)))])
        is_bad = draw.random() < (bad_share if offset_s >= calm_from_s else 0.4)
        latency_us = draw.choice([SLOW_US, 500_500, 5_000_000]) if is_bad else draw.choice([10, 500_499])
        outcome = draw.choice([*OUTCOMES, *["censored"] * 5]) if is_bad and draw.random() < 0.6 else "ok"
        rows.append(staged(profile, offset_s, draw.choice([latency_us, 10]), outcome=outcome))
    maker.samples(rows)
    spans = spans_of(profile, cut_s)
    start_us = epoch_us(spans[0].start) + PEAK_END_S[shape] * 1_000_000
    seconds = (epoch_us(spans[-1].end) - start_us) / 1e6
    document = compute_metrics(maker.bundle, profile, spans)
    assert found_in(document, row_of) == expected(rows, recovery, start_us, seconds)


@pytest.fixture
def recover(maker: Any, spike: Profile, staged: Any, spans_of: Any, row_of: Any) -> Callable[..., tuple[Any, ...]]:
    """(value, n, lower_bound) with 20 fast requests in each of the 17 windows, but for what is planted."""

    def compute(planted: dict[int, list[dict[str, Any]]], cut_s: float = inf) -> tuple[Any, ...]:
        rows = [staged(spike, 99.9, 60_000_000)] * 50
        for number in range(17):
            for changes in planted.get(number, [{}] * 20):
                rows.append(staged(spike, 100 + 10 * number + 5, **{"latency_us": FAST_US, **changes}))
        maker.samples([row for row in rows if row.intended_start < rows[0].intended_start + (cut_s - 99.9) * 1e9])
        return found_in(compute_metrics(maker.bundle, spike, spans_of(spike, cut_s)), row_of)

    return compute


def windows(numbers: Sequence[int], changes: dict[str, Any], share: float = 1.0) -> dict[int, list[dict[str, Any]]]:
    """In these windows this share of 20 requests is otherwise."""
    count = round(20 * share)
    return dict.fromkeys(numbers, [changes] * count + [{}] * (20 - count))


SLOW: dict[str, Any] = {"latency_us": SLOW_US}


@pytest.mark.parametrize(
    ("slow", "value"),
    [
        ([], 0),
        ([0], 10),
        ([0, 1], 20),
        ([2], 30),
        ([1, 3], 40),
        ([2, 5, 8, 11], 120),
        ([3], 0),
        (range(14), 140),
    ],
)
def test_the_first_three_good_windows_in_a_row_are_the_recovery(recover: Any, slow: Any, value: float) -> None:
    """It begins with the first of them, through ramp down and recovery; what was started in the spike does not count.

    A P95 at the limit is not below it.
    """
    assert recover(windows(slow, SLOW)) == (value, 17, False)


@pytest.mark.parametrize(
    ("slow", "value"), [(range(17), 170), ([*range(15), 16], 170), (range(15), 150), ([2, 5, 8, 11, 14], 150)]
)
def test_never_recovered_is_a_lower_bound(recover: Any, slow: Any, value: float) -> None:
    """Good windows right before the end might have become the recovery: they are no time without one."""
    assert recover(windows(slow, SLOW)) == (value, 17, True)


@pytest.mark.parametrize(("share", "value"), [(0.05, 0), (0.1, 20)])
@pytest.mark.parametrize("outcome", sorted({*OUTCOMES} - {"ok", "censored"}))
def test_a_failed_request_is_infinitely_slow(recover: Any, outcome: str, share: float, value: float) -> None:
    """However quickly it failed, and also where its recorded time is a lower bound: 5 % of a window may fail."""
    assert recover(windows([0, 1], {"outcome": outcome, "latency_us": 10}, share)) == (value, 17, False)


def test_a_window_without_requests_is_not_good(recover: Any) -> None:
    """Users who all wait start nothing."""
    assert recover({1: [], 4: []}) == (50, 17, False)


def test_a_censored_request_at_the_limit_is_slow(recover: Any) -> None:
    """It took at least that long."""
    assert recover(windows([0], {"outcome": "censored", "latency_us": SLOW_US}, 0.1)) == (10, 17, False)


def test_a_censored_request_below_the_limit_proves_nothing(recover: Any) -> None:
    """Where it decides, the recovery may have begun there: a lower bound. Where it does not, it changes nothing."""
    unknown = {"outcome": "censored", "latency_us": 10}
    assert recover(windows([16], unknown, 0.1) | windows(range(14), SLOW)) == (140, 17, True)
    assert recover(windows([16], unknown, 0.05) | windows(range(14), SLOW)) == (140, 17, False)
    assert recover(windows([16], unknown, 0.1) | windows(range(16), SLOW)) == (160, 17, True)
    assert recover(windows([3], unknown, 0.1) | windows([0, 1], SLOW)) == (20, 17, True)


@pytest.mark.parametrize(
    ("cut_s", "found"),
    [
        (90, (None, 0, False)),
        (100, (None, 0, False)),
        (129.5, (None, 2, False)),
        (130, (10, 3, True)),
        (139, (10, 3, True)),
        (140, (10, 4, False)),
    ],
)
def test_a_cut_run_says_only_what_was_watched(recover: Any, cut_s: float, found: Any) -> None:
    """Less than a recovery needs is nothing; the window in which it was cut does not count."""
    assert recover(windows([0], SLOW), cut_s) == found


def test_no_requests_after_the_peak_are_no_figure(recover: Any) -> None:
    """Lost samples are not a target that never recovers."""
    assert recover({number: [] for number in range(17)}) == (None, 17, False)


def test_a_steady_load_watches_no_recovery(profile: Profile, spans: Any) -> None:
    """Nor has it a peak."""
    assert planned_watch(profile, stretches(spans)) is None


@pytest.mark.parametrize(
    ("slow", "limit", "judged"),
    [(range(17), 120, 170), (range(17), 200, None), (range(10), 120, 100), (range(13), 120, 130)],
)
def test_a_lower_bound_proves_a_miss_and_no_limit(
    maker: Any, recover: Any, slow: Any, limit: float, judged: float | None
) -> None:
    """At least 170 s misses 120 s and says nothing about 200 s; a recovery that was seen is judged as it is."""
    recover(windows(slow, SLOW))
    slo = Slo(metric="recovery_time_s", comparator="<=", limit=limit, phase="recovery")
    assert judged_figure(slo, maker.bundle.read("metrics.json"), shares_host=False).judged == judged
