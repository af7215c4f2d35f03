"""One holder at a time, also when many ask at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, text

from include.loadtest.errors import InvalidTestError
from include.loadtest.history.database import connect, transaction
from include.loadtest.history.locks import acquire_lock, extend_lock, release_lock

pytestmark = pytest.mark.integration


def expire(engine: Engine) -> None:
    with transaction(engine) as connection:
        connection.execute(text("UPDATE loadtest.target_lock SET expires = now() - interval '1 second'"))


def holder(engine: Engine) -> Any:
    with transaction(engine) as connection:
        return connection.execute(
            text("SELECT owner, run_id, expires - now() AS rest, acquired FROM loadtest.target_lock")
        ).one()


def test_a_second_caller_learns_who_holds_the_target(engine: Engine) -> None:
    """Who, for which run, since when, until when; another target is free."""
    acquire_lock(engine, "default", "dag_run_1", "smoke-1", 600)
    with pytest.raises(InvalidTestError) as caught:
        acquire_lock(engine, "default", "dag_run_2", "smoke-2", 600)
    assert caught.value.code == "target_locked"
    for part in ("target default", "dag_run_1", "smoke-1", "since 20", "until 20", "UTC"):
        assert part in str(caught.value)
    acquire_lock(engine, "other", "dag_run_2", "smoke-2", 600)


def test_the_holder_takes_it_again_for_the_next_run(engine: Engine) -> None:
    """Since when it holds the target stays, the run and the end are new."""
    acquire_lock(engine, "default", "me", "smoke-1", 10)
    first = holder(engine)
    acquire_lock(engine, "default", "me", "smoke-2", 600)
    second = holder(engine)
    assert (second.run_id, second.acquired) == ("smoke-2", first.acquired)
    assert second.rest.total_seconds() > 500


def test_an_expired_lock_is_taken_over(engine: Engine) -> None:
    """A run that died does not block the target for ever, and can no longer extend or release what is another's."""
    acquire_lock(engine, "default", "dead", "smoke-1", 600)
    expire(engine)
    acquire_lock(engine, "default", "me", "smoke-2", 600)
    with pytest.raises(InvalidTestError, match="held by me"):
        extend_lock(engine, "default", "dead", 600)
    assert release_lock(engine, "default", "dead") is False
    assert holder(engine).owner == "me"


def test_only_an_own_lock_is_extended(engine: Engine) -> None:
    """One that expired is held again while its row names the owner: nobody else had it in between."""
    acquire_lock(engine, "default", "me", "smoke-1", 5)
    extend_lock(engine, "default", "me", 600)
    assert holder(engine).rest.total_seconds() > 500
    expire(engine)
    extend_lock(engine, "default", "me", 600)
    assert holder(engine).rest.total_seconds() > 500
    expire(engine)
    acquire_lock(engine, "default", "you", "smoke-2", 600)
    assert release_lock(engine, "default", "you") is True
    with pytest.raises(InvalidTestError, match="was released, or expired and was another's"):
        extend_lock(engine, "default", "me", 600)


def test_release_frees_the_target_once(engine: Engine) -> None:
    """Releasing what is not held is no error: clean-up may run twice."""
    acquire_lock(engine, "default", "me", "smoke-1", 600)
    assert release_lock(engine, "default", "me") is True
    assert release_lock(engine, "default", "me") is False
    acquire_lock(engine, "default", "you", "smoke-2", 600)


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
