"""A load ends early for what its last seconds hold, and for nothing else."""

import math
import random

import pytest

from include.loadtest.auto_stop import Stop, StopRules, starved_figures
from include.loadtest.profile.rules import AutoStop, Starvation

pytestmark = pytest.mark.unit
LIMITS = Starvation(
    loop_lag_ms=200, cpu_pct=90, run_queue_wait_ms_per_s=400, cpu_throttled_ms_per_s=100, cpu_steal_pct=10
)
HEALTHY = {"loop_lag_ms": 5.0, "cpu_pct": 9.0, "run_queue_wait_ms_per_s": 50.0, "memory_bytes": 1e9}


def rules(**changes: object) -> AutoStop:
    given = {"window_s": 60, "min_requests": 20, "error_share": 0.9, "latency_p95_ms": None, "starved_s": 60}
    return AutoStop.model_validate(given | changes)


def drive(stop_rules: StopRules, seconds: int, outcome_at, latency_ms: float = 100, a_second: int = 10) -> Stop | None:
    """The first stop of a load of so many requests a second, asked every second; its second stands in `text`."""
    for second in range(seconds):
        for _ in range(a_second):
            stop_rules.note(second, outcome_at(second), latency_ms)
        found = stop_rules.decide(second + 0.5)
        if found is not None:
            return Stop(found.code, str(second))
    return None


@pytest.mark.parametrize("outcome", ["timeout", "connection_error", "http_error", "wrong_answer", "dropped"])
def test_a_target_that_dies_is_left_alone_within_a_window(outcome: str) -> None:
    """Healthy for 100 s, then nothing but failures: ended when nine tenths of the window failed, 60 s at most."""
    found = drive(StopRules(rules(), LIMITS), 300, lambda second: "ok" if second < 100 else outcome)
    assert found is not None
    assert found.code == "auto_stop_errors"
    assert 150 <= int(found.text) <= 160


def test_failures_of_the_first_seconds_prove_nothing() -> None:
    """A load that fails from its start goes on until it has filled one window."""
    found = drive(StopRules(rules(), LIMITS), 300, lambda _: "http_error")
    assert found == Stop("auto_stop_errors", "60")


@pytest.mark.parametrize("outcome", ["ok", "censored", "rejected"])
def test_what_is_no_failure_of_the_target_never_ends_a_load(outcome: str) -> None:
    """A limiter's refusals make the test invalid, which is another verdict; cut requests say nothing."""
    assert drive(StopRules(rules(), LIMITS), 300, lambda _: outcome) is None


def test_too_few_requests_end_nothing() -> None:
    """One failure in four seconds: 15 in the window."""
    stop_rules = StopRules(rules(), LIMITS)
    for second in range(200):
        if second % 4 == 0:
            stop_rules.note(second, "timeout", 9000)
        assert stop_rules.decide(second) is None


def test_a_rule_that_is_null_is_off() -> None:
    """No share of errors, no time of starvation."""
    stop_rules = StopRules(rules(error_share=None, starved_s=None), LIMITS)
    stop_rules.note_reading(200, HEALTHY | {"loop_lag_ms": 900.0})
    assert drive(stop_rules, 200, lambda _: "http_error") is None


@pytest.mark.parametrize("seed", range(8))
def test_the_window_holds_exactly_its_seconds(seed: int) -> None:
    """Against a plain recount of all requests, for random loads: error share and P95 (classes of 5 %) agree."""
    draw = random.Random(seed)
    share, limit_ms = draw.uniform(0.2, 0.9), draw.uniform(100, 900)
    window_s = draw.randint(5, 40)
    stop_rules = StopRules(rules(window_s=window_s, error_share=share, latency_p95_ms=limit_ms), LIMITS)
    rows: list[tuple[int, str, float]] = []
    for second in range(150):
        failing = draw.random()
        for _ in range(draw.randint(0, 12)):
            outcome = "http_error" if draw.random() < failing else draw.choice(["ok", "timeout", "censored"])
            rows.append((second, outcome, draw.lognormvariate(5, 1)))
            stop_rules.note(*rows[-1])
        found = stop_rules.decide(second)
        window = [row for row in rows if second - window_s <= row[0] <= second and row[1] != "censored"]
        failed = sum(outcome in ("http_error", "timeout") for _, outcome, _ in window)
        is_full = second >= window_s and len(window) >= 20
        by_errors = is_full and failed >= share * len(window)
        assert (found is not None and found.code == "auto_stop_errors") is by_errors
        latencies = sorted(row[2] for row in window if row[1] != "http_error")
        if by_errors or not is_full or not latencies:
            continue
        p95_ms = latencies[math.ceil(0.95 * len(latencies)) - 1]
        if found is not None:
            assert p95_ms > limit_ms
        else:
            assert p95_ms <= limit_ms * 1.05001


def test_memory_is_that_of_the_window() -> None:
    """An hour of requests leaves the seconds of one window and at most a few hundred classes."""
    stop_rules = StopRules(rules(), LIMITS)
    for second in range(3600):
        for number in range(20):
            stop_rules.note(second, "ok", 1.5 ** (number * second % 40))
        stop_rules.decide(second)
    assert len(stop_rules._seconds) <= 62
    assert len(stop_rules._window.classes) < 400


def test_a_generator_held_back_without_a_break_ends_the_load() -> None:
    """For 60 s from the last healthy reading; one healthy reading between starts the time anew."""
    stop_rules = StopRules(rules(), LIMITS)
    stop_rules.note_reading(5, HEALTHY)
    starved = HEALTHY | {"run_queue_wait_ms_per_s": 800.0}
    for at_s in range(10, 60, 5):
        stop_rules.note_reading(at_s, starved)
        assert stop_rules.decide(at_s) is None
    stop_rules.note_reading(60, HEALTHY)
    for at_s in range(65, 120, 5):
        stop_rules.note_reading(at_s, starved)
        assert stop_rules.decide(at_s) is None
    stop_rules.note_reading(120, starved)
    found = stop_rules.decide(120)
    assert found is not None
    assert found.code == "generator_starved"
    assert "60 s" in found.text
    assert "run_queue_wait_ms_per_s 800 ms/s" in found.text


def test_each_figure_at_its_threshold_is_starved_and_below_it_healthy() -> None:
    """What a reading does not have says nothing; what is no sign of starvation is ignored."""
    assert starved_figures({}, LIMITS) == {}
    assert starved_figures(HEALTHY, LIMITS) == {}
    for name, limit in LIMITS.model_dump().items():
        assert starved_figures(HEALTHY | {name: float(limit)}, LIMITS) == {name: limit}
        assert starved_figures(HEALTHY | {name: 0.99 * limit}, LIMITS) == {}
