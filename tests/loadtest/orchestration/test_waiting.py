"""A task waits for its target without a worker, in order of arrival, and no longer than it may."""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from airflow.sdk import DAG
from airflow.sdk.bases.operator import ExecutorSafeguard
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.serialization.serialized_objects import DagSerialization
from sqlalchemy import Engine, text

from include.loadtest.errors import ConfigError
from include.loadtest.history.database import connect, transaction, upgrade
from include.loadtest.history.locks import acquire_lock, release_lock, stand_in_line
from include.loadtest.orchestration import settings, waiting
from include.loadtest.orchestration.waiting import MAX_WAIT_S, TargetFreeTrigger, WhenTargetIsFree

pytestmark = pytest.mark.integration
DOWN = "postgresql://nobody@127.0.0.1:1/history"


@pytest.fixture
def engine(history_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Engine:
    """A history in which `other` has the target."""
    upgrade(history_url)
    monkeypatch.setattr(settings, "history_url", lambda: history_url)
    monkeypatch.setattr(waiting, "POLL_S", 0.05)
    monkeypatch.setattr(ExecutorSafeguard, "test_mode", True)
    caplog.set_level(logging.INFO, "loadtest")
    engine = connect(history_url)
    with transaction(engine) as connection:
        connection.execute(text("TRUNCATE loadtest.target_lock, loadtest.target_waiter"))
    acquire_lock(engine, "demo", "other", "smoke-0", 600)
    return engine


def task(engine: Engine, owner: str = "me", **options: Any) -> WhenTargetIsFree:
    """A task whose work takes the target."""

    def take() -> None:
        acquire_lock(engine, "demo", owner, f"run-of-{owner}", 600)

    return WhenTargetIsFree(task_id="preflight", work=options.pop("work", take), **options)


def deferred(call: Callable[[], object]) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as caught:
        call()
    return caught.value


def resumed(operator: WhenTargetIsFree, wait: TaskDeferred, event: dict[str, Any]) -> None:
    """As Airflow does it, in another process: everything has gone through JSON."""
    kwargs = json.loads(json.dumps(wait.kwargs))
    operator.resume_execution(str(wait.method_name), {**kwargs, "event": event}, {})


async def fired(wait: TaskDeferred) -> dict[str, Any]:
    """What the trigger's event says, when it comes."""
    path, kwargs = wait.trigger.serialize()
    module, _, name = path.rpartition(".")
    trigger = getattr(import_module(module), name)(**json.loads(json.dumps(kwargs)))
    events = [event async for event in trigger.run()]
    assert len(events) == 1
    return dict(events[0].payload)


def waiters(engine: Engine) -> list[str]:
    with transaction(engine) as connection:
        return list(connection.scalars(text("SELECT owner FROM loadtest.target_waiter ORDER BY ticket")))


def test_work_on_a_free_target_is_done_at_once(engine: Engine) -> None:
    """Nothing is deferred, nobody waits."""
    release_lock(engine, "demo", "other")
    task(engine).execute({})
    assert stand_in_line(engine, "demo", "later", "smoke-1").holder.owner == "me"
    assert waiters(engine) == ["later"]


def test_who_waits_comes_to_its_turn_in_order_of_arrival(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """The log says who has the target and the place; the second is served when the first is done."""
    tasks = {owner: task(engine, owner) for owner in ("first", "second")}
    waits = {owner: deferred(lambda one=one: one.execute({})) for owner, one in tasks.items()}
    assert "place 1 in the queue: target demo is held by other for run smoke-0 since" in caplog.text
    assert "place 2 in the queue" in caplog.text
    served: list[str] = []

    async def serve(owner: str) -> None:
        event = await fired(waits[owner])
        assert event == {"free": True}
        await asyncio.to_thread(resumed, tasks[owner], waits[owner], event)
        served.append(owner)

    async def all_in_turn() -> None:
        waiting_tasks = [asyncio.create_task(serve(owner)) for owner in ("second", "first")]
        await asyncio.sleep(0.5)
        assert served == []
        release_lock(engine, "demo", "other")
        while served != ["first"]:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert served == ["first"]
        release_lock(engine, "demo", "first")
        await asyncio.gather(*waiting_tasks)

    asyncio.run(asyncio.wait_for(all_in_turn(), 60))
    assert served == ["first", "second"]
    assert waiters(engine) == []
    assert "place 1 in the queue, held by first for run run-of-first" in caplog.text


def test_who_was_too_late_waits_again_and_not_for_longer(engine: Engine) -> None:
    """Its bound is that of the first wait, and its place is kept."""
    operator = task(engine)
    first = deferred(lambda: operator.execute({}))
    again = deferred(lambda: resumed(operator, first, {"free": True}))
    assert again.kwargs == first.kwargs
    assert again.timeout is not None
    assert first.timeout is not None
    assert MAX_WAIT_S < again.timeout.total_seconds() <= first.timeout.total_seconds()
    assert waiters(engine) == ["me"]


def test_the_wait_is_bounded_and_says_who_had_the_target(engine: Engine) -> None:
    """The trigger gives up at the end of the time, the last attempt fails for good, and the place is free."""
    operator = task(engine, max_wait_s=0.3, retries=2)
    wait = deferred(lambda: operator.execute({}))
    event = asyncio.run(asyncio.wait_for(fired(wait), 60))
    assert event == {"free": False}
    with pytest.raises(AirflowFailException, match="in vain: target demo is held by other for run smoke-0"):
        resumed(operator, wait, event)
    assert waiters(engine) == []


def test_a_turn_that_comes_days_later_is_no_start(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The DAG was paused while it waited, or Airflow was away: unpausing never starts a surprise load."""
    operator = task(engine)
    wait = deferred(lambda: operator.execute({}))
    release_lock(engine, "demo", "other")
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s + MAX_WAIT_S + 3 * 24 * 3600)
    with pytest.raises(AirflowFailException, match="min too late"):
        resumed(operator, wait, {"free": True})
    assert stand_in_line(engine, "demo", "later", "smoke-1").holder is None


def test_a_last_attempt_that_finds_the_target_free_takes_it(engine: Engine) -> None:
    """The end of the wait is no reason to refuse what can be had."""
    operator = task(engine, max_wait_s=0.0)
    wait = deferred(lambda: task(engine).execute({}))
    release_lock(engine, "demo", "other")
    resumed(operator, wait, {"free": False})
    assert stand_in_line(engine, "demo", "later", "smoke-1").holder.owner == "me"


def test_other_errors_of_the_work_end_the_task(engine: Engine) -> None:
    """They are no reason to wait, and after a wait none to keep a place in the queue."""

    def wrong() -> None:
        raise ConfigError("no such profile")

    with pytest.raises(ConfigError, match="no such profile"):
        task(engine, work=wrong).execute({})
    wait = deferred(lambda: task(engine).execute({}))
    with pytest.raises(ConfigError, match="no such profile"):
        resumed(task(engine, work=wrong), wait, {"free": True})
    assert waiters(engine) == []


def test_a_task_that_a_person_ends_waits_no_longer(engine: Engine) -> None:
    """Airflow tells the trigger so; a triggerer that is only shut down keeps the place."""
    wait = deferred(lambda: task(engine).execute({}))

    async def cancelled() -> None:
        running = asyncio.create_task(fired(wait))
        await asyncio.sleep(0.2)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    asyncio.run(cancelled())
    assert waiters(engine) == ["me"]
    asyncio.run(wait.trigger.on_kill())
    assert waiters(engine) == []


def test_a_history_that_is_away_for_a_while_ends_no_wait(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so, and the next question is asked when it is back."""
    wait, url = deferred(lambda: task(engine).execute({})), settings.history_url()
    release_lock(engine, "demo", "other")
    monkeypatch.setattr(settings, "history_url", lambda: DOWN if caplog.text.count("cannot be asked now") < 2 else url)
    assert asyncio.run(asyncio.wait_for(fired(wait), 60)) == {"free": True}


def test_airflow_keeps_the_task_and_no_secret_of_it(engine: Engine, history_url: str) -> None:
    """The DAG is stored like any other, the trigger without an address; options such as retries are the task's."""
    with DAG("load_test_x", start_date=datetime(2026, 1, 1, tzinfo=UTC), schedule=None) as dag:
        operator = task(engine, retries=3)
    stored = json.dumps(DagSerialization.to_dict(dag))
    assert "WhenTargetIsFree" in stored
    assert operator.retries == 3
    path, kwargs = TargetFreeTrigger("demo", "me", "smoke-1", time.time()).serialize()
    assert path == "include.loadtest.orchestration.waiting.TargetFreeTrigger"
    assert set(kwargs) == {"target", "owner", "run_id", "give_up_at_s"}
    assert history_url not in stored + json.dumps(kwargs)
