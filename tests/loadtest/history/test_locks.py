"""One holder at a time, in order of arrival, also when many ask at once; a late one is known by its token."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from include.loadtest.errors import InfrastructureError, InvalidTestError
from include.loadtest.history import locks
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.locks import (
    TAKEN_UP_S,
    WAITER_FORGOTTEN_S,
    WAITER_LIVE_S,
    TargetHeldError,
    acquire_lock,
    check_token,
    extend_lock,
    leave_line,
    release_lock,
    stand_in_line,
)

pytestmark = pytest.mark.integration


def sql(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement))


def expire(engine: Engine, since_s: int = 1) -> None:
    sql(engine, f"UPDATE loadtest.target_lock SET expires = now() - interval '{since_s} seconds'")


def silent_for(engine: Engine, owner: str, seconds: int) -> None:
    sql(
        engine,
        f"UPDATE loadtest.target_waiter SET last_seen = last_seen - interval '{seconds} s' WHERE owner = '{owner}'",
    )


def holder(engine: Engine) -> Any:
    with transaction(engine) as connection:
        return connection.execute(
            text("SELECT owner, run_id, expires - now() AS rest, acquired, token FROM loadtest.target_lock")
        ).one()


def places(engine: Engine, *owners: str) -> list[int]:
    return [stand_in_line(engine, "default", owner, f"run-of-{owner}").place for owner in owners]


def test_a_second_caller_learns_who_holds_the_target(engine: Engine) -> None:
    """Who, for which run, since when, until when; another target is free."""
    acquire_lock(engine, "default", "dag_run_1", "smoke-1", 600)
    with pytest.raises(TargetHeldError) as caught:
        acquire_lock(engine, "default", "dag_run_2", "smoke-2", 600)
    assert caught.value.code == "target_locked"
    for part in ("target default", "dag_run_1", "smoke-1", "since 20", "until 20", "UTC"):
        assert part in str(caught.value)
    held = caught.value.holder
    assert held is not None
    assert (held.owner, held.run_id, (held.until - held.since).total_seconds()) == (
        "dag_run_1", "smoke-1", pytest.approx(600, abs=5)
    )  # fmt: skip
    assert (caught.value.target, caught.value.owner, caught.value.run_id) == ("default", "dag_run_2", "smoke-2")
    acquire_lock(engine, "other", "dag_run_2", "smoke-2", 600)


def test_the_holder_takes_it_again_for_the_next_run(engine: Engine) -> None:
    """Since when it holds the target stays, and its token; the run and the end are new."""
    token = acquire_lock(engine, "default", "me", "smoke-1", 10)
    first = holder(engine)
    assert acquire_lock(engine, "default", "me", "smoke-2", 600) == token
    second = holder(engine)
    assert (second.run_id, second.acquired) == ("smoke-2", first.acquired)
    assert second.rest.total_seconds() > 500


def test_an_expired_lock_is_taken_over(engine: Engine) -> None:
    """A run that died does not block the target for ever, and can no longer extend or release what is another's."""
    late = acquire_lock(engine, "default", "dead", "smoke-1", 600)
    expire(engine)
    assert acquire_lock(engine, "default", "me", "smoke-2", 600) > late
    with pytest.raises(InvalidTestError, match="held by me"):
        extend_lock(engine, "default", "dead", late, 600)
    with pytest.raises(InvalidTestError, match="held by me"):
        check_token(engine, "default", "dead", late)
    assert release_lock(engine, "default", "dead") is False
    assert holder(engine).owner == "me"


def test_a_killed_owner_is_followed_when_its_time_is_over(engine: Engine) -> None:
    """Not before, by the database's clock."""
    began_s = time.monotonic()
    acquire_lock(engine, "default", "dead", "smoke-1", 2)
    stand_in_line(engine, "default", "next", "smoke-2")
    while not stand_in_line(engine, "default", "next", "smoke-2").may_take:
        assert time.monotonic() - began_s < 30
        time.sleep(0.05)
    assert time.monotonic() - began_s >= 2
    acquire_lock(engine, "default", "next", "smoke-2", 600)
    assert holder(engine).owner == "next"


