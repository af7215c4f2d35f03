"""Wait until a target is free, without a worker: the task defers, and Airflow's triggerer asks the history database.

Who waits has a place in the target's queue, in order of arrival, and keeps it by a sign of life at each question. The
rows of one that gives none any more are passed over, so nothing has to be tidied up behind a run that was ended.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.triggers.base import BaseTrigger, TriggerEvent

from include.loadtest.errors import LoadTestError

if TYPE_CHECKING:
    from include.loadtest.history.locks import Standing, TargetHeldError

LOG = logging.getLogger("loadtest")
MAX_WAIT_S = 2 * 3600.0
POLL_S = 3.0
TRIGGERER_PATIENCE_S = 300.0
"""So long after the end of the wait Airflow itself ends it: then no triggerer was there to do so."""


class WhenTargetIsFree(BaseOperator):
    """Do `work`, and where it raises TargetHeldError, do it again when the target is this run's; bounded.

    After `max_wait_s` seconds the task fails with who has the target. Whatever else `work` raises ends the task as it
    would end a task of its own; `options` are those of every task.
    """

    def __init__(self, *, work: Callable[[], object], max_wait_s: float = MAX_WAIT_S, **options: Any) -> None:
        super().__init__(**options)
        self._work, self._max_wait_s = work, max_wait_s

    def execute(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """The first attempt."""
        self._attempt(time.time() + self._max_wait_s)

    def resume(self, context: Any, waiter: dict[str, Any], event: Any = None) -> None:  # noqa: ARG002 - as above
        """The next attempt, after the trigger fired; another may have been faster, then it waits again."""
        late_s = time.time() - waiter["give_up_at_s"]
        if late_s > TRIGGERER_PATIENCE_S:  # the DAG was paused, or Airflow was away: whoever ordered it is gone
            raise AirflowFailException(f"not begun: it may have had its turn, but is {late_s / 60:.0f} min too late")
        with suppress(LoadTestError):  # a sign of life; if the database is away, the work says so
            _stand_in_line(**{name: waiter[name] for name in ("target", "owner", "run_id")})
        try:
            self._attempt(waiter["give_up_at_s"])
        except TaskDeferred:
            raise
        except BaseException:  # whatever ended the task: others must not wait for it
            with suppress(LoadTestError):
                _leave_line(waiter["target"], waiter["owner"])
            raise

    def _attempt(self, give_up_at_s: float) -> None:
        from include.loadtest.history.locks import TargetHeldError

        try:
            self._work()
        except TargetHeldError as error:
            held = error
        else:
            return
        self._wait(held, give_up_at_s)

    def _wait(self, held: "TargetHeldError", give_up_at_s: float) -> NoReturn:
        """Raises TaskDeferred, or AirflowFailException where it has waited long enough."""
        from include.loadtest.orchestration.task_policy import as_airflow_errors

        left_s = give_up_at_s - time.time()
        with as_airflow_errors():
            if left_s <= 0:
                raise AirflowFailException(f"waited {self._max_wait_s / 60:.0f} min in vain: {held}")
            standing = _stand_in_line(held.target, held.owner, held.run_id)
        LOG.info("waiting without a worker, place %d in the queue: %s", standing.place, held)
        trigger = TargetFreeTrigger(held.target, held.owner, held.run_id, give_up_at_s)
        self.defer(
            trigger=trigger,
            method_name="resume",
            kwargs={"waiter": trigger.waiter()},
            timeout=timedelta(seconds=left_s + TRIGGERER_PATIENCE_S),
        )


class TargetFreeTrigger(BaseTrigger):
    """Fires when its waiter is the first and nobody has the target, or at `give_up_at_s` (seconds since the epoch).

    The payload says which: `{"free": true}` or false. It holds no secret: the triggerer finds the database by itself.
    """

    def __init__(self, target: str, owner: str, run_id: str, give_up_at_s: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.target, self.owner, self.run_id, self.give_up_at_s = target, owner, run_id, give_up_at_s

    def waiter(self) -> dict[str, Any]:
        """Who waits for what, and until when."""
        return {
            "target": self.target,
            "owner": self.owner,
            "run_id": self.run_id,
            "give_up_at_s": self.give_up_at_s,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Its class's path and its arguments, for Airflow's database."""
        return f"{__name__}.{type(self).__name__}", self.waiter()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask every few seconds; say who has the target whenever that, or the place in the queue, changes."""
        said = None
        while time.time() < self.give_up_at_s:
            standing = await self._look()
            if standing is not None and standing.may_take:
                yield TriggerEvent({"free": True})  # type: ignore[no-untyped-call]
                return
            if standing is not None and (now := _summary(standing)) != said:
                said = now
                LOG.info("still waiting for target %s: %s", self.target, said)
            await asyncio.sleep(POLL_S)
        yield TriggerEvent({"free": False})  # type: ignore[no-untyped-call]

    async def on_kill(self) -> None:
        """A person has ended the task: it waits no longer."""
        await asyncio.to_thread(_leave_line, self.target, self.owner)

    async def _look(self) -> "Standing | None":
        """The place in the queue; None while the history cannot say, which is tried again."""
        try:
            return await asyncio.to_thread(_stand_in_line, self.target, self.owner, self.run_id)
        except LoadTestError as error:
            LOG.warning("target %s: who has it cannot be asked now: %s", self.target, error)
            return None


def _summary(standing: "Standing") -> str:
    holder = standing.holder
    held = f"held by {holder.owner} for run {holder.run_id}" if holder else "nobody has it, others are first"
    return f"place {standing.place} in the queue, {held}"


def _stand_in_line(target: str, owner: str, run_id: str) -> "Standing":
    from include.loadtest.history.locks import stand_in_line
    from include.loadtest.history.store import connect
    from include.loadtest.orchestration.settings import history_url

    return stand_in_line(connect(history_url()), target, owner, run_id)


def _leave_line(target: str, owner: str) -> None:
    from include.loadtest.history.locks import leave_line
    from include.loadtest.history.store import connect
    from include.loadtest.orchestration.settings import history_url

    leave_line(connect(history_url()), target, owner)
