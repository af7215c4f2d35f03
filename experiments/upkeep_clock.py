"""A clock that only moves when it is told to: for a PostgreSQL's own `now()`, and for our modules."""

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import psycopg2

DATETIME_USERS = (
    "include.loadtest.history.baselines",
    "include.loadtest.orchestration.baseline_actions",
    "include.loadtest.orchestration.context",
    "include.loadtest.orchestration.faults",
    "include.loadtest.orchestration.pipeline",
    "include.loadtest.orchestration.suite",
    "include.loadtest.orchestration.suite_tasks",
    "include.loadtest.orchestration.tasks",
)
"""Modules that ask `datetime.now`."""
IN_DATABASE = """
CREATE SCHEMA simulated;
CREATE TABLE simulated.clock (at timestamptz NOT NULL);
INSERT INTO simulated.clock VALUES ('2000-01-01Z');
CREATE FUNCTION simulated.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM simulated.clock';
CREATE FUNCTION simulated.clock_timestamp() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM simulated.clock';
ALTER DATABASE "{name}" SET search_path = simulated, pg_catalog, public;
"""
"""The statements of the history stay as they are: both functions are found before the server's own."""


class Clock:
    """The simulated time, UTC. Setting it sets the database's, too."""

    def __init__(self, history_url: str) -> None:
        self._connection = psycopg2.connect(history_url)
        self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT current_database()")
            cursor.execute(IN_DATABASE.format(name=(cursor.fetchone() or ("",))[0]))
        self.now = datetime(2000, 1, 1, tzinfo=UTC)

    def set(self, moment: datetime) -> None:
        """Never backwards. Raises ValueError."""
        if moment < self.now:
            raise ValueError(f"{moment} is before {self.now}")
        if moment > self.now:
            self.now = moment
            with self._connection.cursor() as cursor:
                cursor.execute("UPDATE simulated.clock SET at = %s", (moment,))

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()

    @contextmanager
    def in_python(self) -> Iterator[None]:
        """Our modules ask this clock for the length of the block."""
        clock = self

        class Simulated(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return clock.now.astimezone(tz)

        def seconds() -> float:
            return clock.now.timestamp()

        with ExitStack() as stack:
            for module in DATETIME_USERS:
                stack.enter_context(patch(f"{module}.datetime", Simulated))
            orphans = "include.loadtest.orchestration.housekeeping_orphans.time"
            stack.enter_context(patch(orphans, SimpleNamespace(time=seconds)))
            stack.enter_context(patch("include.loadtest.orchestration.timetables.utcnow", lambda: clock.now))
            yield


class Actor:
    """Something that goes on in simulated time, in a thread of its own; of all of them one runs at a time."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work, self.turn = work, threading.Semaphore(0)
        self.thread: threading.Thread | None = None
        self.error: BaseException | None = None

    def run(self, back: threading.Semaphore) -> None:
        """The thread's work; what goes wrong is raised where the simulation runs."""
        self.turn.acquire()
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised by the simulation
            self.error = error
        back.release()


class Simulation:
    """Actors in the order of their moments: each runs until it sleeps, ends, or is killed."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._due: list[tuple[datetime, int, Actor]] = []
        self._numbers = itertools.count()
        self._back = threading.Semaphore(0)
        self._running: Actor | None = None

    @property
    def now(self) -> datetime:
        """The simulated moment."""
        return self.clock.now

    def start(self, at: datetime, work: Callable[[], Any]) -> None:
        """Let it begin at that moment."""
        self._push(at, Actor(work))

    def run_until(self, end: datetime) -> None:
        """Let happen what is due until then. Raises what an actor raised."""
        while self._due and self._due[0][0] <= end:
            at, _, actor = heapq.heappop(self._due)
            self.clock.set(max(at, self.now))
            self._running = actor
            if actor.thread is None:
                actor.thread = threading.Thread(target=actor.run, args=(self._back,), daemon=True)
                actor.thread.start()
            actor.turn.release()
            self._back.acquire()
            if actor.error is not None:
                raise actor.error
        self.clock.set(end)

    def sleep(self, seconds: float) -> None:
        """Let so much time pass; called by the running actor."""
        actor = self._running
        if actor is None:
            raise RuntimeError("nobody runs who could sleep")
        self._push(self.now + timedelta(seconds=seconds), actor)
        self._back.release()
        actor.turn.acquire()
        self._running = actor

    def die(self) -> None:
        """End the running actor as `kill -9` does: nothing that it would have done on its way out is done."""
        self._back.release()
        threading.Semaphore(0).acquire()

    def _push(self, at: datetime, actor: Actor) -> None:
        heapq.heappush(self._due, (at, next(self._numbers), actor))