def test_only_an_own_lock_is_extended(engine: Engine) -> None:
    """One that expired is held again while its row has the token: nobody else had it in between."""
    token = acquire_lock(engine, "default", "me", "smoke-1", 5)
    extend_lock(engine, "default", "me", token, 600)
    assert holder(engine).rest.total_seconds() > 500
    expire(engine)
    with pytest.raises(InvalidTestError, match="was released, or expired"):
        check_token(engine, "default", "me", token)
    extend_lock(engine, "default", "me", token, 600)
    check_token(engine, "default", "me", token)
    assert holder(engine).rest.total_seconds() > 500
    expire(engine)
    acquire_lock(engine, "default", "you", "smoke-2", 600)
    assert release_lock(engine, "default", "you") is True
    with pytest.raises(InvalidTestError, match="was released, or expired and was another's"):
        extend_lock(engine, "default", "me", token, 600)


def test_a_run_that_stood_still_for_hours_does_not_go_on(engine: Engine) -> None:
    """Airflow was away between two of its stages: its load would come at another time than it was ordered for."""
    token = acquire_lock(engine, "default", "me", "smoke-1", 300)
    expire(engine, TAKEN_UP_S - 60)
    extend_lock(engine, "default", "me", token, 300)
    expire(engine, TAKEN_UP_S + 60)
    with pytest.raises(InvalidTestError, match=r"expired at .* UTC, the run stood still for too long.*trigger it anew"):
        extend_lock(engine, "default", "me", token, 300)
    acquire_lock(engine, "default", "me", "smoke-1", 300)  # its clean-up takes the target all the same


def test_a_token_rises_with_every_owner_and_never_comes_back(engine: Engine) -> None:
    """Neither a release nor an own earlier turn brings an old one back; each target counts for itself."""
    tokens = []
    for owner in ("me", "you", "me"):
        tokens.append(acquire_lock(engine, "default", owner, "smoke-1", 600))
        release_lock(engine, "default", owner)
    last = acquire_lock(engine, "default", "me", "smoke-2", 600)
    assert [*tokens, last] == sorted({*tokens, last})
    with pytest.raises(InvalidTestError) as caught:
        check_token(engine, "default", "me", tokens[0])
    assert caught.value.code == "target_locked"
    assert acquire_lock(engine, "other", "me", "smoke-2", 600) == tokens[0]


def test_release_frees_the_target_once(engine: Engine) -> None:
    """Releasing what is not held is no error: clean-up may run twice."""
    acquire_lock(engine, "default", "me", "smoke-1", 600)
    assert release_lock(engine, "default", "me") is True
    assert release_lock(engine, "default", "me") is False
    acquire_lock(engine, "default", "you", "smoke-2", 600)


def test_waiters_are_served_in_order_of_arrival(url: str, engine: Engine) -> None:
    """Over two connections, as of two installations; a newcomer does not get past them when the target is free."""
    other = connect(url)
    acquire_lock(engine, "default", "now", "smoke-0", 600)
    assert [places(one, owner)[0] for one, owner in ((engine, "a"), (other, "b"), (engine, "c"))] == [1, 2, 3]
    assert places(other, "c", "a", "b") == [3, 1, 2]
    release_lock(engine, "default", "now")
    served = []
    for _ in range(3):
        for owner in ("newcomer", "c", "b", "a"):
            try:
                acquire_lock(other, "default", owner, "smoke-1", 600)
            except TargetHeldError as error:
                if not served:
                    assert ("another's turn" in str(error), error.holder) == (True, None)
                continue
            served.append(owner)
            break
        release_lock(engine, "default", served[-1])
    assert served == ["a", "b", "c"]
    acquire_lock(engine, "default", "newcomer", "smoke-1", 600)


def test_a_dead_waiter_is_passed_over_and_keeps_its_place_for_a_while(engine: Engine) -> None:
    """Its triggerer may only have been started anew; after ten minutes of silence its place is lost."""
    acquire_lock(engine, "default", "now", "smoke-0", 600)
    assert places(engine, "a", "b", "c") == [1, 2, 3]
    silent_for(engine, "a", WAITER_LIVE_S)
    assert places(engine, "b", "c") == [1, 2]
    assert places(engine, "a", "b") == [1, 2]
    silent_for(engine, "a", WAITER_FORGOTTEN_S)
    assert places(engine, "b", "a") == [1, 3]
    silent_for(engine, "b", WAITER_LIVE_S)
    release_lock(engine, "default", "now")
    acquire_lock(engine, "default", "c", "smoke-1", 600)


