"""Airflow in simulated time: when it starts the scheduled runs, what it does with a run whose task was killed.

The timetables, the rules of who is skipped and refused, and the stages are the real ones.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from airflow.timetables.base import DataInterval, TimeRestriction
from sqlalchemy import Engine

from experiments.upkeep_stubs import World
from include.loadtest import run
from include.loadtest.bundle import Bundle
from include.loadtest.errors import InvalidTestError, LoadTestError
from include.loadtest.history.locks import TargetHeldError, leave_line, stand_in_line
from include.loadtest.history.store import connect
from include.loadtest.orchestration import pipeline, suite, suite_tasks, tasks
from include.loadtest.orchestration.context import RunContext, SuiteContext
from include.loadtest.orchestration.factory import START
from include.loadtest.orchestration.order import RunOrder
from include.loadtest.orchestration.timetables import CadenceTimetable
from include.loadtest.orchestration.waiting import MAX_WAIT_S
from include.loadtest.profile import Overrides
from include.loadtest.profile.suites import Cadence, load_suite
from include.loadtest.reporting.suite import SuiteEntry

TARGET = "pratikoai"
POLL_S = 45
"""So often a waiter gives its sign of life here; the real one does each 3 s, and within 60 it has to."""
NOTICED_S = 30
"""A task whose process was killed is taken for failed after that."""
Task = Callable[[], None]
"""A step of a DAG run; raises what a task would raise."""
ALWAYS = frozenset({"collect_metrics", "validate_sla", "diff_history", "diagnose", "publish", "cleanup_users", "gate"})


@dataclass
class Entry:
    """What became of one start that a schedule, a pull request or a person had ordered."""

    kind: str
    ordered: datetime
    began: datetime | None = None
    outcome: str = ""


@dataclass(eq=False)
class DagRun:
    """A DAG run, and where it is. `context` is what its tasks find; a killed task's process takes nobody else along."""

    dag_id: str
    run_id: str
    run_type: str
    run_after: datetime
    entry: Entry
    ended: Callable[[], None] = lambda: None
    steps: Sequence[tuple[str, Task]] = ()
    place: int = 0
    failed: bool = False
    alive: bool = True
    waits: bool = False

    @property
    def owner(self) -> str:
        """As it stands in a target's lock."""
        return f"{self.dag_id}/{self.run_id} at simulated"


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

    def go_away(self, seconds: float, *, killed: bool) -> None:
        """Nothing new starts for so long; `killed`: whatever runs is dead, and its DAG runs go on afterwards."""
        world = self.world
        self.away_until = max(self.away_until, world.now + timedelta(seconds=seconds))
        self.absences.append((world.now, self.away_until))
        for dag_run in [one for one in self.runs if killed and one.alive and not one.waits]:
            self._goes_on_after(dag_run, seconds)
        for cadence in load_cadences():
            world.simulation.start(self.away_until, partial(self.look, cadence))

    def _goes_on_after(self, dag_run: DagRun, seconds: float) -> None:
        """Its process is dead from now on; what follows the task is done later by another."""
        dag_run.alive = False
        self.killed += 1
        successor = DagRun(**{**vars(dag_run), "place": dag_run.place + 1, "failed": True, "alive": True})
        self.runs[self.runs.index(dag_run)] = successor
        at = self.world.now + timedelta(seconds=max(seconds, NOTICED_S))
        self.world.simulation.start(at, lambda: self._perform(successor))

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
                self._try(dag_run, name, step)
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


@dataclass
class _Steps:
    airflow: Airflow
    dag_run: DagRun

    def _take_turn(self, work: Callable[[], None], target: str) -> None:
        """As the operator of preflight and its trigger do: wait in line, bounded, and give signs of life."""
        world, owner = self.airflow.world, self.dag_run.owner
        engine, give_up = connect(world.history_url), world.now + timedelta(seconds=MAX_WAIT_S)
        while True:
            try:
                work()
            except TargetHeldError as held:
                if world.now >= give_up:
                    leave_line(engine, target, owner)
                    raise InvalidTestError("target_locked", f"waited in vain: {held}") from held
                self._stand(engine, target, held.run_id, give_up)
            else:
                return

    def _stand(self, engine: Engine, target: str, run_id: str, give_up: datetime) -> None:
        """Deferred: a machine that dies takes no process of it along, and the triggerer goes on when it is back."""
        dag_run = self.airflow.context.dag_run
        dag_run.waits = True
        while not stand_in_line(engine, target, dag_run.owner, run_id).may_take and self.airflow.world.now < give_up:
            self.airflow.world.simulation.sleep(POLL_S)
            self.airflow.await_return()
        dag_run.waits = False

    def _context(self, target: str, run_id: str) -> dict[str, Any]:
        world = self.airflow.world
        return {
            "bundle": Bundle(world.results / run_id),
            "bundle_uri": str(world.results / run_id),
            "target_name": target,
            "load_target": world.load_target,
            "history_url": world.history_url,
            "work_dir": world.work_root / run_id,
            "owner": self.dag_run.owner,
        }


