"""Airflow in simulated time: when it starts the scheduled runs, what it does with a run whose task was killed.

The timetables, the rules of who is skipped and refused, and the stages are the real ones.
"""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.base import DataInterval, TimeRestriction

from experiments.upkeep_dag_run import DagRun, Entry, Task
from experiments.upkeep_steps import ALWAYS, RunSteps, SuiteSteps
from experiments.upkeep_stubs import World
from include.loadtest.errors import LoadTestError
from include.loadtest.orchestration import suite_tasks, tasks
from include.loadtest.orchestration.factory import START
from include.loadtest.orchestration.timetables import CadenceTimetable
from include.loadtest.profile.suites import Cadence

NOTICED_S = 30
"""A task whose process was killed is taken for failed after that."""
DELETED_SHARE = 0.1
"""Of the DAG runs with a killed task: a person deletes them, so that nothing follows, not even the clean-up."""


@dataclass
class Airflow:
    """One installation. `away_until`: its scheduler and workers start nothing before; `paused`: cadences."""

    world: World
    book: list[Entry] = field(default_factory=list)
    away_until: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    paused: set[Cadence] = field(default_factory=set)
    active: set[Cadence] = field(default_factory=set)
    last: dict[Cadence, DataInterval | None] = field(default_factory=dict)
    runs: list[DagRun] = field(default_factory=list)
    context: threading.local = field(default_factory=threading.local)
    absences: list[tuple[datetime, datetime]] = field(default_factory=list)
    pauses: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    killed: int = 0
    deleted: int = 0

    def go_away(self, seconds: float, *, killed: bool) -> None:
        """Nothing new starts for so long; `killed`: whatever runs is dead, and its DAG runs go on afterwards."""
        world = self.world
        self.away_until = max(self.away_until, world.now + timedelta(seconds=seconds))
        self.absences.append((world.now, self.away_until))
        for dag_run in [one for one in self.runs if killed and one.works and not one.waits]:
            self._goes_on_after(dag_run, seconds)
        for cadence in load_cadences():
            world.simulation.start(self.away_until, partial(self.look, cadence))

    def _goes_on_after(self, dag_run: DagRun, seconds: float) -> None:
        """Its process is dead from now on; what follows the task is done later by another."""
        dag_run.alive = dag_run.works = False
        self.killed += 1
        if self.world.chance.random() < DELETED_SHARE:
            self._delete(dag_run)
            return
        successor = DagRun(**{**vars(dag_run), "place": dag_run.place + 1, "failed": True, "alive": True})
        self.runs[self.runs.index(dag_run)] = successor
        at = self.world.now + timedelta(seconds=max(seconds, NOTICED_S))
        self.world.simulation.start(at, lambda: self._perform(successor))

    def _delete(self, dag_run: DagRun) -> None:
        self.deleted += 1
        self.runs.remove(dag_run)
        dag_run.entry.outcome = "deleted by a person"
        self.world.simulation.start(self.world.now + timedelta(seconds=NOTICED_S), dag_run.ended)

    def kill_task(self, owner: str) -> None:
        """The process of a DAG run's running task is killed."""
        dag_run = next(one for one in self.runs if one.owner == owner and one.alive)
        self._goes_on_after(dag_run, NOTICED_S)

    def is_dead(self) -> bool:
        """Whether the process that runs now is one that was killed while it waited."""
        mine = getattr(self.context, "dag_run", None)
        return mine is not None and not mine.alive

    def pause(self, cadence: Cadence, days: float) -> None:
        """Start nothing of it for so long."""
        until = self.world.now + timedelta(days=days)
        self.paused.add(cadence)
        self.pauses.setdefault(cadence, []).append((self.world.now, until))
        self.world.simulation.start(until, lambda: self._unpause(cadence))

    def _unpause(self, cadence: Cadence) -> None:
        self.paused.discard(cadence)
        self.look(cadence)

    def look(self, cadence: Cadence) -> None:
        """Start what is due of a schedule, and look again when the next start is."""
        world = self.world
        if world.now < self.away_until or cadence in self.paused or cadence in self.active:
            return
        last = self.last.get(cadence)
        restriction = TimeRestriction(cast("Any", START), None, catchup=False)
        timetable = CadenceTimetable.deserialize(CadenceTimetable(cadence).serialize())
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            raise RuntimeError(f"{cadence}: the timetable ends")
        if info.run_after > world.now:
            world.simulation.start(info.run_after, lambda: self.look(cadence))
            return
        self.last[cadence] = info.data_interval
        self.active.add(cadence)
        self._begin_suite(cadence, info.run_after)

    def _begin_suite(self, cadence: Cadence, slot: datetime) -> None:
        def over() -> None:
            self.active.discard(cadence)
            self.look(cadence)

        entry = Entry(cadence, slot)
        self.book.append(entry)
        dag_run = DagRun(f"load_test_{cadence}", f"scheduled__{slot:%Y-%m-%dT%H}", "scheduled", slot, entry, over)
        dag_run.steps = SuiteSteps(self, dag_run, cadence).steps()
        self.runs.append(dag_run)
        self._perform(dag_run)

    def order_run(self, kind: str, profile: str, target: str, *, ignores: bool = False) -> None:
        """A person, or a pull request, orders one run now."""
        entry = Entry(kind, self.world.now)
        self.book.append(entry)
        name = f"manual__{self.world.now:%Y-%m-%dT%H:%M:%S}_{len(self.book)}"
        dag_run = DagRun(f"load_test_{kind}", name, "manual", self.world.now, entry)
        dag_run.steps = RunSteps(self, dag_run, profile, target, ignores=ignores).steps()
        self.runs.append(dag_run)
        self._perform(dag_run)

    def _perform(self, dag_run: DagRun) -> None:
        """All tasks, one after the other, each as soon as Airflow is there."""
        self.context.dag_run = dag_run
        while dag_run.place < len(dag_run.steps):
            self.await_return()
            name, step = dag_run.steps[dag_run.place]
            if not dag_run.failed or name.rpartition(".")[2] in ALWAYS or "." in name:
                dag_run.works = True
                self._try(dag_run, name, step)
                dag_run.works = False
            dag_run.place += 1
        self.runs.remove(dag_run)
        dag_run.ended()

    def await_return(self) -> None:
        """Nothing begins while Airflow is away."""
        while self.world.now < self.away_until:
            self.world.simulation.sleep((self.away_until - self.world.now).total_seconds())
        if self.is_dead():
            self.world.simulation.die()

    def _try(self, dag_run: DagRun, name: str, step: Task) -> None:
        entry = dag_run.entry
        try:
            step()
        except AirflowSkipException as skip:
            entry.outcome = entry.outcome or f"skipped: {skip}"
        except (LoadTestError, AirflowFailException) as error:
            dag_run.failed = True
            if name in ("preflight", "gate"):
                entry.outcome = entry.outcome or f"refused: {error}"

    @contextmanager
    def as_seen_by_tasks(self) -> Any:
        """The tasks' own code finds its DAG run."""

        def current() -> dict[str, Any]:
            dag_run = self.context.dag_run
            return {"dag_run": dag_run, "params": {}, "ti": SimpleNamespace(task_id="preflight")}

        with patch.object(suite_tasks, "get_current_context", current), patch.object(
            tasks, "get_current_context", current
        ):
            yield


def load_cadences() -> tuple[Cadence, ...]:
    """All that start by themselves."""
    return ("weekly", "monthly", "quarterly")
