"""Arrivals, handed out and dropped, on a real event loop with short times."""

import time
from pathlib import Path

import gevent
import pytest

from include.loadtest.profile import find_profile, load_profile
from include.loadtest.profile.shape import Arrival as OpenLoad
from include.loadtest.recorder import Sample
from include.locustfiles.arrivals import Arrivals
from include.locustfiles.plan import GeneratorPlan
from include.locustfiles.readings import Clock

pytestmark = pytest.mark.unit


def open_load(patience_s: float | None, **changes: object) -> tuple[Arrivals, list[Sample], Clock]:
    """A hundred arrivals a second for one second; what was never served comes into the list."""
    smoke = load_profile(find_profile("smoke"))
    arrival = OpenLoad(rate_rpm=6000, max_users=10, patience_s=patience_s)
    profile = smoke.model_copy(update={"arrival": arrival, "ramp_up_s": 0, "duration_s": 1, **changes})
    here = Path()
    plan = GeneratorPlan("smoke-1", "http://127.0.0.1:9", "/api/v1", profile, here, here, (), False, (), "w0")
    clock, left = Clock(), list[Sample]()
    return Arrivals(plan, clock, left.append), left, clock


def begin(arrivals: Arrivals, clock: Clock) -> None:
    clock.load_started_ns = time.perf_counter_ns()
    arrivals.begin()


def test_who_came_first_is_served_first_and_everybody_once() -> None:
    """Also where the scenarios have time-outs, so patiences, of their own."""
    arrivals, left, clock = open_load(None, timeout_s=None)
    begin(arrivals, clock)
    gevent.sleep(0.3)
    taken = [arrivals.take().number for _ in range(100)]
    assert taken == list(range(100))
    arrivals.end(drain=True)
    assert (arrivals.take(), arrivals.take()) == (None, None)
    assert left == []
    assert arrivals.account() == {"planned_arrivals": 100, "sent_arrivals": 100}


def test_an_arrival_that_nobody_takes_is_dropped_when_its_patience_is_over() -> None:
    """Its latency is the patience, its start the moment it was given up; those behind it live on."""
    arrivals, left, clock = open_load(0.2)
    begin(arrivals, clock)
    gevent.sleep(0.5)
    assert {sample.outcome for sample in left} == {"dropped"}
    assert [sample.iteration for sample in left] == list(range(len(left)))
    assert 25 <= len(left) <= 60
    assert {(sample.latency_us, sample.start - sample.intended_start) for sample in left} == {(200_000, 200_000_000)}
    first = arrivals.take()
    assert first.number == len(left)
    assert first.given_up_ns > time.perf_counter_ns() - 1_000_000
    arrivals.end(drain=False)


def test_a_stop_cuts_those_who_wait_and_wakes_all_users() -> None:
    """Every arrival that came has a sample, none comes afterwards, and nobody waits for ever."""
    arrivals, left, clock = open_load(30)
    users = [gevent.spawn(arrivals.take) for _ in range(3)]
    begin(arrivals, clock)
    gevent.sleep(0.25)
    arrivals.end(drain=False)
    idle = [gevent.spawn(arrivals.take) for _ in range(3)]
    assert [user.get(timeout=5).number for user in users] == [0, 1, 2]
    assert [user.get(timeout=5) for user in idle] == [None] * 3
    count = len(left)
    gevent.sleep(0.1)
    assert len(left) == count > 0
    assert {sample.outcome for sample in left} == {"censored"}
    assert all(0 <= sample.latency_us < 5_000_000 for sample in left)


def test_after_the_end_those_who_wait_are_still_served() -> None:
    """The drain: no new arrivals, the waiting ones in order, then the rest is cut."""
    arrivals, left, clock = open_load(30)
    begin(arrivals, clock)
    gevent.sleep(0.2)
    arrivals.end(drain=True)
    assert [arrivals.take().number for _ in range(3)] == [0, 1, 2]
    arrivals.close()
    assert {sample.outcome for sample in left} == {"censored"}
    assert arrivals.take() is None


def test_what_was_released_late_was_not_sent_by_the_schedule() -> None:
    """A generator that stood still for more than a second caught up, but not in time."""
    arrivals, _, clock = open_load(30)
    begin(arrivals, clock)
    gevent.sleep(0.05)
    time.sleep(1.6)  # nothing else runs meanwhile
    gevent.sleep(0.05)
    assert arrivals.take().number == 0
    account = arrivals.account()
    assert account["planned_arrivals"] == 100
    assert 5 <= account["sent_arrivals"] <= 70
    arrivals.end(drain=False)