@dataclass
class RunSteps(_Steps):
    """The tasks of a single run."""

    profile: str
    target: str
    ignores: bool = field(kw_only=True)

    def steps(self) -> list[tuple[str, Task]]:
        """In the order of the graph."""
        run_id = run.run_id_for(self.profile, self.dag_run.run_after, self.dag_run.owner)
        order = RunOrder(self.profile, None, Overrides(), self.target, "simulated")
        context = RunContext(**self._context(self.target, run_id), order=order, ignore_blackout=self.ignores)

        def preflight() -> None:
            tasks.refuse_if_ordered_long_ago(self.dag_run, self.airflow.world.now)
            self._take_turn(lambda: pipeline.run_stage(context, "preflight"), self.target)
            self.dag_run.entry.began = self.dag_run.entry.began or self.airflow.world.now

        return [("preflight", preflight), *_stages_of(self, context, single=True)]


def _stages_of(steps: _Steps, context: RunContext, *, single: bool) -> list[tuple[str, Task]]:
    """From the users of a run to its gate."""
    world = steps.airflow.world

    def stage(name: str) -> Task:
        def do() -> None:
            if pipeline.began(context) and (name != "collect_metrics" or pipeline.load_began(context)):
                pipeline.run_stage(context, name)

        return do

    def gate() -> None:
        if pipeline.began(context):
            steps.dag_run.entry.outcome = str(pipeline.close(context)["verdict"])

    def confirm() -> None:
        green = context.bundle.has(run.VERDICT) and context.bundle.read(run.VERDICT)["verdict"] in ("PASS", "WARN")
        if green and world.chance.random() < 0.05:
            pipeline.run_stage(context, "confirm")

    names = (["seed_users"] if single else []) + ["warm_cache", "run_profile", "collect_metrics", "validate_sla"]
    names += ["diff_history", "diagnose"]
    found: list[tuple[str, Task]] = [(name, stage(name)) for name in names]
    found += [("confirm", confirm)] if single else []
    found += [("publish", stage("publish"))]
    return [*found, ("cleanup_users", stage("cleanup_users")), ("gate", gate)] if single else found


@dataclass
class SuiteSteps(_Steps):
    """The tasks of a suite: its own, and those of its runs in their groups."""

    cadence: Cadence

    def steps(self) -> list[tuple[str, Task]]:
        """In the order of the graph."""
        found, slot = load_suite(self.cadence), self.dag_run.run_after
        suite_run_id = run.run_id_for(found.name, slot, self.dag_run.owner)
        context = SuiteContext(**self._context(TARGET, suite_run_id), suite=found)
        members = [self._member(context, index) for index in range(len(found.runs))]

        def entries() -> list[SuiteEntry]:
            return [_entry(one) for one in members]

        def stage(name: str) -> None:
            suite.run_suite_stage(context, name, entries, lambda *_: None)

        def preflight() -> None:
            suite_tasks.skip_if_not_due(found, context.has_blackouts)
            self._take_turn(lambda: stage("preflight"), TARGET)
            self.dag_run.entry.began = self.airflow.world.now

        def seed() -> None:
            self.airflow.world.work(context, "seed_users", 90)
            stage("seed_users")

        def gate() -> None:
            if suite.began(context):
                self.dag_run.entry.outcome = str(suite.close(context, entries)["verdict"])

        def if_begun(name: str) -> Task:
            return lambda: stage(name) if suite.began(context) else None

        inner = [(f"{member.order.profile}.{name}", step) for member in members for name, step in self._inner(member)]
        return [("preflight", preflight), ("seed_users", seed), *inner, ("publish", if_begun("publish_suite")),
                ("cleanup_users", if_begun("cleanup_users")), ("gate", gate)]  # fmt: skip

    def _member(self, within: SuiteContext, index: int) -> RunContext:
        entry = within.suite.runs[index]
        run_id = run.run_id_for(entry.profile, self.dag_run.run_after, self.dag_run.owner)
        order = RunOrder(entry.profile, None, entry.overrides, TARGET, "simulated")
        values = self._context(TARGET, run_id) | {"work_dir": within.work_dir / run_id}
        return RunContext(**values, order=order, suite=within, repeats=False)

    def _inner(self, member: RunContext) -> list[tuple[str, Task]]:
        """A run of the suite, whatever became of the one before; a stage that fails ends its load only."""
        state = SimpleNamespace(failed=False)
        within = cast("SuiteContext", member.suite)

        def preflight() -> None:
            if suite.began(within):
                tasks.refuse_if_long_over(within.suite, self.dag_run, self.airflow.world.now)
                pipeline.run_stage(member, "preflight")

        def guarded(name: str, step: Task) -> Task:
            def do() -> None:
                if state.failed and name not in ALWAYS:
                    return
                before, state.failed = state.failed, True  # a killed one says nothing
                with suppress(LoadTestError, AirflowFailException):
                    step()
                    state.failed = before

            return do

        stages = [("preflight", preflight), *_stages_of(self, member, single=False)]
        return [(name, guarded(name, step)) for name, step in stages]


def _entry(member: RunContext) -> SuiteEntry:
    found = [member.bundle.read(name) if member.bundle.has(name) else None for name in (run.MANIFEST, run.VERDICT)]
    return SuiteEntry(member.bundle.run_id, member.order.profile, member.bundle_uri, *found)


def load_cadences() -> tuple[Cadence, ...]:
    """All that start by themselves."""
    return ("weekly", "monthly", "quarterly")
