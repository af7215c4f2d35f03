import threading
from contextlib import ExitStack, closing

import psycopg2
import pytest

from include.loadtest.collectors.locks import MAX_PAIRS, Wait, lock_waits
from tests.loadtest.collectors.conftest import WatchedDatabase, await_true

pytestmark = pytest.mark.integration


def wait(pid: int, blocking_pid: int | None, waited_s: float = 1.0, statement: str | None = "UPDATE a") -> Wait:
    return Wait(pid, waited_s, statement, "a", blocking_pid, f"UPDATE {blocking_pid}", "active", 9.0)


def test_a_waiting_statement_is_seen_with_the_one_that_blocks_it(database: WatchedDatabase) -> None:
    """By a role with pg_monitor only: text without values, relation, state, how long; a queue has one head."""
    database.sql("CREATE TABLE acc (id int PRIMARY KEY, owner text); INSERT INTO acc VALUES (7, 'x')")
    with database.reading() as reader, ExitStack() as stack:
        holder, *waiters = (stack.enter_context(closing(psycopg2.connect(database.admin_url))) for _ in range(3))
        for waiter in waiters:
            waiter.autocommit = True
        holder.cursor().execute("UPDATE acc SET owner = 'mario' WHERE id = 7")
        update = "UPDATE acc SET owner = %s WHERE id = %s"
        threads = [
            threading.Thread(target=lambda waiter=waiter: waiter.cursor().execute(update, ("rossi", 7)))
            for waiter in waiters
        ]
        for number, thread in enumerate(threads):
            thread.start()
            await_true(lambda at_least=number: reader.read()["lock_waits"] > at_least, "it waits")
        values = reader.read()
        seen = [one for one in reader.observations() if one["kind"] == "lock_wait"]
        holder_pid = holder.info.backend_pid
        holder.rollback()
        for thread in threads:
            thread.join(10)
        assert reader.read()["lock_waits"] == 0
        assert [one for one in reader.observations() if one["kind"] == "lock_wait"] == []
    (one,) = seen
    assert one["statement"] == "UPDATE acc SET owner = ? WHERE id = ?"
    assert one["blocking_statement"] == "UPDATE acc SET owner = ? WHERE id = ?"
    assert (one["relation"], one["blocking_state"], one["waiters"]) == ("acc", "idle in transaction", 2)
    assert one["blocking_pid"] == holder_pid
    assert 0 < one["waited_s"] < one["blocking_transaction_s"]
    assert one["waited_s"] >= values["lock_wait_longest_s"]


def test_whoever_waits_behind_a_waiter_is_told_with_the_head() -> None:
    """3 waits for 2, which waits for 1: the cause of both is 1."""
    (one,) = lock_waits([wait(3, 2, 1.0), wait(2, 1, 5.0)])
    assert (one["blocking_pid"], one["blocking_statement"], one["waited_s"], one["waiters"]) == (1, "UPDATE ?", 5.0, 2)


def test_a_circle_ends() -> None:
    """A deadlock that the server has not found yet."""
    assert {one["blocking_pid"] for one in lock_waits([wait(1, 2), wait(2, 1)])} == {1, 2}
    assert len(lock_waits([wait(1, 1)])) == 1


def test_what_is_not_known_is_null() -> None:
    """The blocker has gone, or is hidden from the role; a prepared transaction has no session."""
    gone = Wait(3, None, None, None, None, None, None, None)
    (one,) = lock_waits([gone])
    assert {key: value for key, value in one.items() if value is not None} == {"kind": "lock_wait", "waiters": 1}
    (prepared,) = lock_waits([gone._replace(blocking_pid=0)])
    assert (prepared["blocking_state"], prepared["blocking_statement"]) == ("prepared transaction", None)


def test_the_longest_waits_are_told() -> None:
    """A reading with many pairs of statements has the worst of them."""
    told = lock_waits([wait(pid, 1, float(pid), f"UPDATE t{pid}") for pid in range(2, 30)])
    assert [one["waited_s"] for one in told] == [float(pid) for pid in range(29, 29 - MAX_PAIRS, -1)]
