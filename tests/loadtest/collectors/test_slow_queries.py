import pytest

from include.loadtest.collectors.slow_queries import Running, SlowQueries

pytestmark = pytest.mark.unit
FIRST, SECOND = Running(10, 100.0, 5), Running(11, 101.0, 5)


def test_one_that_runs_over_several_readings_counts_once() -> None:
    """Seen twice, then its call is among the ended ones."""
    slow = SlowQueries()
    assert [slow.add([FIRST], {}), slow.add([FIRST], {}), slow.add([], {5: 1}), slow.add([], {})] == [1, 1, 1, 1]


def test_one_that_ends_while_it_is_asked_for_counts_once() -> None:
    """It was running at the first question of a reading and has ended at the second."""
    slow = SlowQueries()
    assert [slow.add([FIRST], {5: 1}), slow.add([], {})] == [1, 1]


def test_calls_between_two_readings_count_all() -> None:
    """Three ended, one of which was seen before; one that begins may be among them until its own end shows it."""
    slow = SlowQueries()
    assert [slow.add([FIRST], {}), slow.add([SECOND], {5: 3}), slow.add([], {5: 1})] == [1, 3, 4]


def test_one_that_was_cancelled_hides_no_later_one() -> None:
    """Its call never appears among the ended ones."""
    slow = SlowQueries()
    assert [slow.add([FIRST], {}), slow.add([], {}), slow.add([], {5: 1})] == [1, 1, 2]


def test_a_session_that_begins_another_statement_counts_again() -> None:
    """The same session, a later begin; a statement without an id as well."""
    slow = SlowQueries()
    begun = [Running(10, begin_s, None) for begin_s in (100.0, 105.0)]
    assert [slow.add([begun[0]], {}), slow.add([begun[1]], {})] == [1, 2]
