"""The size of a pool follows from how long its connections are held, at the rate that nobody's waiting slows down."""

import pytest

from include.loadtest.analysis.readings import Answers, Readings
from include.loadtest.analysis.recommendations.pool import erlang_c, pool_of

pytestmark = pytest.mark.unit
SECOND_US = 1_000_000
END = 61 * SECOND_US


def readings(held: float, waited: float | None, size: float = 2.0) -> Readings:
    """Counters that grow by so much a second, read every 5 s."""
    moments = [n * 5 * SECOND_US for n in range(13)]
    rates = {"db_pool_held_seconds_sum": held, "db_pool_wait_seconds_sum": waited}
    series = {
        ("app", name): [(us, rate * us / SECOND_US) for us in moments]
        for name, rate in rates.items()
        if rate is not None
    }
    return Readings({**series, ("app", "db_pool_size"): [(us, size) for us in moments]})


def answers(rate: int) -> Answers:
    return Answers([n * SECOND_US // rate for n in range(1, 60 * rate + 1)])


def test_the_size_by_littles_law_as_by_hand() -> None:
    """20 users, 10 answers a second: a cycle of 2 s, of which 1 s is waiting for a connection.

    Without that wait the rate doubles, and with it the 1.9 connections in use: 3.8; with the margin of a square root
    3.8 + 1.95 = 5.75, so 6.
    """
    pool = pool_of(readings(1.9, 10.0), answers(10), 20, 0, END)
    assert pool is not None
    assert (pool.size, pool.used, pool.needed) == (2, pytest.approx(1.9), pytest.approx(3.8))
    assert (pool.low, pool.high) == (pytest.approx(3.8), pytest.approx(3.8))
    assert (pool.advised, pool.is_full, pool.wait_ms) == (6, True, pytest.approx(1000))


def test_a_pool_with_room_is_not_full() -> None:
    """1.9 of 20."""
    pool = pool_of(readings(1.9, 0.0, size=20.0), answers(10), 20, 0, END)
    assert pool is not None
    assert not pool.is_full


def test_without_holding_times_there_is_no_size() -> None:
    """The gauge says that it is full, and not what it should be."""
    gauge = Readings({("app", name): [(0, 2.0), (5 * SECOND_US, 2.0)] for name in ("db_pool_size", "db_pool_used")})
    pool = pool_of(gauge, answers(10), 20, 0, END)
    assert pool is not None
    assert (pool.is_full, pool.needed, pool.advised, pool.wait_ms) == (True, None, None, None)


def test_without_a_size_there_is_no_pool() -> None:
    """Nothing to hold its use against."""
    assert pool_of(Readings({}), answers(10), 20, 0, END) is None


def test_a_pool_that_was_made_smaller_is_the_smaller_one() -> None:
    """20 connections for the first half, 2 for the second, of which 1.9 are in use from then on."""
    own = readings(1.9, 10.0)
    sizes = [(us, 20.0 if us < 30 * SECOND_US else 2.0) for us, _ in own.series["app", "db_pool_size"]]
    pool = pool_of(Readings({**own.series, ("app", "db_pool_size"): sizes}), answers(10), 20, 0, END)
    assert pool is not None
    assert (pool.size, pool.is_full, pool.needed) == (2, True, pytest.approx(3.8))


def test_arrivals_on_a_schedule_have_no_cycle() -> None:
    """No number of users: what is needed is not computed."""
    pool = pool_of(readings(1.9, 10.0), answers(10), None, 0, END)
    assert pool is not None
    assert (pool.needed, pool.used) == (None, pytest.approx(1.9))


def test_what_is_saved_is_the_wait_without_what_is_left_of_it() -> None:
    """1000 ms are waited; of the advised 6 connections 3.8 are busy, an arrival waits with a share of 0.24 (M/M/6).

    Then 0.24 x 3.8/2.2 wait at a time, at 20 answers a second 21 ms each: 979 ms less.
    """
    pool = pool_of(readings(1.9, 10.0), answers(10), 20, 0, END)
    assert pool is not None
    left_ms = 1000 * erlang_c(6, 3.8) * 3.8 / 2.2 / 20
    assert pool.saved_ms == pytest.approx(1000 - left_ms)
    assert (pool.saved_low_ms, pool.saved_high_ms) == (pytest.approx(1000 - left_ms), pytest.approx(1000 - left_ms))
    assert left_ms == pytest.approx(20.6, abs=0.1)


@pytest.mark.parametrize(("servers", "busy", "share"), [(1, 0.5, 0.5), (2, 1.0, 1 / 3), (3, 2.0, 4 / 9)])
def test_erlangs_c_is_that_of_the_textbooks(servers: int, busy: float, share: float) -> None:
    """One server: its utilisation; two at a half: a third; three at two thirds: four ninths."""
    assert erlang_c(servers, busy) == pytest.approx(share)