def test_who_leaves_the_line_or_gives_up_the_target_waits_no_longer(engine: Engine) -> None:
    """Whoever is behind moves up; leaving twice is no error."""
    acquire_lock(engine, "default", "now", "smoke-0", 600)
    places(engine, "a", "b", "c")
    leave_line(engine, "default", "a")
    leave_line(engine, "default", "a")
    assert places(engine, "b") == [1]
    assert release_lock(engine, "default", "b") is False
    assert places(engine, "c") == [1]


def test_an_owner_never_waits_for_itself(engine: Engine) -> None:
    """A suite's run, or a repeat, takes its own lock again, whoever waits behind it."""
    token = acquire_lock(engine, "default", "me", "weekly-1", 600)
    places(engine, "a")
    assert acquire_lock(engine, "default", "me", "smoke-1", 600) == token
    expire(engine)
    assert acquire_lock(engine, "default", "me", "smoke-2", 600) == token


@pytest.mark.parametrize("expired", [False, True])
def test_of_many_callers_at_once_exactly_one_gets_it(url: str, engine: Engine, expired: bool) -> None:
    """Whether the target is free or its lock has expired."""
    callers = 8
    start = threading.Barrier(callers)
    if expired:
        acquire_lock(engine, "default", "dead", "smoke-0", 600)
        expire(engine)

    def attempt(number: int) -> bool:
        own = connect(url)
        start.wait(timeout=30)
        try:
            acquire_lock(own, "default", f"owner-{number}", f"smoke-{number}", 600)
        except InvalidTestError as error:
            assert error.code == "target_locked"
            return False
        return True

    with ThreadPoolExecutor(callers) as pool:
        got = list(pool.map(attempt, range(callers)))
    assert sum(got) == 1
    assert holder(engine).owner == f"owner-{got.index(True)}"


def test_many_that_wait_at_once_follow_each_other_without_overlap(url: str, engine: Engine) -> None:
    """Each holds it alone, with a token higher than the one before, and all come to their turn."""
    callers, order = 6, []
    start = threading.Barrier(callers)

    def wait_and_hold(number: int) -> None:
        own, owner = connect(url), f"owner-{number}"
        start.wait(timeout=30)
        while True:
            stand_in_line(own, "default", owner, f"smoke-{number}")
            try:
                token = acquire_lock(own, "default", owner, f"smoke-{number}", 600)
            except TargetHeldError:
                continue
            order.append(("in", owner, token))
            check_token(own, "default", owner, token)
            order.append(("out", owner, token))
            assert release_lock(own, "default", owner)
            return

    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(wait_and_hold, range(callers)))
    assert [step for step, *_ in order] == ["in", "out"] * callers
    assert [one[1:] for one in order[::2]] == [one[1:] for one in order[1::2]]
    tokens = [token for *_, token in order[::2]]
    assert tokens == list(range(tokens[0], tokens[0] + callers))
    assert len({owner for _, owner, _ in order}) == callers
    assert holder_count(engine) == 0


def test_a_process_that_stops_in_the_midst_of_it_holds_up_nobody_for_long(
    url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database undoes what it began; when it goes on, it does not hold the target and learns that."""
    monkeypatch.setattr(locks, "IDLE_S", 1)
    began, go_on, write = threading.Event(), threading.Event(), locks._write

    def stopping(connection: Connection, *arguments: Any, **values: Any) -> None:
        write(connection, *arguments, **values)
        if values["owner"] == "stopped":
            began.set()
            go_on.wait(60)

    monkeypatch.setattr(locks, "_write", stopping)
    with ThreadPoolExecutor(1) as pool:
        stopped = pool.submit(acquire_lock, connect(url), "default", "stopped", "smoke-1", 600)
        assert began.wait(30)
        acquire_lock(engine, "default", "me", "smoke-2", 600)
        go_on.set()
        with pytest.raises(InfrastructureError, match="connection"):
            stopped.result(60)
    assert holder(engine).owner == "me"


def holder_count(engine: Engine) -> int:
    with transaction(engine) as connection:
        return int(connection.scalar(text("SELECT count(*) FROM loadtest.target_lock")))
